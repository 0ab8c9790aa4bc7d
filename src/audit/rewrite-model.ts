/** From a model and a wish to a model with convolutions replaced, and what that changes. */
import { basename, dirname, join } from 'node:path';
import { assess } from '../dsc/assess.ts';
import type { ConvLayer } from '../dsc/conv-layer.ts';
import { convLayers } from '../dsc/conv-layers.ts';
import { convWeights } from '../dsc/conv-weights.ts';
import { energyByRank } from '../dsc/factorisation.ts';
import { layerChoice } from '../dsc/layer-choice.ts';
import type { LinearAlgebra } from '../dsc/linear-algebra.ts';
import { planRewrite, type ReplaceableConv, type RewritePlan, type RewriteWish } from '../dsc/plan-rewrite.ts';
import { factorisedReplacement } from '../dsc/replacement.ts';
import type { ModelCost, Target } from '../dsc/target.ts';
import type { ConvReplacement } from '../formats/conv-replacement.ts';
import type { ModelSource } from '../formats/model-source.ts';
import { type RewrittenOnnx, replaceableNodes, replaceConvolutions } from '../formats/onnx/replace-convolutions.ts';
import { chunksOf, lengthOf } from '../formats/pieces.ts';
import { isWeightType } from '../ir/elements.ts';
import { DscAuditError } from '../ir/errors.ts';
import { type Analysis, analyseSource, type InputOptions } from './analyse.ts';
import { auditModel } from './audit-model.ts';
import type { PrepareFitting } from './fit-to-samples.ts';
import type { Report } from './report.ts';
import type { RewriteFigures, RewriteReport, SkippedLayer } from './rewrite-report.ts';

export interface RewriteOptions extends InputOptions {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly wish: RewriteWish;
  /** Where the model is to be written; the file of external data gets this name and `.data`. */
  readonly output: string;
}

/** A rewritten model that is ready to be written. Its pieces are read from the source, which stays open till `close`. */
export interface RewrittenModel {
  readonly report: RewriteReport;
  readonly replacements: readonly ConvReplacement[];
  readonly analysis: Analysis;
  readonly plan: RewritePlan;
  /** The files, in the order in which they are to appear. */
  readonly files: readonly { readonly path: string; readonly chunks: Iterable<Uint8Array> }[];
  /** Paths of the files of external data that the pieces are copied from. */
  readonly readFiles: readonly string[];
  close(): void;
}

/**
 * Plans, fits and lays out a rewritten model; nothing is written. The source is closed by `close`, or where it fails.
 *
 * @throws {DscAuditError} where the model or an option cannot be used, or the target is out of reach
 */
export async function rewriteModel(
  source: ModelSource,
  options: RewriteOptions,
  algebra: LinearAlgebra,
  prepareFitting: PrepareFitting | null,
): Promise<RewrittenModel> {
  const analysis = await analyseSource(source, options);
  try {
    return await rewriteAnalysed(source, analysis, options, algebra, prepareFitting);
  } catch (error) {
    analysis.read.close();
    if (error instanceof DscAuditError) throw new DscAuditError(error.code, `${source.path}: ${error.message}`);
    throw error;
  }
}

async function rewriteAnalysed(
  source: ModelSource,
  analysis: Analysis,
  { include, exclude, wish, output }: RewriteOptions,
  algebra: LinearAlgebra,
  prepareFitting: PrepareFitting | null,
): Promise<RewrittenModel> {
  const { model } = analysis.read;
  const patterns = { include, exclude };
  const report = auditModel(analysis, {
    patterns,
    strategy: wish.strategy,
    algebra: null,
    projector: null,
    training: false,
    memory: false,
    between: 'none',
  });
  const convs = convLayers(analysis.counted.layers, analysis.facts);
  const { candidates } = assess(convs, wish.strategy, layerChoice(patterns));
  const obstacle = obstacleOf(source, analysis);
  const replaceable: ReplaceableConv[] = [];
  const skipped: SkippedLayer[] = [];
  for (const { layer } of [...candidates].sort((a, b) => a.layer.index - b.layer.index)) {
    const energies = obstacle(layer) ?? energiesOf(analysis, layer, wish, algebra);
    if (typeof energies === 'string') skipped.push({ layer: layer.name, index: layer.index, reason: energies });
    else replaceable.push({ layer, energyByRank: energies });
  }
  if (replaceable.length === 0) throw nothingToReplace(skipped);
  const before = figuresBefore(report);
  const layOut = (plan: RewritePlan, replacements: readonly ConvReplacement[]) =>
    replaceConvolutions(source, model, replacements, {
      dataFile: `${basename(output)}.data`,
      note: noteOf(wish, plan),
    });
  const planned = planWithin(wish, before, (target) => {
    const plan = planRewrite(replaceable, convs, { ...wish, target }, costOf(report, before));
    const replacements = plan.convs.map(({ layer, form }) =>
      factorisedReplacement(layer, wish.strategy, form, () => weightsOf(analysis, layer), algebra),
    );
    return { plan, replacements, fileBytes: sizeOf(layOut(plan, replacements)) };
  });
  if (planned.plan.convs.length === 0) throw nothingWorthwhile(wish);
  const fitting = prepareFitting ? await prepareFitting(analysis, algebra) : null;
  const fitted = fitting ? await fitting.fit(planned.plan, planned.replacements) : null;
  const replacements = fitted?.replacements ?? planned.replacements;
  const rewritten = layOut(planned.plan, replacements);
  const { saved } = planned.plan;
  return {
    analysis,
    plan: planned.plan,
    replacements,
    report: {
      schemaVersion: report.schemaVersion,
      tool: report.tool,
      model: report.model,
      written: output,
      strategy: wish.strategy.name,
      between: wish.between,
      target: wish.target?.text ?? null,
      met: wish.target ? true : null,
      loss: planned.plan.loss,
      excessLoss: planned.plan.excess,
      layers: planned.plan.convs.map(({ layer, form, energy, before: was, after }, index) => ({
        layer: layer.name,
        index: layer.index,
        rank: form.rank,
        energy,
        outputError: fitted?.outputErrors[index] ?? null,
        before: was,
        after,
      })),
      skipped,
      before,
      after: {
        params: before.params - saved.params,
        macs: before.macs - saved.macs,
        flops: before.flops - saved.flops,
        weightBytes: before.weightBytes - saved.weightBytes,
        fileBytes: filesBytes(rewritten),
        latencyMs: null,
      },
      samples: fitting && { count: fitting.count },
      validation: fitted?.validation ?? null,
      diagnostics: report.diagnostics,
    },
    // The model last: once it is there, its data is.
    files: [
      ...(rewritten.data ? [{ path: `${output}.data`, chunks: chunksOf(rewritten.data) }] : []),
      { path: output, chunks: chunksOf(rewritten.model) },
    ],
    readFiles: rewritten.externalFiles.map((file) => join(dirname(source.path), file)),
    close: () => {
      rewritten.close();
      analysis.read.close();
    },
  };
}

