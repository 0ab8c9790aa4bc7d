import { byteSize } from '../ir/dtype.ts';
import { addExact, multiplyExact } from '../ir/exact.ts';
import type { ValueId } from '../ir/graph.ts';
import type { ConvLayer } from './conv-layer.ts';
import { type LayerChoice, type RejectionReason, rejectionOf } from './eligibility.ts';
import type { ConvFigures, Strategy } from './strategies/strategy.ts';

/** A convolution that could be replaced, with what that changes. */
export interface CandidateVerdict {
  readonly layer: ConvLayer;
  readonly before: ConvFigures;
  readonly after: ConvFigures;
}

export interface RejectionVerdict {
  readonly layer: ConvLayer;
  readonly reason: RejectionReason;
}

/** Differences, all known. */
export interface Savings {
  readonly params: number;
  readonly macs: number;
  readonly flops: number;
  readonly weightBytes: number;
}

export interface Assessment {
  /** Ranked by MACs saved. */
  readonly candidates: readonly CandidateVerdict[];
  /** In the model's order. */
  readonly rejected: readonly RejectionVerdict[];
}

/** Gives every convolution its verdict under a strategy. Parameters and MACs shrink by the same ratio, bias aside. */
export function assess(layers: readonly ConvLayer[], strategy: Strategy, choice: LayerChoice): Assessment {
  const candidates: CandidateVerdict[] = [];
  const rejected: RejectionVerdict[] = [];
  for (const layer of layers) {
    const reason = rejectionOf(layer, choice);
    if (reason !== null) {
      rejected.push({ layer, reason });
      continue;
    }
    const before = figuresOf(layer);
    const after = strategy.after(layer);
    if (after.params < before.params) candidates.push({ layer, before, after });
    else rejected.push({ layer, reason: 'no-saving' });
  }
  candidates.sort((a, b) => savedMacs(b) - savedMacs(a) || a.layer.index - b.layer.index);
  return { candidates, rejected };
}

/** N·M·∏k weights and the bias. */
function figuresOf(layer: ConvLayer): ConvFigures {
  const { inChannels, outChannels, kernel, bias, biasBytes, macs, flops, weightType } = layer;
  const weights = multiplyExact(inChannels, outChannels, ...kernel);
  return {
    params: addExact(weights, bias ? outChannels : 0),
    macs,
    flops,
    weightBytes: addExact(byteSize(weightType ?? 'float32', weights), biasBytes),
  };
}

const savedMacs = ({ before, after }: CandidateVerdict): number => difference(before.macs, after.macs);

/** What is not known saves nothing that one could count on. */
const difference = (before: number | null, after: number | null): number =>
  before === null || after === null ? 0 : before - after;

/**
 * What the whole model saves with these candidates replaced, as far as it is known. MACs and FLOPs are saved by each. A replacement's weights come once for each weight that is replaced,
 * however many convolutions share it; a tensor of the file goes only once all convolutions that read it are candidates.
 */
export function savedBy(candidates: readonly CandidateVerdict[], layers: readonly ConvLayer[]): Savings {
  const converted = new Set(candidates.map(({ layer }) => layer.index));
  const kept = new Set(
    layers.filter(({ index }) => !converted.has(index)).flatMap(({ weights }) => weights.map(({ id }) => id)),
  );
  const replaced = new Set<ValueId | null>();
  const dropped = new Set<ValueId>();
  const saved = { params: 0, macs: 0, flops: 0, weightBytes: 0 };
  for (const { layer, before, after } of candidates) {
    saved.macs += difference(before.macs, after.macs);
    saved.flops += difference(before.flops, after.flops);
    for (const { id, elements, bytes } of layer.weights) {
      if (kept.has(id) || dropped.has(id)) continue;
      dropped.add(id);
      saved.params += elements;
      saved.weightBytes += bytes;
    }
    if (replaced.has(layer.weightId)) continue;
    replaced.add(layer.weightId);
    // The bias stays with the pointwise half.
    saved.params -= after.params - (layer.bias ? layer.outChannels : 0);
    saved.weightBytes -= after.weightBytes - layer.biasBytes;
  }
  return saved;
}
