/** Fits a planned rewrite to sample inputs, and judges the outcome. */
import { convBias } from '../dsc/conv-weights.ts';
import { fitReplacements } from '../dsc/fit-replacements.ts';
import type { LinearAlgebra } from '../dsc/linear-algebra.ts';
import { measureReplacements } from '../dsc/measure-replacements.ts';
import type { RewritePlan } from '../dsc/plan-rewrite.ts';
import type { ConvReplacement } from '../formats/conv-replacement.ts';
import { readLabels, readSamples, type SampleInput } from '../formats/samples/read-samples.ts';
import { DscAuditError } from '../ir/errors.ts';
import { staticExtents } from '../ir/fact.ts';
import { createRuntime } from '../runtime/index.ts';
import type { Analysis } from './analyse.ts';
import type { Validation } from './rewrite-report.ts';

/** Where sample inputs are. */
export interface SamplePaths {
  readonly samples: string;
  /** What the new model is judged on; the samples themselves where it is null. */
  readonly validation: string | null;
  /** The classes of the items that it is judged on. */
  readonly labels: string | null;
}

export interface Fitting {
  readonly count: number;
  fit(plan: RewritePlan, replacements: readonly ConvReplacement[]): Promise<Fitted>;
}

export interface Fitted {
  readonly replacements: readonly ConvReplacement[];
  readonly validation: Validation;
  /** By replacement, in order. */
  readonly outputErrors: readonly number[];
}

export type PrepareFitting = (analysis: Analysis, algebra: LinearAlgebra) => Promise<Fitting>;

/** Networks below this are done before a second thread has woken up. */
const SMALL_MACS = 2e7;

/** Reads the samples; `progress` hears of each layer that is fitted. */
export function fitToSamples(paths: SamplePaths, progress: (layer: string) => void): PrepareFitting {
  return async (analysis, algebra) => {
    const { bound, facts, requestedDims, read } = analysis;
    const { model } = read;
    const macs = analysis.counted.layers.reduce((sum, layer) => sum + (layer.macs ?? 0), 0);
    const inputs = sampleInputs(analysis);
    const samples = await readSamples(paths.samples, inputs);
    const judged = paths.validation === null ? samples : await readSamples(paths.validation, inputs);
    const labels = paths.labels === null ? null : readLabels(paths.labels, judged.count);
    const settled = { facts: bound.facts, bindings: bound.bindings, dims: requestedDims };
    return {
      count: samples.count,
      fit: async (plan, replacements) => {
        const runtime = await createRuntime(macs < SMALL_MACS ? { threads: 1 } : {});
        try {
          const toFit = plan.convs.map(({ layer }, index) => {
            const replacement = replacements[index];
            const bias = convBias(model, facts, layer);
            if (!replacement || !bias) {
              throw new DscAuditError('cannot-rewrite', `the bias of '${layer.name}' is not in the file.`);
            }
            return { layer, replacement, bias };
          });
          const fit = { runtime, algebra, model, settled, samples };
          const fitted = await fitReplacements(fit, toFit, ({ name }) => progress(name));
          const { outputErrors, ...validation } = await measureReplacements(
            runtime,
            model,
            facts,
            settled,
            judged,
            labels,
            fitted,
          );
          return { replacements: fitted, validation, outputErrors };
        } finally {
          await runtime.close();
        }
      },
    };
  };
}

function sampleInputs({ read: { model }, facts }: Analysis): readonly SampleInput[] {
  return model.graph.inputs.map((id) => {
    const fact = facts.of[id];
    const name = model.values[id]?.name ?? '';
    const shape = staticExtents(fact);
    if (fact?.type !== 'tensor' || shape === null) {
      throw new DscAuditError('cannot-run', `the input '${name}' has no known shape: samples cannot be read for it.`);
    }
    return { name, dtype: fact.dtype, shape };
  });
}
