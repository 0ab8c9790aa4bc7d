import { BLOCK } from '../kernels/kernel.ts';
import { type Epilogue, LINEAR } from './epilogue.ts';
import { packChannels } from './panels.ts';
import type { Place, ProgramBuilder } from './program.ts';
import { blocksOf } from './tensor.ts';

/** A convolution over height and width with everything settled. Weights: output channel, input channel of the group, y, x. */
export interface ConvolutionLayer {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly groups: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly dilationY: number;
  readonly dilationX: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly outHeight: number;
  readonly outWidth: number;
  /** Computed when the program is loaded. */
  readonly weights: () => Float32Array;
  readonly bias: (() => Float32Array) | null;
  readonly epilogue: Epilogue;
}

/** A pointwise layer without bias and activation, but for its channels, extents and weights. */
export const POINTWISE = {
  groups: 1,
  kernelHeight: 1,
  kernelWidth: 1,
  strideY: 1,
  strideX: 1,
  dilationY: 1,
  dilationX: 1,
  padTop: 0,
  padLeft: 0,
  bias: null,
  epilogue: LINEAR,
} as const;

/** One value an output channel, in whole blocks; zeroes where there is no bias. */
export function biasOf(
  builder: ProgramBuilder,
  { bias, outChannels }: Pick<ConvolutionLayer, 'bias' | 'outChannels'>,
): Place {
  return builder.constant(blocksOf(outChannels) * BLOCK, () => packChannels(bias?.() ?? null, outChannels));
}
