/** Steps of a convolution over depth, height and width. The slices of a volume are items of a tensor in blocks. */
import type { ConvolutionLayer } from './convolution-layer.ts';
import type { ConvolutionMethod } from './convolution-method.ts';
import { planDirect } from './direct.ts';
import type { PlanOptions } from './plan-options.ts';
import { at, type ProgramBuilder } from './program.ts';
import { type Blocked, itemBytes } from './tensor.ts';

/** A window along the depth of a volume. */
export interface DepthWindow {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padFront: number;
  readonly inDepth: number;
  readonly outDepth: number;
}

/** Whether every slice is a convolution of its own. */
export const isSliceBySlice = ({ kernel, stride, padFront, inDepth, outDepth }: DepthWindow): boolean =>
  kernel === 1 && stride === 1 && padFront === 0 && inDepth === outDepth;

/** Taps along the depth that lie within the volume, and the output slices next to each other that have the same ones. */
export interface DepthRun {
  readonly first: number;
  readonly count: number;
  readonly firstTap: number;
  readonly endTap: number;
}

function depthRuns({ kernel, stride, dilation, padFront, inDepth, outDepth }: DepthWindow): readonly DepthRun[] {
  const runs: DepthRun[] = [];
  for (let z = 0; z < outDepth; z++) {
    const start = z * stride - padFront;
    const firstTap = Math.min(kernel, Math.max(0, Math.ceil(-start / dilation)));
    const endTap = Math.max(firstTap, Math.min(kernel, Math.floor((inDepth - 1 - start) / dilation) + 1));
    const last = runs.at(-1);
    if (last && last.firstTap === firstTap && last.endTap === endTap) {
      runs[runs.length - 1] = { ...last, count: last.count + 1 };
    } else runs.push({ first: z, count: 1, firstTap, endTap });
  }
  return runs;
}

/** `count` slices from one on, as a tensor. */
const slicesOf = (tensor: Blocked, first: number, count: number): Blocked => ({
  ...tensor,
  items: count,
  place: at(tensor.place, first * itemBytes(tensor)),
});

/**
 * Appends y = act(conv(x) + residual). The layer's kernel is one slice of the window, with the halo of that; its weights
 * are those of the whole window: output channel, input channel of the group, z, y, x.
 */
export function planVolume(
  builder: ProgramBuilder,
  layer: ConvolutionLayer,
  depth: DepthWindow,
  method: ConvolutionMethod,
  x: Blocked,
  y: Blocked,
  residual: Blocked | null,
  options: PlanOptions,
): void {
  const slices = { rowsPerSlice: layer.kernelHeight, dilation: depth.dilation, stride: depth.stride };
  for (let item = 0; item < y.items / depth.outDepth; item++) {
    for (const { first, count, firstTap, endTap } of depthRuns(depth)) {
      const taps = endTap - firstTap;
      const window: ConvolutionLayer = {
        ...layer,
        kernelHeight: taps * layer.kernelHeight,
        weights: () => tapsOf(layer, depth.kernel, firstTap, endTap),
      };
      const from = item * depth.inDepth + first * depth.stride - depth.padFront + firstTap * depth.dilation;
      const to = item * depth.outDepth + first;
      planDirect(
        builder,
        window,
        method,
        slicesOf(x, from, count),
        slicesOf(y, to, count),
        residual && slicesOf(residual, to, count),
        options,
        slices,
      );
    }
  }
}

/** The weights of some of the taps along the depth. */
function tapsOf(layer: ConvolutionLayer, kernelDepth: number, firstTap: number, endTap: number): Float32Array {
  const weights = layer.weights();
  const slice = layer.kernelHeight * layer.kernelWidth;
  const filters = weights.length / (kernelDepth * slice);
  const part = (endTap - firstTap) * slice;
  const taken = new Float32Array(filters * part);
  for (let filter = 0; filter < filters; filter++) {
    const start = (filter * kernelDepth + firstTap) * slice;
    taken.set(weights.subarray(start, start + part), filter * part);
  }
  return taken;
}
