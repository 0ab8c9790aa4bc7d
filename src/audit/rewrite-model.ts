/** From a model and a wish to a model with convolutions replaced, and what that changes. */
import { dirname, join } from 'node:path';
import type { ConvLayer } from '../dsc/conv-layer.ts';
import { convLayers } from '../dsc/conv-layers.ts';
import { convWeights } from '../dsc/conv-weights.ts';
import type { LayerPatterns } from '../dsc/layer-choice.ts';
import type { LinearAlgebra } from '../dsc/linear-algebra.ts';
import { planRewrite, type ReplaceableConv, type RewritePlan, type RewriteWish } from '../dsc/plan-rewrite.ts';
import { factorisedReplacement, shapedReplacement } from '../dsc/replacement.ts';
import { settledBetween } from '../dsc/settled-between.ts';
import type { Between } from '../dsc/strategies/strategy.ts';
import { type ModelCost, TARGET_METRICS, type Target } from '../dsc/target.ts';
import type { ConvReplacement } from '../formats/conv-replacement.ts';
import type { ModelSource } from '../formats/model-source.ts';
import type { ModelWriter, RewrittenFiles } from '../formats/model-writer.ts';
import { modelWriter } from '../formats/model-writers.ts';
import type { OutputFile } from '../formats/output-file.ts';
import { chunksOf, lengthOf } from '../formats/pieces.ts';
import type { Diagnostic } from '../ir/diagnostic.ts';
import { DscAuditError } from '../ir/errors.ts';
import { figureTexts } from '../ir/quantity-text.ts';
import { type Analysis, analyseSource, type InputOptions } from './analyse.ts';
import { auditModel } from './audit-model.ts';
import { messageOf } from './diagnostic-messages.ts';
import type { Fitted, PrepareFitting } from './fit-to-samples.ts';
import type { LatencyProjector } from './latency-figures.ts';
import { replaceableConvolutions } from './replaceable-convolutions.ts';
import type { Report, ReportedDiagnostic } from './report.ts';
import { type RewriteLatency, rewriteLatency } from './rewrite-latency.ts';
import type { RewriteFigures, RewriteReport, SkippedLayer } from './rewrite-report.ts';

export interface RewriteOptions extends InputOptions, LayerPatterns {
  readonly wish: RewriteWish & { readonly between: Between };
  /** Where the model is to be written; files beside it are named after it. */
  readonly output: string;
}

/** What a rewrite is done with. */
export interface RewriteTools {
  readonly algebra: LinearAlgebra;
  /** Null where nothing is fitted. */
  readonly prepareFitting: PrepareFitting | null;
  /** Null where no milliseconds are projected. */
  readonly projector: LatencyProjector | null;
}

/** A rewritten model that is ready to be written. Its pieces are read from the source, which stays open till `close`. */
export interface RewrittenModel {
  readonly report: RewriteReport;
  readonly replacements: readonly ConvReplacement[];
  readonly analysis: Analysis;
  readonly plan: RewritePlan;
  /** In the order in which they are to appear. */
  readonly files: readonly OutputFile[];
  /** Paths of files beside the model that pieces are copied from. */
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
  tools: RewriteTools,
): Promise<RewrittenModel> {
  const analysis = await analyseSource(source, options);
  try {
    return await rewriteAnalysed(source, analysis, options, tools);
  } catch (error) {
    analysis.read.close();
    if (error instanceof DscAuditError) throw new DscAuditError(error.code, `${source.path}: ${error.message}`);
    throw error;
  }
}

