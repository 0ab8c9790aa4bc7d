/** Steps of a depthwise convolution: every output channel reads one input channel. */
import { wideWidthOf } from '../kernels/depthwise.ts';
import { BLOCK, PIXEL_BYTES } from '../kernels/kernel.ts';
import { biasOf, type ConvolutionLayer } from './convolution-layer.ts';
import { epilogueArguments } from './epilogue.ts';
import { packFilters } from './panels.ts';
import type { Place, ProgramBuilder } from './program.ts';
import { type Blocked, blocksOf, pixelPlace, planeBytes, planesOf, rowBytes } from './tensor.ts';

/** Appends the steps of y = act(depthwise(x)). */
export function planDepthwise(builder: ProgramBuilder, layer: ConvolutionLayer, x: Blocked, y: Blocked): void {
  builder.step(depthwiseKernelOf(layer), planesOf(y) * layer.outHeight, {
    input: pixelPlace(x, -layer.padTop, -layer.padLeft),
    output: pixelPlace(y, 0, 0),
    outputPlane: planeBytes(y),
    outputRow: rowBytes(y),
    height: layer.outHeight,
    ...depthwiseArguments(layer, x, depthwiseConstants(builder, layer)),
  });
}

export interface DepthwiseConstants {
  readonly weights: Place;
  readonly bias: Place;
}

export function depthwiseConstants(builder: ProgramBuilder, layer: ConvolutionLayer): DepthwiseConstants {
  const { outChannels } = layer;
  const taps = layer.kernelHeight * layer.kernelWidth;
  const weights = builder.constant(blocksOf(outChannels) * taps * BLOCK, () =>
    packFilters(layer.weights(), outChannels, taps),
  );
  return { weights, bias: biasOf(builder, layer) };
}

/** All but where a call reads and writes, and how many rows it computes. */
export function depthwiseArguments(layer: ConvolutionLayer, x: Blocked, constants: DepthwiseConstants) {
  return {
    ...constants,
    blocks: blocksOf(layer.outChannels),
    width: layer.outWidth,
    wideWidth: wideWidthOf(layer.outWidth),
    kernelHeight: layer.kernelHeight,
    kernelWidth: layer.kernelWidth,
    inputRow: rowBytes(x) * layer.strideY,
    inputPixel: PIXEL_BYTES * layer.strideX,
    tapRow: rowBytes(x) * layer.dilationY,
    tapColumn: PIXEL_BYTES * layer.dilationX,
    inputPlane: planeBytes(x),
    multiplier: layer.outChannels / layer.inChannels,
    ...epilogueArguments(layer.epilogue),
  };
}

type DepthwiseKernel = 'depthwise3' | 'depthwise3Stride2' | 'depthwise5' | 'depthwise5Stride2';

/** Kernels whose taps are unrolled, by kernel height and width and stride. */
const UNROLLED_DEPTHWISE: ReadonlyMap<string, DepthwiseKernel> = new Map([
  ['3,3,1', 'depthwise3'],
  ['3,3,2', 'depthwise3Stride2'],
  ['5,5,1', 'depthwise5'],
  ['5,5,2', 'depthwise5Stride2'],
] as const);

export function depthwiseKernelOf(layer: ConvolutionLayer) {
  if (layer.outChannels !== layer.inChannels) return 'depthwiseMultiplier';
  const window = `${layer.kernelHeight},${layer.kernelWidth},${layer.strideX}`;
  const unrolled = layer.dilationX === 1 ? UNROLLED_DEPTHWISE.get(window) : undefined;
  return unrolled ?? 'depthwise';
}
