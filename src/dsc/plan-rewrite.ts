/** Chooses which convolutions are replaced, and at which rank. */
import { DscAuditError } from '../ir/errors.ts';
import { figureTexts } from '../ir/quantity-text.ts';
import {
  type Replaced,
  type Savings,
  savedBy,
  type WeightedLayer,
  type WeightReadings,
  weightReadings,
} from './assess.ts';
import type { ConvLayer } from './conv-layer.ts';
import { exactRank } from './factorisation.ts';
import { figuresOf, replacementFigures } from './figures.ts';
import { leastLoss, mostSaving, type Option } from './knapsack.ts';
import { replacementKey } from './replacement.ts';
import type { ReplacementForm, SettledBetween, Strategy } from './strategies/strategy.ts';
import { type ModelCost, neededSaving, TARGET_METRICS, type Target } from './target.ts';

/** What the user asks for. */
export interface RewriteWish {
  readonly strategy: Strategy;
  readonly between: SettledBetween;
  /** `auto`: whatever rank is best for the layer. */
  readonly rank: number | 'auto';
  /** Share of a layer's energy that must be kept; 0 for any. */
  readonly minEnergy: number;
  readonly target: Target | null;
  /** Replacements are fitted to activations, which gives each a bias. */
  readonly fitted: boolean;
}

/** A convolution that can be replaced. */
export interface ReplaceableConv {
  readonly layer: ConvLayer;
  /** Null where the model has no weights that would tell. */
  readonly energyByRank: readonly number[] | null;
  /** Milliseconds that a rank saves; left out where no profile tells, null of a rank whose latency is not known. */
  readonly savedMs?: (rank: number) => number | null;
}

/** A convolution that will be replaced. */
export interface PlannedConv extends Replaced {
  readonly form: ReplacementForm;
  /** Null where the model has no weights that would tell. */
  readonly energy: number | null;
  readonly savedMs: number | null;
}

export interface RewritePlan {
  /** In the model's order. */
  readonly convs: readonly PlannedConv[];
  readonly saved: Savings;
  /** Sum over the replaced layers of the share of energy that is lost; null where the model has no weights. */
  readonly loss: number | null;
  /** The loss is above the least possible one by no more than this; null where nothing was to be chosen. */
  readonly excess: number | null;
}

/** Convolutions that read the same tensor of the file change together, and so do their ranks. */
interface RankOption extends Option {
  readonly rank: number;
  readonly convs: readonly PlannedConv[];
}

/**
 * Chooses layers and ranks: to meet the target at the least loss; without a target every convolution that can be
 * replaced, at the rank that is asked for or the lowest that keeps enough. `layers` are all of the model. Throws
 * `target-out-of-reach`, saying how far one can get.
 */
export function planRewrite(
  replaceable: readonly ReplaceableConv[],
  layers: readonly WeightedLayer[],
  wish: RewriteWish,
  cost: ModelCost,
): RewritePlan {
  const readings = weightReadings(layers);
  const items = unitsOf(replaceable).map((unit) => optionsOf(unit, readings, wish));
  if (wish.target === null) {
    return finish(
      items.map(([lowest]) => lowest ?? null),
      readings,
      null,
    );
  }
  const needed = neededSaving(wish.target, cost);
  const selection = leastLoss(items, Math.max(0, needed));
  if (selection) return finish(selection.taken, readings, selection.excess);
  throw outOfReach(items, wish.target, cost);
}

/** Points of the curve of saving against loss: each the least loss at which so much is saved. */
export interface CurvePoint {
  readonly macs: number;
  readonly loss: number;
  readonly layers: number;
}

const CURVE_POINTS = 8;

/** How the loss grows with the MACs saved, up to the most that can be saved. */
export function savingCurve(
  replaceable: readonly ReplaceableConv[],
  layers: readonly WeightedLayer[],
  strategy: Strategy,
): readonly CurvePoint[] {
  const wish = { strategy, between: 'none', rank: 'auto', minEnergy: 0, target: null, fitted: false } as const;
  const readings = weightReadings(layers);
  const items = unitsOf(replaceable).map((unit) => optionsOf(unit, readings, wish));
  const most = mostSaving(items).saving;
  return Array.from({ length: most > 0 ? CURVE_POINTS : 0 }, (_, index) => {
    const found = leastLoss(items, Math.floor((most * (index + 1)) / CURVE_POINTS)) ?? mostSaving(items);
    const replaced = found.taken.reduce((count, option) => count + (option?.convs.length ?? 0), 0);
    return { macs: found.saving, loss: found.loss, layers: replaced };
  });
}

