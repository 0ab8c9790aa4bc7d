import type { WeightType } from '../ir/elements.ts';
import type { Node } from '../ir/graph.ts';

/** A convolution and the two that take its place, as plain data: what every format's writer needs. */
export interface ConvReplacement {
  readonly node: Node<'conv'>;
  /** In the order in which they run. The last has the original's bias. */
  readonly halves: readonly [ConvHalf, ConvHalf];
  /** What the first half's output goes through. */
  readonly between: BetweenHalves;
  /** Type of all that is new. */
  readonly dtype: WeightType;
  /** Replaces the bias, or adds one; null where it stays as it is. */
  readonly bias: Float64Array | null;
  /** Replacements of the same key have the same weights: they are stored once. */
  readonly weightKey: string;
  /** The weights of both halves. Computed when asked for, so that not all layers are in memory at once. Null where the model has none. */
  readonly weights: (() => readonly [Float64Array, Float64Array]) | null;
}

export interface ConvHalf {
  readonly part: 'depthwise' | 'pointwise';
  /** O, I/groups, spatial…. */
  readonly weightShape: readonly number[];
  readonly groups: number;
  /** It has the original's kernel, strides, pads and dilations; else its kernel is 1 everywhere. */
  readonly isSpatial: boolean;
}

export interface BetweenHalves {
  /** Of the first half, where it has one: what a folded batch normalisation leaves. */
  readonly bias: Float64Array | null;
  readonly norm: Norm | null;
  readonly relu: boolean;
}

/** Batch normalisation: (x − mean) / √(variance + ε) · scale + shift, a value of each a channel. */
export interface Norm {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  readonly epsilon: number;
}

/** The weights of a replacement that must have some. */
export function weightsOf({ weights, node }: ConvReplacement): readonly [Float64Array, Float64Array] {
  if (weights === null) throw new Error(`There are no weights for '${node.name}'.`);
  return weights();
}