async function rewriteAnalysed(
  source: ModelSource,
  analysis: Analysis,
  options: RewriteOptions,
  { algebra, prepareFitting, projector }: RewriteTools,
): Promise<RewrittenModel> {
  const { output } = options;
  const wish: RewriteWish = { ...options.wish, between: settledBetween(options.wish.between, analysis.counted.layers) };
  const writer = await modelWriter(source, analysis.read.model);
  if (!writer.hasWeights) refuseWithoutWeights(wish);
  const convs = convLayers(analysis.counted.layers, analysis.facts);
  const { replaceable, skipped } = replaceableConvolutions(analysis, convs, options, wish, writer, algebra);
  const layers = replaceable.map(({ layer }) => layer);
  const latency = projector && rewriteLatency(projector, analysis, layers, wish);
  const audited = auditedAs(analysis, options);
  const before = figuresBefore(audited, latency);
  const planner = new Planner(analysis, { convs, wish, writer, algebra, output, before, latency });
  const planned = await planner.plan(replaceable, costOf(audited, before));
  if (planned.plan.convs.length === 0) throw nothingWorthwhile(wish);
  const fitting = prepareFitting ? await prepareFitting(analysis, algebra) : null;
  const fitted = fitting ? await fitting.fit(planned.plan, planned.replacements) : null;
  const replacements = fitted?.replacements ?? planned.replacements;
  const rewritten = await planner.layOut(planned.plan, replacements);
  const outcome = {
    ...planned,
    fitted,
    fileBytes: filesBytes(rewritten),
    afterMs: latency?.afterMs(planned.plan.convs) ?? null,
  };
  return {
    analysis,
    plan: planned.plan,
    replacements,
    report: {
      ...reportOf(audited, options, outcome, before, skipped),
      samples: fitting && { count: fitting.count },
      profile: latency?.profile ?? null,
      diagnostics: [...audited.diagnostics, ...(latency?.diagnostics ?? []).map(reported)],
    },
    files: rewritten.files.map(({ path, pieces }) => ({ path, chunks: chunksOf(pieces) })),
    readFiles: rewritten.readFiles.map((file) => join(dirname(source.path), file)),
    close: () => {
      rewritten.close();
      analysis.read.close();
    },
  };
}

/** Without weights nothing tells what a layer would lose. */
function refuseWithoutWeights({ target, minEnergy, fitted }: RewriteWish): void {
  if (target === null && minEnergy === 0 && !fitted) return;
  throw new DscAuditError(
    'cannot-rewrite',
    'it holds no weights, so nothing tells which convolutions lose least: choose them with --include, --exclude and --rank, or give the model with its weights.',
  );
}

function auditedAs(analysis: Analysis, { include, exclude, wish: { strategy } }: RewriteOptions): Report {
  return auditModel(analysis, {
    patterns: { include, exclude },
    strategy,
    algebra: null,
    projector: null,
    training: false,
    memory: false,
    between: 'none',
  });
}

interface Planned {
  readonly plan: RewritePlan;
  readonly replacements: readonly ConvReplacement[];
}

interface PlannerSetting {
  readonly convs: readonly ConvLayer[];
  readonly wish: RewriteWish;
  readonly writer: ModelWriter;
  readonly algebra: LinearAlgebra;
  readonly output: string;
  readonly before: RewriteFigures;
  readonly latency: RewriteLatency | null;
}

/** Rounds of planning for what is known only of a finished plan: each asks for what the last one fell short by. */
const MAX_ROUNDS = 8;

/** Plans until what was asked for holds for the outcome itself: its files, its projection as a whole. */
class Planner {
  readonly #analysis: Analysis;
  readonly #setting: PlannerSetting;

  constructor(analysis: Analysis, setting: PlannerSetting) {
    this.#analysis = analysis;
    this.#setting = setting;
  }

  async plan(replaceable: readonly ReplaceableConv[], cost: ModelCost): Promise<Planned> {
    const { target } = this.#setting.wish;
    const timed = target?.metric === 'latency' ? replaceable.map((conv) => this.#timed(conv)) : replaceable;
    let planned = this.#planFor(timed, cost, target);
    const limit = target && this.#limitOf(target);
    if (target === null || limit === null) return planned;
    let asked = limit;
    for (let round = 0; ; round++) {
      const found = await this.#measured(planned, target);
      if (found === null) throw notKnown(target);
      if (found <= limit) return planned;
      if (round === MAX_ROUNDS) throw notMet(target, found, limit);
      asked -= found - limit;
      planned = this.#planFor(timed, cost, { ...target, limit: asked, reduction: null });
    }
  }

  layOut(plan: RewritePlan, replacements: readonly ConvReplacement[]): Promise<RewrittenFiles> {
    const { writer, output, wish } = this.#setting;
    return Promise.resolve(writer.layOut(replacements, { output, note: noteOf(wish, plan) }));
  }

  #planFor(replaceable: readonly ReplaceableConv[], cost: ModelCost, target: Target | null): Planned {
    const { convs, wish, writer, algebra } = this.#setting;
    const plan = planRewrite(replaceable, convs, { ...wish, target }, cost);
    const replacements = plan.convs.map(({ layer, form }) =>
      writer.hasWeights
        ? factorisedReplacement(layer, wish.strategy, form, () => weightsOf(this.#analysis, layer), algebra)
        : shapedReplacement(layer, wish.strategy, form),
    );
    return { plan, replacements };
  }

  #timed(conv: ReplaceableConv): ReplaceableConv {
    const { latency } = this.#setting;
    return latency ? { ...conv, savedMs: (rank) => latency.savedMs(conv.layer, rank) } : conv;
  }

  /** Null for what a plan knows exactly. */
  #limitOf({ metric, limit, reduction }: Target): number | null {
    const { before } = this.#setting;
    const was = { size: before.fileBytes, latency: before.latencyMs?.value ?? null, macs: null, params: null }[metric];
    return was === null ? null : (limit ?? was * (1 - (reduction ?? 0)));
  }