function unitsOf(replaceable: readonly ReplaceableConv[]): readonly (readonly ReplaceableConv[])[] {
  const units = new Map<number, ReplaceableConv[]>();
  for (const conv of replaceable) {
    const key = conv.layer.weights[0]?.id ?? conv.layer.weightId ?? -1;
    const unit = units.get(key);
    if (unit) unit.push(conv);
    else units.set(key, [conv]);
  }
  return [...units.values()];
}

/**
 * The ranks at which a unit saves something and keeps enough, the lowest first. A rank that is asked for outright is
 * taken whether or not it saves anything; beyond its exact one a convolution stays at that.
 */
function optionsOf(
  unit: readonly ReplaceableConv[],
  readings: WeightReadings,
  wish: RewriteWish,
): readonly RankOption[] {
  const exact = unit.map(({ layer }) => exactRank(wish.strategy.slices(layer)));
  const most = Math.max(...exact);
  const [lowest, highest] = wish.rank === 'auto' ? [1, most] : [Math.min(wish.rank, most), Math.min(wish.rank, most)];
  const mustSave = wish.rank === 'auto' || wish.target !== null;
  const saving = TARGET_METRICS[wish.target?.metric ?? 'macs'].saving;
  const options: RankOption[] = [];
  for (let rank = lowest; rank <= highest; rank++) {
    const convs = unit.map((conv, index) => planned(conv, Math.min(rank, exact[index] ?? rank), wish));
    const saved = saving(savings(convs, readings)) ?? 0;
    const isEnough = convs.every(({ energy }) => (energy ?? 0) >= wish.minEnergy);
    if ((mustSave && saved <= 0) || !isEnough) continue;
    options.push({ rank, convs, saving: saved, loss: lossOf(convs) ?? 0 });
  }
  return options;
}

const lossOf = (convs: readonly PlannedConv[]): number | null =>
  convs.reduce<number | null>((sum, { energy }) => (sum === null || energy === null ? null : sum + 1 - energy), 0);

/** Milliseconds add up where all of them are known. */
function savings(convs: readonly PlannedConv[], readings: WeightReadings): Savings {
  const latencyMs = convs.reduce<number | null>(
    (sum, { savedMs }) => (sum === null || savedMs === null ? null : sum + savedMs),
    0,
  );
  return { ...savedBy(convs, readings), latencyMs };
}

function planned({ layer, energyByRank, savedMs }: ReplaceableConv, rank: number, wish: RewriteWish): PlannedConv {
  const form = { rank, between: wish.between, bias: wish.fitted };
  return {
    layer,
    form,
    energy: energyByRank && (energyByRank[rank - 1] ?? 1),
    savedMs: savedMs?.(rank) ?? null,
    before: figuresOf(layer),
    after: replacementFigures(layer, wish.strategy, form),
    key: replacementKey(layer, form),
  };
}

function finish(taken: readonly (RankOption | null)[], readings: WeightReadings, excess: number | null): RewritePlan {
  const convs = taken.flatMap((option) => option?.convs ?? []);
  return {
    convs: [...convs].sort((a, b) => a.layer.index - b.layer.index),
    saved: savings(convs, readings),
    loss: lossOf(convs),
    excess,
  };
}

function outOfReach(items: readonly (readonly RankOption[])[], target: Target, cost: ModelCost): DscAuditError {
  const { before: figureOf, unit } = TARGET_METRICS[target.metric];
  const before = figureOf(cost) ?? 0;
  const most = mostSaving(items);
  const [now, least] = figureTexts(before, before - most.saving, unit);
  const layers = most.taken.reduce((count, option) => count + (option?.convs.length ?? 0), 0);
  const percent = ((100 * most.saving) / (before || 1)).toFixed(1);
  return new DscAuditError(
    'target-out-of-reach',
    `The target ${target.text} cannot be met: with all ${layers} convolutions replaced that may be, ${target.metric} go down by ${percent} % at most, from ${now} to ${least}. Ask for less, or allow more (--rank, --min-energy, --include).`,
  );
}