/** Rounds of planning for a size: each asks for what the names and shapes of new nodes took more than foreseen. */
const MAX_ROUNDS = 8;

interface Planned {
  readonly plan: RewritePlan;
  readonly replacements: readonly ConvReplacement[];
  readonly fileBytes: number;
}

/** Plans until the file, with all that is not weights, is within the size that was asked for. */
function planWithin(
  { target }: RewriteWish,
  before: RewriteFigures,
  plan: (target: Target | null) => Planned,
): Planned {
  let planned = plan(target);
  if (target?.metric !== 'size' || before.fileBytes === null) return planned;
  const limit = target.limit ?? before.fileBytes * (1 - (target.reduction ?? 0));
  let asked = limit;
  for (let round = 0; round < MAX_ROUNDS && planned.fileBytes > limit; round++) {
    asked -= planned.fileBytes - limit;
    planned = plan({ ...target, limit: asked, reduction: null });
  }
  return planned;
}

function obstacleOf(source: ModelSource, { read: { model } }: Analysis): (layer: ConvLayer) => string | null {
  if (model.format !== 'onnx') throw new DscAuditError('cannot-rewrite', 'only ONNX models can be rewritten so far.');
  const unwritable = replaceableNodes(source, model);
  return (layer) => {
    if (!isWeightType(layer.weightType)) return `its weights are quantised (${layer.weightType ?? 'of unknown type'})`;
    return unwritable(layer.node);
  };
}

function energiesOf(
  { read: { model }, facts }: Analysis,
  layer: ConvLayer,
  { strategy }: RewriteWish,
  algebra: LinearAlgebra,
): readonly number[] | string {
  const weights = convWeights(model, facts, layer);
  if (weights === null) return 'its weights are not in the file, or are computed from quantised ones';
  return energyByRank(weights, strategy.slices(layer), algebra) ?? 'its weights are not finite';
}

function weightsOf({ read: { model }, facts }: Analysis, layer: ConvLayer): Float32Array {
  const weights = convWeights(model, facts, layer);
  if (weights === null)
    throw new DscAuditError('cannot-read', `the weights of '${layer.name}' cannot be read any more.`);
  return weights;
}

function figuresBefore({ model, totals }: Report): RewriteFigures {
  return {
    params: totals.params.total,
    macs: totals.macs,
    flops: totals.flops,
    weightBytes: totals.weightBytes,
    fileBytes: model.fileBytes,
    latencyMs: totals.latencyMs,
  };
}

const costOf = ({ totals, coverage }: Report, { params, fileBytes }: RewriteFigures): ModelCost => ({
  macs: coverage.counted === coverage.nodes ? totals.macs : null,
  params,
  fileBytes,
  latencyMs: totals.latencyMs?.value ?? null,
});

const filesBytes = ({ model, data }: RewrittenOnnx): number => lengthOf(model) + (data ? lengthOf(data) : 0);

function sizeOf(rewritten: RewrittenOnnx): number {
  rewritten.close();
  return filesBytes(rewritten);
}

/** Told in the file's metadata. */
function noteOf({ strategy, between }: RewriteWish, { convs }: RewritePlan): string {
  const layers = convs.map(({ layer, form }) => ({ layer: layer.name, rank: form.rank }));
  return JSON.stringify({ version: __DSC_AUDIT_VERSION__, strategy: strategy.name, between, layers });
}

/** Layers that are named with their reasons; who has more knows how it goes on. */
const MAX_REASONS = 3;

function nothingToReplace(skipped: readonly SkippedLayer[]): DscAuditError {
  if (skipped.length === 0) {
    return new DscAuditError(
      'cannot-rewrite',
      'it has no convolution that is a candidate: dsc-audit tells why of each.',
    );
  }
  const reasons = skipped.slice(0, MAX_REASONS).map(({ layer, reason }) => `'${layer}': ${reason}`);
  return new DscAuditError(
    'cannot-rewrite',
    `none of its ${skipped.length} candidates can be replaced: ${reasons.join('; ')}.`,
  );
}

function nothingWorthwhile({ target, rank, minEnergy }: RewriteWish): DscAuditError {
  if (target)
    return new DscAuditError('cannot-rewrite', `the target ${target.text} is met already: there is nothing to do.`);
  return new DscAuditError(
    'cannot-rewrite',
    `no convolution keeps ${minEnergy} of its energy at ${rank === 'auto' ? 'any rank' : `rank ${rank}`} and still saves something.`,
  );
}
