import type { BlockKind } from '../blocks/index.ts';
import type { ConvLayer } from '../conv-layer.ts';
import type { Factors, Slices } from '../factorisation.ts';

/** What a convolution costs. Parameters include its bias; MACs and FLOPs are null where an extent is not known. */
export interface ConvFigures {
  readonly params: number;
  readonly macs: number | null;
  readonly flops: number | null;
  readonly weightBytes: number;
}

/** What stands between the two halves of a replacement. */
export const BETWEEN = ['none', 'relu', 'bn-relu'] as const;

export type Between = (typeof BETWEEN)[number];

/** As it is written and counted: where BatchNorm is folded into the convolutions before it, all that it leaves is a bias. */
export type SettledBetween = Between | 'bias-relu';

/** How a convolution is replaced. */
export interface ReplacementForm {
  /** Depthwise filters a channel. */
  readonly rank: number;
  readonly between: SettledBetween;
  /** The replacement has a bias, whether or not the original has one. */
  readonly bias: boolean;
}

/** A convolution as one half of a replacement. Weights are O, I/groups, spatial…. */
export interface HalfConv {
  readonly outChannels: number;
  readonly inPerGroup: number;
  readonly groups: number;
  /** It has the original's kernel, strides, pads and dilations; else all of them are 1 (pads 0). */
  readonly isSpatial: boolean;
}

/** What of a convolution its replacement follows from. */
export type ConvShape = Pick<ConvLayer, 'inChannels' | 'outChannels' | 'kernel' | 'groups'>;

/** In the order in which strategies are compared. */
export type StrategyName = 'depthwise-separable' | 'pointwise-depthwise' | 'inverted-residual' | 'bottleneck';

/** A way to replace a convolution by two cheaper ones. */
export interface Strategy {
  readonly name: StrategyName;
  readonly replaces: 'convolution';
  /** The two halves in the order in which they run. */
  halves(conv: ConvShape, rank: number): readonly [HalfConv, HalfConv];
  /** How the weights fall apart: a slice for each channel that has kernels of its own. */
  slices(conv: ConvShape): Slices;
  /** The weights of both halves, in the same order, that have these terms. */
  assemble(conv: ConvShape, factors: Factors): readonly [Float64Array, Float64Array];
}

/**
 * What follows a new convolution: nothing; what `--between` puts there, with BatchNorm folded into a bias or not; the
 * bias, norm and activation that follow the first of the convolutions that go; or what follows the last of them, with
 * its activation or without.
 */
export type Closing = 'none' | 'relu' | 'bn-relu' | 'bias-relu' | 'as-first' | 'as-last' | 'as-last-linear';

/** A convolution that takes part in a replacement. */
export interface NewConv {
  readonly part: 'depthwise' | 'pointwise' | 'expand' | 'project' | 'reduce' | 'spatial' | 'restore';
  readonly inChannels: number;
  readonly outChannels: number;
  readonly groups: number;
  /** It has the kernel, strides, pads and dilations of what is replaced; else all of them are 1 (pads 0). */
  readonly isSpatial: boolean;
  readonly closing: Closing;
}

/** The ends of what is replaced: M channels come in, N go out. */
export interface BlockEnds {
  readonly inChannels: number;
  readonly outChannels: number;
}

/** A way to replace the convolutions of a block by others of another shape. Their weights have to be trained. */
export interface BlockStrategy {
  readonly name: StrategyName;
  readonly replaces: 'block';
  /** The ratio that it leaves open, as the option spells it. */
  readonly ratio: { readonly option: 'expansion' | 'reduction'; readonly default: number };
  /** Blocks that it makes something else of. */
  readonly kinds: ReadonlySet<BlockKind>;
  /** It also replaces a convolution that is in no block, or in one that is not a chain of convolutions. */
  readonly replacesSingle: boolean;
  /** The convolutions in the order in which they run. The last closes as the last of the replaced ones does. */
  convs(ends: BlockEnds, ratio: number): readonly NewConv[];
}

export type AnyStrategy = Strategy | BlockStrategy;
