/** Rewriting as the library has it; the command line asks for the same. */
import { loadLinearAlgebra } from '../dsc/linear-algebra.ts';
import { writableStrategyNamed } from '../dsc/strategies/index.ts';
import { BETWEEN, type Between } from '../dsc/strategies/strategy.ts';
import { parseTarget } from '../dsc/target.ts';
import { type ModelSource, modelBytes, modelFile } from '../formats/model-source.ts';
import { checkOutput, checkOutputs, writeFiles } from '../formats/output-file.ts';
import { DscAuditError } from '../ir/errors.ts';
import { chooseProfileHere } from '../latency/choose-profile.ts';
import type { InputOptions } from './analyse.ts';
import type { SamplePaths } from './fit-to-samples.ts';
import type { RewriteOptions as ModelRewriteOptions, RewrittenModel } from './rewrite-model.ts';
import type { RewriteReport } from './rewrite-report.ts';

/** What a rewrite may be told. All of it may be left out. */
export interface RewriteOptions extends InputOptions {
  /** Globs on layer names: convolutions that are candidates even if a default speaks against it (a stem). */
  readonly include?: readonly string[];
  /** Globs on layer names: convolutions that are left alone, unless `include` names them. */
  readonly exclude?: readonly string[];
  /** How convolutions are replaced: `depthwise-separable` (the default) or `pointwise-depthwise`. */
  readonly strategy?: string;
  /** What stands between the halves: `none` (the default), `relu` or `bn-relu`. They change what the model computes. */
  readonly between?: Between;
  /** Depthwise filters a channel, or `auto` for the best (default: `auto` with something to aim at, else 1). */
  readonly rank?: number | 'auto';
  /** Keep at least this share of each layer's weights, 0 to 1. */
  readonly minEnergy?: number;
  /** What to aim at, at the least loss: `macs=-50%`, `params=5M`, `size=20MB`, `latency=15ms`. */
  readonly target?: string;
  /** A file or folder of inputs that the new weights are fitted to. */
  readonly samples?: string;
  /** Inputs that the new model is judged on; the samples themselves if left out. */
  readonly validation?: string;
  /** Classes of the inputs that it is judged on. */
  readonly labels?: string;
  /** The cost model behind the milliseconds, as `audit` takes it. */
  readonly profile?: string;
  /** Replace the file where there is one. The model that is read is never replaced. */
  readonly force?: boolean;
  /** What messages and the report call a model that is given as bytes; `-` if left out. */
  readonly path?: string;
}

/**
 * Writes a model with depthwise separable convolutions in place of chosen ones, in the format that it came in.
 *
 * @param model the path of a model file, or its bytes
 * @param output the file to write, and the name that files beside it follow; null to plan only
 * @throws {DscAuditError} where the model, an option or the file cannot be used, or the target is out of reach
 */
export async function rewrite(
  model: string | Uint8Array,
  output: string | null,
  options: RewriteOptions = {},
): Promise<RewriteReport> {
  const inputs = [...(typeof model === 'string' ? [model] : []), ...pathsIn(options)];
  if (output !== null) checkOutput(output, inputs, options.force ?? false);
  const rewritten = await prepareRewrite(() => sourceOf(model, options), output ?? UNNAMED, options, {
    env: process.env,
  });
  try {
    if (output === null) return { ...rewritten.report, written: null };
    const read = [...inputs, ...rewritten.readFiles];
    checkOutputs(rewritten.files, read, options.force ?? false);
    writeFiles(rewritten.files);
    return rewritten.report;
  } finally {
    rewritten.close();
  }
}

function sourceOf(model: string | Uint8Array, { path = '-' }: RewriteOptions): ModelSource {
  if (typeof model === 'string') return modelFile(model);
  if (model instanceof Uint8Array) return modelBytes(path, [model]);
  throw new DscAuditError('invalid-option', 'rewrite() takes the path of a model, or its bytes as a Uint8Array.');
}

/** Files beside the model that the options name: none of them is ever replaced. */
export const pathsIn = ({ samples, validation, labels }: RewriteOptions): readonly string[] =>
  [samples, validation, labels].filter((path) => path !== undefined);

/** Stands for the model's name where nothing is written. */
export const UNNAMED = 'model';

/** What a rewrite is told beside what its options say. */
interface RewriteSetting {
  /** Where this machine's profile is looked for. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Hears of each layer that is fitted. */
  readonly fitted?: (layer: string) => void;
}

/** Plans and lays out the rewrite of a model, which is opened last, and closed with what comes back. */
export async function prepareRewrite(
  open: () => ModelSource | Promise<ModelSource>,
  output: string,
  options: RewriteOptions,
  { env, fitted = () => undefined }: RewriteSetting,
): Promise<RewrittenModel> {
  const wish = wishOf(options);
  const samples = samplePaths(options);
  const { include = [], exclude = [], dims = {}, shapes = {} } = options;
  const [{ rewriteModel }, { fitToSamples }, { latencyProjector }, algebra, profile] = await Promise.all([
    import('./rewrite-model.ts'),
    import('./fit-to-samples.ts'),
    import('./project-latency.ts'),
    loadLinearAlgebra(),
    chooseProfileHere(options.profile, env),
  ]);
  return rewriteModel(
    await open(),
    { dims, shapes, include, exclude, wish, output },
    {
      algebra,
      prepareFitting: samples && fitToSamples(samples, fitted),
      projector: profile && latencyProjector(profile),
    },
  );
}

/** Ranks are chosen where there is something to aim at; else every replacement has rank 1. */
function wishOf(options: RewriteOptions): ModelRewriteOptions['wish'] {
  const { strategy, between = 'none', minEnergy = 0, samples } = options;
  const target = options.target === undefined ? null : parseTarget(options.target);
  const isChosen = target !== null || minEnergy > 0;
  const { rank = isChosen ? 'auto' : 1 } = options;
  checkRank(rank, isChosen);
  if (!BETWEEN.includes(between)) throw invalid(`Nothing is called '${between}'; write one of ${BETWEEN.join(', ')}.`);
  if (!(minEnergy >= 0 && minEnergy <= 1)) throw invalid(`${minEnergy} is no share; write a number from 0 to 1.`);
  return { strategy: writableStrategyNamed(strategy), between, rank, minEnergy, target, fitted: samples !== undefined };
}

function checkRank(rank: number | 'auto', isChosen: boolean): void {
  if (rank === 'auto' && !isChosen) {
    throw invalid('--rank auto needs something to aim at: add --target or --min-energy.');
  }
  if (rank !== 'auto' && !(Number.isSafeInteger(rank) && rank > 0)) {
    throw invalid(`A rank of ${rank} cannot be; write a whole number above 0, or auto.`);
  }
}

function samplePaths({ samples, validation, labels }: RewriteOptions): SamplePaths | null {
  if (samples !== undefined) return { samples, validation: validation ?? null, labels: labels ?? null };
  if (validation === undefined && labels === undefined) return null;
  throw invalid('--validation and --labels judge what --samples fits: add --samples.');
}

const invalid = (what: string): DscAuditError => new DscAuditError('invalid-option', what);
