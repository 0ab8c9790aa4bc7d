import { byteSize } from '../ir/dtype.ts';
import { addExact, multiplyExact } from '../ir/exact.ts';
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
  /** What the whole model saves with every candidate replaced, as far as it is known. */
  readonly saved: Savings;
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
  return { candidates, rejected, saved: savedByAll(candidates, layers) };
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
 * MACs and FLOPs are saved by each candidate. A weight that several convolutions share is saved once, and only if all
 * of them are candidates: else it stays, and the new weights come on top.
 */
function savedByAll(candidates: readonly CandidateVerdict[], layers: readonly ConvLayer[]): Savings {
  const converted = new Set(candidates.map(({ layer }) => layer.index));
  const kept = new Set(layers.filter(({ index }) => !converted.has(index)).map(weightKey));
  const replaced = new Set<string>();
  let saved: Savings = { params: 0, macs: 0, flops: 0, weightBytes: 0 };
  for (const { layer, before, after } of candidates) {
    const key = weightKey(layer);
    const isNew = key === '' || !replaced.has(key);
    const drops = key === '' || !kept.has(key);
    replaced.add(key);
    const bias = layer.bias ? layer.outChannels : 0;
    saved = {
      macs: saved.macs + difference(before.macs, after.macs),
      flops: saved.flops + difference(before.flops, after.flops),
      params: saved.params + (isNew ? (drops ? before.params : bias) - after.params : 0),
      weightBytes: saved.weightBytes + (isNew ? (drops ? before.weightBytes : layer.biasBytes) - after.weightBytes : 0),
    };
  }
  return saved;
}

/** Convolutions that share their weight have the same key; without a tensor in the file there is none. */
function weightKey({ weights }: ConvLayer): string {
  return weights.map(({ id }) => id).join(',');
}
