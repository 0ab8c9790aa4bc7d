import type { ValueId } from '../ir/graph.ts';
import type { Weight } from '../passes/trace-weights.ts';
import type { ConvLayer } from './conv-layer.ts';
import { type LayerChoice, type RejectionReason, rejectionOf } from './eligibility.ts';
import { figuresOf, replacementFigures } from './figures.ts';
import { replacementKey } from './replacement.ts';
import type { ConvFigures, ReplacementForm, SettledBetween, Strategy } from './strategies/strategy.ts';

/** A convolution with what it costs now and what its replacement costs. */
export interface Replaced {
  readonly layer: ConvLayer;
  readonly before: ConvFigures;
  readonly after: ConvFigures;
  /** Replacements of the same key share their weights. */
  readonly key: string;
}

export interface RejectionVerdict {
  readonly layer: ConvLayer;
  readonly reason: RejectionReason;
}

/** Differences, as far as they are known. */
export interface Savings {
  readonly params: number;
  readonly macs: number;
  readonly flops: number;
  readonly weightBytes: number;
  /** Null where no profile tells it. */
  readonly latencyMs: number | null;
}

export interface Assessment {
  /** Ranked by MACs saved. */
  readonly candidates: readonly Replaced[];
  /** In the model's order. */
  readonly rejected: readonly RejectionVerdict[];
}

/** Gives every convolution its verdict under a strategy, counted with one depthwise filter a channel. Parameters and MACs shrink by the same ratio, bias aside. */
export function assess(
  layers: readonly ConvLayer[],
  strategy: Strategy,
  choice: LayerChoice,
  between: SettledBetween = 'none',
): Assessment {
  const form: ReplacementForm = { rank: 1, between, bias: false };
  const candidates: Replaced[] = [];
  const rejected: RejectionVerdict[] = [];
  for (const layer of layers) {
    const reason = rejectionOf(layer, choice);
    if (reason !== null) {
      rejected.push({ layer, reason });
      continue;
    }
    const before = figuresOf(layer);
    const after = replacementFigures(layer, strategy, form);
    if (after.params < before.params) candidates.push({ layer, before, after, key: replacementKey(layer, form) });
    else rejected.push({ layer, reason: 'no-saving' });
  }
  candidates.sort((a, b) => savedMacs(b) - savedMacs(a) || a.layer.index - b.layer.index);
  return { candidates, rejected };
}

const savedMacs = ({ before, after }: Replaced): number => difference(before.macs, after.macs);

/** What is not known saves nothing that one could count on. */
const difference = (before: number | null, after: number | null): number =>
  before === null || after === null ? 0 : before - after;

/** A layer, convolution or not, with the file's tensors that it reads as weights. */
export interface WeightedLayer {
  readonly weights: readonly Pick<Weight, 'id'>[];
}

/** How many readings each tensor of weights has. */
export type WeightReadings = ReadonlyMap<ValueId, number>;

export function weightReadings(layers: readonly WeightedLayer[]): WeightReadings {
  const readings = new Map<ValueId, number>();
  for (const { id } of layers.flatMap(({ weights }) => weights)) readings.set(id, (readings.get(id) ?? 0) + 1);
  return readings;
}

/**
 * What the whole model saves with these candidates replaced, as far as it is known. MACs and FLOPs are saved by each. A replacement's weights come once for each weight that is replaced,
 * however many convolutions share it; a tensor of the file goes only once all layers that read it are candidates: `readings` are those of the whole model.
 */
export function savedBy(candidates: readonly Replaced[], readings: WeightReadings): Savings {
  const converted = weightReadings(candidates.map(({ layer }) => layer));
  const replaced = new Set<string>();
  const dropped = new Set<ValueId>();
  const saved = { params: 0, macs: 0, flops: 0, weightBytes: 0, latencyMs: null };
  for (const { layer, before, after, key } of candidates) {
    saved.macs += difference(before.macs, after.macs);
    saved.flops += difference(before.flops, after.flops);
    for (const { id, elements, bytes } of layer.weights) {
      if (converted.get(id) !== readings.get(id) || dropped.has(id)) continue;
      dropped.add(id);
      saved.params += elements;
      saved.weightBytes += bytes;
    }
    if (replaced.has(key)) continue;
    replaced.add(key);
    // The bias stays with the half that comes last.
    saved.params -= after.params - (layer.bias ? layer.outChannels : 0);
    saved.weightBytes -= after.weightBytes - layer.biasBytes;
  }
  return saved;
}
