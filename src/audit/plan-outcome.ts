/** Plans until what was asked for holds for the outcome itself: its files, its projection as a whole. */
import type { ConvLayer } from '../dsc/conv-layer.ts';
import { convWeights } from '../dsc/conv-weights.ts';
import type { LinearAlgebra } from '../dsc/linear-algebra.ts';
import { planRewrite, type ReplaceableConv, type RewritePlan } from '../dsc/plan-rewrite.ts';
import { factorisedReplacement, shapedReplacement } from '../dsc/replacement.ts';
import { type ModelCost, TARGET_METRICS, type Target } from '../dsc/target.ts';
import type { ConvReplacement } from '../formats/conv-replacement.ts';
import { DscAuditError } from '../ir/errors.ts';
import { figureTexts } from '../ir/quantity-text.ts';
import type { Analysis } from './analyse.ts';
import { bytesOf, layOutRewrite, type RewriteLayout } from './lay-out-rewrite.ts';
import type { RewriteLatency } from './rewrite-latency.ts';

/** What a plan is made of. */
export interface PlanningTask extends RewriteLayout {
  readonly analysis: Analysis;
  readonly replaceable: readonly ReplaceableConv[];
  readonly algebra: LinearAlgebra;
  /** What the model costs now. */
  readonly cost: ModelCost;
  readonly latency: RewriteLatency | null;
}

export interface PlannedOutcome {
  readonly plan: RewritePlan;
  /** In the plan's order; their weights follow from the original's alone. */
  readonly replacements: readonly ConvReplacement[];
}

/** Rounds of planning for what is known only of a finished plan: each asks for what the last one fell short by. */
const MAX_ROUNDS = 8;

/** @throws {DscAuditError} `target-out-of-reach` */
export async function planOutcome(task: PlanningTask): Promise<PlannedOutcome> {
  const { target } = task.wish;
  const replaceable = target?.metric === 'latency' ? timed(task) : task.replaceable;
  let planned = planFor(task, replaceable, target);
  const limit = target && limitOf(target, task.cost);
  if (target === null || limit === null) return planned;
  let asked = limit;
  for (let round = 0; ; round++) {
    const found = await measured(task, planned, target);
    if (found === null) throw notKnown(target);
    if (found <= limit) return planned;
    if (round === MAX_ROUNDS) throw notMet(target, found, limit);
    asked -= found - limit;
    planned = planFor(task, replaceable, { ...target, limit: asked, reduction: null });
  }
}

function planFor(
  { analysis, wish, writer, algebra, cost }: PlanningTask,
  replaceable: readonly ReplaceableConv[],
  target: Target | null,
): PlannedOutcome {
  const plan = planRewrite(replaceable, analysis.counted.layers, { ...wish, target }, cost);
  const replacements = plan.convs.map(({ layer, form }) =>
    writer.hasWeights
      ? factorisedReplacement(layer, wish.strategy, form, () => weightsOf(analysis, layer), algebra)
      : shapedReplacement(layer, wish.strategy, form),
  );
  return { plan, replacements };
}

const timed = ({ replaceable, latency }: PlanningTask): readonly ReplaceableConv[] =>
  replaceable.map((conv) => (latency ? { ...conv, savedMs: (rank) => latency.savedMs(conv.layer, rank) } : conv));

/** Null for what a plan knows exactly. */
function limitOf({ metric, limit, reduction }: Target, { fileBytes, latencyMs }: ModelCost): number | null {
  const was = { size: fileBytes, latency: latencyMs, macs: null, params: null }[metric];
  return was === null ? null : (limit ?? was * (1 - (reduction ?? 0)));
}

async function measured(
  task: PlanningTask,
  { plan, replacements }: PlannedOutcome,
  { metric }: Target,
): Promise<number | null> {
  if (metric === 'latency') return task.latency?.afterMs(plan.convs)?.value ?? null;
  const rewritten = await layOutRewrite(task, plan, replacements);
  rewritten.close();
  return bytesOf(rewritten);
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
