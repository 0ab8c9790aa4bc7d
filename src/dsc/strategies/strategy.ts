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

/** A way to replace a convolution by two cheaper ones. */
export interface Strategy {
  readonly name: string;
  /** The two halves in the order in which they run. */
  halves(conv: ConvShape, rank: number): readonly [HalfConv, HalfConv];
  /** How the weights fall apart: a slice for each channel that has kernels of its own. */
  slices(conv: ConvShape): Slices;
  /** The weights of both halves, in the same order, that have these terms. */
  assemble(conv: ConvShape, factors: Factors): readonly [Float64Array, Float64Array];
}