  async #measured({ plan, replacements }: Planned, target: Target): Promise<number | null> {
    if (target.metric === 'latency') return this.#setting.latency?.afterMs(plan.convs)?.value ?? null;
    const rewritten = await this.layOut(plan, replacements);
    rewritten.close();
    return filesBytes(rewritten);
  }
}

function notMet({ text, metric }: Target, found: number, limit: number): DscAuditError {
  const [nearest, most] = figureTexts(found, limit, TARGET_METRICS[metric].unit);
  return new DscAuditError(
    'target-out-of-reach',
    `The target ${text} cannot be met: the nearest plan comes to ${nearest}, and it may be ${most}. Ask for less.`,
  );
}

/** A target that nobody can check is not met. */
function notKnown({ text }: Target): DscAuditError {
  return new DscAuditError(
    'target-out-of-reach',
    `Whether the target ${text} is met cannot be told: the latency of the rewritten model is not known. Set a target for macs, params or size.`,
  );
}

function weightsOf({ read: { model }, facts }: Analysis, layer: ConvLayer): Float32Array {
  const weights = convWeights(model, facts, layer);
  if (weights === null)
    throw new DscAuditError('cannot-read', `the weights of '${layer.name}' cannot be read any more.`);
  return weights;
}

interface Outcome {
  readonly plan: RewritePlan;
  readonly fitted: Fitted | null;
  readonly fileBytes: number;
  readonly afterMs: Report['totals']['latencyMs'];
}

function reportOf(
  { schemaVersion, tool, model }: Report,
  { wish, output }: RewriteOptions,
  { plan, fitted, fileBytes, afterMs }: Outcome,
  before: RewriteFigures,
  skipped: readonly SkippedLayer[],
): Omit<RewriteReport, 'samples' | 'profile' | 'diagnostics'> {
  const { saved } = plan;
  return {
    schemaVersion,
    tool,
    model,
    written: output,
    strategy: wish.strategy.name,
    between: wish.between,
    target: wish.target?.text ?? null,
    met: wish.target ? true : null,
    loss: plan.loss,
    excessLoss: plan.excess,
    layers: plan.convs.map(({ layer, form, energy, before: was, after }, index) => ({
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
      fileBytes,
      latencyMs: afterMs,
    },
    validation: fitted?.validation ?? null,
  };
}

const reported = (told: Diagnostic): ReportedDiagnostic => ({ ...told, message: messageOf(told) });

function figuresBefore({ model, totals }: Report, latency: RewriteLatency | null): RewriteFigures {
  return {
    params: totals.params.total,
    macs: totals.macs,
    flops: totals.flops,
    weightBytes: totals.weightBytes,
    fileBytes: model.fileBytes,
    latencyMs: latency?.beforeMs ?? null,
  };
}

const costOf = ({ totals, coverage }: Report, { params, fileBytes, latencyMs }: RewriteFigures): ModelCost => ({
  macs: coverage.counted === coverage.nodes ? totals.macs : null,
  params,
  fileBytes,
  latencyMs: latencyMs?.value ?? null,
});

const filesBytes = ({ files }: RewrittenFiles): number => files.reduce((sum, { pieces }) => sum + lengthOf(pieces), 0);

/** Told in the file's metadata. */
function noteOf({ strategy, between }: RewriteWish, { convs }: RewritePlan): string {
  const layers = convs.map(({ layer, form }) => ({ layer: layer.name, rank: form.rank }));
  return JSON.stringify({ version: __DSC_AUDIT_VERSION__, strategy: strategy.name, between, layers });
}

function nothingWorthwhile({ target, rank, minEnergy }: RewriteWish): DscAuditError {
  if (target)
    return new DscAuditError('cannot-rewrite', `the target ${target.text} is met already: there is nothing to do.`);
  return new DscAuditError(
    'cannot-rewrite',
    `no convolution keeps ${minEnergy} of its energy at ${rank === 'auto' ? 'any rank' : `rank ${rank}`} and still saves something.`,
  );
}
