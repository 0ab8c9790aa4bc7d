/** The table of kernels: one line each. */
import { argReduce } from './arg-reduce.ts';
import { binaryBlocked, binaryPlain } from './binary.ts';
import { copy } from './copy.ts';
import { depthwiseKernel, depthwiseMultiplier } from './depthwise.ts';
import { fill } from './fill.ts';
import { fillHalo } from './fill-halo.ts';
import { gatherChannels } from './gather-channels.ts';
import { gemmKernel } from './gemm.ts';
import { globalAveragePool, globalMaxPool } from './global-pool.ts';
import type { ArgumentTypes, Kernel } from './kernel.ts';
import { lrn } from './lrn.ts';
import { matmul } from './matmul.ts';
import { normaliseChannels, normaliseRows } from './normalise.ts';
import { pick } from './pick.ts';
import { averagePool, maxPool } from './pool.ts';
import { reduce } from './reduce.ts';
import { pack, unpack } from './repack.ts';
import { resize } from './resize.ts';
import { resizeCubic } from './resize-cubic.ts';
import { sequence } from './sequence.ts';
import { softmax } from './softmax.ts';
import { strassenInput, strassenOutput } from './strassen.ts';
import { unary } from './unary.ts';
import { winogradInput, winogradOutput } from './winograd.ts';

export const KERNELS = {
  gemm: gemmKernel({}),
  /** For a table an output block. */
  gemmNarrow: gemmKernel({ blocks: 1 }),
  /** For a single pixel: four panels of weights side by side keep the memory busy. */
  gemmPixel: gemmKernel({ pixels: 1, blocks: 4 }),
  /** For steps of the three channels of an image. */
  gemmImage: gemmKernel({ channelsPerStep: 3 }),
  /** For steps of one channel, where there are fewer than a block. */
  gemmSingle: gemmKernel({ channelsPerStep: 1 }),
  depthwise: depthwiseKernel(null),
  depthwise3: depthwiseKernel({ extent: 3, stride: 1 }),
  depthwise3Stride2: depthwiseKernel({ extent: 3, stride: 2 }),
  depthwise5: depthwiseKernel({ extent: 5, stride: 1 }),
  depthwise5Stride2: depthwiseKernel({ extent: 5, stride: 2 }),
  depthwiseMultiplier,
  winogradInput,
  winogradOutput,
  strassenInput,
  strassenOutput,
  unary,
  binaryBlocked,
  binaryPlain,
  maxPool,
  averagePool,
  globalAveragePool,
  globalMaxPool,
  pack,
  unpack,
  copy,
  pick,
  fill,
  fillHalo,
  gatherChannels,
  resize,
  resizeCubic,
  reduce,
  argReduce,
  softmax,
  normaliseRows,
  normaliseChannels,
  lrn,
  matmul,
  sequence,
} as const satisfies Record<string, Kernel<ArgumentTypes>>;

export type KernelName = keyof typeof KERNELS;

export const KERNEL_NAMES = Object.keys(KERNELS) as readonly KernelName[];

export type KernelArgumentTypes<K extends KernelName> = (typeof KERNELS)[K]['argumentTypes'];
