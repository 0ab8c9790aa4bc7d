/** From a model and a wish to a model with convolutions replaced, and what that changes. */
import { dirname, join } from 'node:path';
import { convLayers } from '../dsc/conv-layers.ts';
import type { LayerPatterns } from '../dsc/layer-choice.ts';
import type { LinearAlgebra } from '../dsc/linear-algebra.ts';
import type { RewritePlan, RewriteWish } from '../dsc/plan-rewrite.ts';
import { settledBetween } from '../dsc/settled-between.ts';
import type { Between } from '../dsc/strategies/strategy.ts';
import type { ConvReplacement } from '../formats/conv-replacement.ts';
import type { ModelSource } from '../formats/model-source.ts';
import { modelWriter } from '../formats/model-writers.ts';
import type { OutputFile } from '../formats/output-file.ts';
import { checkOutputName } from '../formats/output-name.ts';
import { chunksOf } from '../formats/pieces.ts';
import { DscAuditError } from '../ir/errors.ts';
import { type Analysis, analyseSource, type InputOptions } from './analyse.ts';
import { auditModel } from './audit-model.ts';
import type { PrepareFitting } from './fit-to-samples.ts';
import type { LatencyProjector } from './latency-figures.ts';
import { bytesOf, layOutRewrite } from './lay-out-rewrite.ts';
import { planOutcome } from './plan-outcome.ts';
import { replaceableConvolutions } from './replaceable-convolutions.ts';
import type { Report } from './report.ts';
import { costOf, figuresBefore, reportRewrite } from './report-rewrite.ts';
import { rewriteLatency } from './rewrite-latency.ts';
import type { RewriteReport } from './rewrite-report.ts';

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
  checkOutputName(output, writer.kind);
  if (!writer.hasWeights) refuseWithoutWeights(wish);
  const convs = convLayers(analysis.counted.layers, analysis.facts);
  const { replaceable, skipped } = replaceableConvolutions(analysis, convs, options, wish, writer, algebra);
  const layers = replaceable.map(({ layer }) => layer);
  const latency = projector && rewriteLatency(projector, analysis, layers, wish);
  const audited = auditedAs(analysis, options);
  const before = figuresBefore(audited, latency);
  const cost = costOf(audited, before);
  const task = { analysis, replaceable, wish, writer, algebra, output, cost, latency };
  const planned = await planOutcome(task);
  const { plan } = planned;
  if (plan.convs.length === 0) throw nothingWorthwhile(wish);
  const fitting = prepareFitting ? await prepareFitting(analysis, algebra) : null;
  const fitted = fitting ? await fitting.fit(plan, planned.replacements) : null;
  const replacements = fitted?.replacements ?? planned.replacements;
  const rewritten = await layOutRewrite(task, plan, replacements);
  const samples = fitting && { count: fitting.count };
  const fileBytes = bytesOf(rewritten);
  const outcome = { audited, before, wish: options.wish, output, plan, skipped, latency, fitted, samples, fileBytes };
  return {
    analysis,
    plan,
    replacements,
    report: reportRewrite(outcome),
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

function nothingWorthwhile({ target, rank, minEnergy }: RewriteWish): DscAuditError {
  if (target)
    return new DscAuditError('cannot-rewrite', `the target ${target.text} is met already: there is nothing to do.`);
  return new DscAuditError(
    'cannot-rewrite',
    `no convolution keeps ${minEnergy} of its energy at ${rank === 'auto' ? 'any rank' : `rank ${rank}`} and still saves something.`,
  );
}
