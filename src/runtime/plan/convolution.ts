/** Which kernel computes a convolution, what it needs around its input, and its steps. */
import { wideWidthOf } from '../kernels/depthwise.ts';
import type { KernelVariant } from '../kernels/kernel.ts';
import { BLOCK, NO_ACTIVATION, PIXEL_BYTES } from '../kernels/kernel.ts';
import { type RuntimeUnary, unaryCode } from '../kernels/unary-functions.ts';
import { planWinograd, winogradHalo } from './convolution-winograd.ts';
import { packChannels, packFilters, packMatrix, packPanels, type Term } from './panels.ts';
import type { KernelArguments, ProgramBuilder } from './program.ts';
import {
  type Blocked,
  blocksOf,
  type Extents,
  type Halo,
  itemBytes,
  pixelPlace,
  planeBytes,
  planesOf,
  rowBytes,
} from './tensor.ts';

/** What is applied to a sum before it is stored. */
export interface Epilogue {
  readonly low: number;
  readonly high: number;
  readonly activation: RuntimeUnary | null;
  readonly alpha: number;
  readonly beta: number;
}

export const LINEAR: Epilogue = {
  low: Number.NEGATIVE_INFINITY,
  high: Number.POSITIVE_INFINITY,
  activation: null,
  alpha: 0,
  beta: 0,
};

export const epilogueArguments = ({ low, high, activation, alpha, beta }: Epilogue) => ({
  low,
  high,
  activation: activation === null ? NO_ACTIVATION : unaryCode(activation),
  alpha,
  beta,
});

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

export type ConvolutionMethod =
  | 'pointwise'
  | 'direct'
  | 'direct-image'
  | 'grouped'
  | 'depthwise'
  | 'depthwise-multiplier'
  | 'winograd-4x4';

export interface PlanOptions {
  readonly variant: KernelVariant;
  readonly threads: number;
  /** Only kernels that sum the products themselves: no Winograd. */
  readonly exact: boolean;
}

/** Winograd saves products and adds transforms: below this many channels they cost more than they save. */
const WINOGRAD_MIN_CHANNELS = 16;

export function chooseMethod(layer: ConvolutionLayer, exact: boolean): ConvolutionMethod {
  const { inChannels, outChannels, groups } = layer;
  if (groups > 1 && groups === inChannels) return outChannels === inChannels ? 'depthwise' : 'depthwise-multiplier';
  if (groups > 1)
    return (inChannels / groups) % BLOCK === 0 && (outChannels / groups) % BLOCK === 0 ? 'direct' : 'grouped';
  const taps = layer.kernelHeight * layer.kernelWidth;
  if (!exact && isWinograd(layer)) return 'winograd-4x4';
  if (inChannels < BLOCK && taps > 1) return 'direct-image';
  return taps === 1 ? 'pointwise' : 'direct';
}

const isWinograd = (layer: ConvolutionLayer): boolean =>
  layer.kernelHeight === 3 &&
  layer.kernelWidth === 3 &&
  layer.strideY === 1 &&
  layer.strideX === 1 &&
  layer.dilationY === 1 &&
  layer.dilationX === 1 &&
  layer.inChannels >= WINOGRAD_MIN_CHANNELS &&
  layer.outChannels >= WINOGRAD_MIN_CHANNELS &&
  layer.outHeight >= 3 &&
  layer.outWidth >= 3;

/** Zeroes that the method reads around an input of these extents. */
export function haloOf(layer: ConvolutionLayer, method: ConvolutionMethod, input: Extents): Halo {
  if (method === 'winograd-4x4') return winogradHalo(layer, input);
  const reach = (outputs: number, stride: number, kernel: number, dilation: number): number =>
    (outputs - 1) * stride + (kernel - 1) * dilation + 1;
  const rows = reach(layer.outHeight, layer.strideY, layer.kernelHeight, layer.dilationY);
  const columns = reach(layer.outWidth, layer.strideX, layer.kernelWidth, layer.dilationX);
  return {
    top: Math.max(0, layer.padTop),
    left: Math.max(0, layer.padLeft),
    bottom: Math.max(0, rows - layer.padTop - input.height),
    right: Math.max(0, columns - layer.padLeft - input.width),
  };
}

/** Appends the steps of y = act(conv(x) + residual). x has the halo of `haloOf`. */
export function planConvolution(
  builder: ProgramBuilder,
  layer: ConvolutionLayer,
  method: ConvolutionMethod,
  x: Blocked,
  y: Blocked,
  residual: Blocked | null,
  options: PlanOptions,
): void {
  if (method === 'depthwise' || method === 'depthwise-multiplier') planDepthwise(builder, layer, x, y);
  else if (method === 'winograd-4x4') planWinograd(builder, layer, x, y, residual, options);
  else planMatrix(builder, layer, method, x, y, residual, options);
}

const biasOf = (builder: ProgramBuilder, { bias, outChannels }: ConvolutionLayer) =>
  builder.constant(blocksOf(outChannels) * BLOCK, () => packChannels(bias?.() ?? null, outChannels));

function planDepthwise(builder: ProgramBuilder, layer: ConvolutionLayer, x: Blocked, y: Blocked): void {
  const taps = layer.kernelHeight * layer.kernelWidth;
  builder.step(depthwiseKernelOf(layer), planesOf(y) * layer.outHeight, {
    input: pixelPlace(x, -layer.padTop, -layer.padLeft),
    output: pixelPlace(y, 0, 0),
    weights: builder.constant(blocksOf(layer.outChannels) * taps * BLOCK, () =>
      packFilters(layer.weights(), layer.outChannels, taps),
    ),
    bias: biasOf(builder, layer),
    blocks: blocksOf(layer.outChannels),
    height: layer.outHeight,
    width: layer.outWidth,
    wideWidth: wideWidthOf(layer.outWidth),
    kernelHeight: layer.kernelHeight,
    kernelWidth: layer.kernelWidth,
    inputRow: rowBytes(x) * layer.strideY,
    inputPixel: PIXEL_BYTES * layer.strideX,
    tapRow: rowBytes(x) * layer.dilationY,
    tapColumn: PIXEL_BYTES * layer.dilationX,
    inputPlane: planeBytes(x),
    outputPlane: planeBytes(y),
    outputRow: rowBytes(y),
    multiplier: layer.outChannels / layer.inChannels,
    ...epilogueArguments(layer.epilogue),
  });
}

/** Kernels whose taps are unrolled, by kernel height and width and stride. */
const UNROLLED_DEPTHWISE = {
  '3,3,1': 'depthwise3',
  '3,3,2': 'depthwise3Stride2',
  '5,5,1': 'depthwise5',
  '5,5,2': 'depthwise5Stride2',
} as const;

export function depthwiseKernelOf(layer: ConvolutionLayer) {
  if (layer.outChannels !== layer.inChannels) return 'depthwiseMultiplier';
  const key = `${layer.kernelHeight},${layer.kernelWidth},${layer.strideX}`;
  if (layer.dilationX === 1 && Object.hasOwn(UNROLLED_DEPTHWISE, key)) {
    return UNROLLED_DEPTHWISE[key as keyof typeof UNROLLED_DEPTHWISE];
  }
  return 'depthwise';
}

/** The terms of an output block in the kernel's order, and where each step reads. */
interface Sum {
  readonly kernel: 'gemm' | 'gemmNarrow' | 'gemmPixel' | 'gemmImage' | 'gemmSingle';
  readonly channelsPerStep: number;
  readonly stepsOf: (block: number) => readonly Term[];
  /** Each output block has its own table. */
  readonly perBlock: boolean;
}

function planMatrix(
  builder: ProgramBuilder,
  layer: ConvolutionLayer,
  method: ConvolutionMethod,
  x: Blocked,
  y: Blocked,
  residual: Blocked | null,
  options: PlanOptions,
): void {
  const sum = sumOf(layer, method);
  const { channelsPerStep, stepsOf, perBlock } = sum;
  const outputBlocks = blocksOf(layer.outChannels);
  const steps = stepsOf(0).length;
  const offsetOf = ({ channel, ky, kx }: Term): number =>
    Math.floor(channel / BLOCK) * planeBytes(x) +
    (channel % BLOCK) * 4 +
    ky * layer.dilationY * rowBytes(x) +
    kx * layer.dilationX * PIXEL_BYTES;
  const tables = Array.from({ length: perBlock ? outputBlocks : 1 }, (_, block) => stepsOf(block).map(offsetOf)).flat();
  const termsOf = (block: number): readonly Term[] =>
    stepsOf(block).flatMap(({ channel, ky, kx }) =>
      Array.from({ length: channelsPerStep }, (_, lane) => ({ channel: channel + lane, ky, kx })),
    );
  const weights = builder.constant(outputBlocks * steps * channelsPerStep * BLOCK, () =>
    method === 'pointwise'
      ? packPointwise(layer)
      : packPanels(
          layer.weights(),
          { ...layer, inChannels: layer.inChannels / layer.groups },
          layer.groups,
          memoise(termsOf),
        ),
  );
  const shared = {
    weights,
    bias: biasOf(builder, layer),
    table: builder.constant(tables.length, () => Int32Array.from(tables)),
    steps,
    tableBlock: perBlock ? steps * 4 : 0,
    inputRow: rowBytes(x) * layer.strideY,
    inputPixel: PIXEL_BYTES * layer.strideX,
    input: pixelPlace(x, -layer.padTop, -layer.padLeft),
  };
  planGemm(
    builder,
    y,
    residual,
    layer.epilogue,
    { ...shared, inputBatch: itemBytes(x), weightsBatch: 0 },
    sum,
    options,
  );
}

function packPointwise({ weights, inChannels, outChannels }: ConvolutionLayer): Float32Array {
  const matrix = weights();
  return packMatrix(outChannels, inChannels, (out, input) => matrix[out * inChannels + input] ?? 0);
}

function memoise<T>(compute: (block: number) => T): (block: number) => T {
  const known = new Map<number, T>();
  return (block) => {
    const value = known.get(block) ?? compute(block);
    known.set(block, value);
    return value;
  };
}

function sumOf(layer: ConvolutionLayer, method: ConvolutionMethod): Sum {
  const taps: { ky: number; kx: number }[] = [];
  for (let ky = 0; ky < layer.kernelHeight; ky++) {
    for (let kx = 0; kx < layer.kernelWidth; kx++) taps.push({ ky, kx });
  }
  const over = (first: number, end: number, step: number): readonly Term[] => {
    const terms: Term[] = [];
    for (let channel = first; channel < end; channel += step) terms.push(...taps.map((tap) => ({ channel, ...tap })));
    return terms;
  };
  if (method === 'direct-image') {
    const isColour = layer.inChannels === 3;
    const steps = over(0, layer.inChannels, isColour ? 3 : 1);
    const kernel = isColour ? 'gemmImage' : 'gemmSingle';
    return { kernel, channelsPerStep: isColour ? 3 : 1, stepsOf: () => steps, perBlock: false };
  }
  if (layer.groups === 1) {
    const steps = over(0, layer.inChannels, BLOCK);
    const isPixel = layer.outHeight * layer.outWidth === 1;
    return { kernel: isPixel ? 'gemmPixel' : 'gemm', channelsPerStep: BLOCK, stepsOf: () => steps, perBlock: false };
  }
  return groupedSum(layer, over);
}

/** An output block reads the input blocks that its groups touch; all tables are as long as the longest. */
function groupedSum(layer: ConvolutionLayer, over: (first: number, end: number, step: number) => readonly Term[]): Sum {
  const perGroup = layer.inChannels / layer.groups;
  const outPerGroup = layer.outChannels / layer.groups;
  const outputBlocks = blocksOf(layer.outChannels);
  const inputBlocks = blocksOf(layer.inChannels);
  const rangeOf = (block: number): { first: number; end: number } => {
    const lastOut = Math.min(layer.outChannels, (block + 1) * BLOCK) - 1;
    const first = Math.floor((Math.floor((block * BLOCK) / outPerGroup) * perGroup) / BLOCK);
    const end = Math.ceil(((Math.floor(lastOut / outPerGroup) + 1) * perGroup) / BLOCK);
    return { first, end };
  };
  const ranges = Array.from({ length: outputBlocks }, (_, block) => rangeOf(block));
  const length = Math.max(...ranges.map(({ first, end }) => end - first));
  const stepsOf = (block: number): readonly Term[] => {
    const first = Math.max(0, Math.min(ranges[block]?.first ?? 0, inputBlocks - length));
    return over(first * BLOCK, (first + length) * BLOCK, BLOCK);
  };
  return { kernel: 'gemmNarrow', channelsPerStep: BLOCK, stepsOf: memoise(stepsOf), perBlock: true };
}

type GemmInput = Pick<
  KernelArguments<'gemm'>,
  'input' | 'weights' | 'bias' | 'table' | 'tableBlock' | 'inputRow' | 'inputPixel' | 'inputBatch' | 'weightsBatch'
> & { readonly steps: number };

/** The pixels of one unit of work take this many bytes of input: with weights and outputs they fit the second-level cache. */
const UNIT_INPUT_BYTES = 512 * 1024;

/** Units a thread, so that the last ones to finish differ little. */
const UNITS_PER_THREAD = 6;

/** Appends one matrix product over all items of y. */
export function planGemm(
  builder: ProgramBuilder,
  y: Blocked,
  residual: Blocked | null,
  epilogue: Epilogue,
  input: GemmInput,
  { kernel, channelsPerStep }: Pick<Sum, 'kernel' | 'channelsPerStep'>,
  options: PlanOptions,
): void {
  const outputBlocks = blocksOf(y.channels);
  const pixels = y.height * y.width;
  const groups = Math.ceil(outputBlocks / blocksPerUnit(kernel, options.variant));
  const pixelsPerUnit = unitPixels(pixels, input.steps * channelsPerStep * 4, groups * y.items, options);
  builder.step(kernel, y.items * groups * Math.ceil(pixels / pixelsPerUnit), {
    ...input,
    output: pixelPlace(y, 0, 0),
    outputBlocks,
    pixels,
    pixelsPerUnit,
    width: y.width,
    outputRow: rowBytes(y),
    outputPixel: PIXEL_BYTES,
    outputBlock: planeBytes(y),
    outputBatch: itemBytes(y),
    ...residualArguments(residual),
    ...epilogueArguments(epilogue),
  });
}

export function residualArguments(residual: Blocked | null) {
  return {
    residual: residual ? pixelPlace(residual, 0, 0) : 0,
    residualRow: residual ? rowBytes(residual) : 0,
    residualPixel: residual ? PIXEL_BYTES : 0,
    residualBlock: residual ? planeBytes(residual) : 0,
    residualBatch: residual ? itemBytes(residual) : 0,
  };
}

export const blocksPerUnit = (kernel: Sum['kernel'], variant: KernelVariant): number =>
  kernel === 'gemmPixel' ? 4 : kernel === 'gemmNarrow' ? 1 : variant.tile.blocks;

/** A multiple of the tile's height, small enough for the cache and for every thread to get its share. */
export function unitPixels(
  pixels: number,
  bytesPerPixel: number,
  groups: number,
  { threads, variant }: PlanOptions,
): number {
  const tile = variant.tile.pixels * 2;
  const byCache = Math.max(1, Math.floor(UNIT_INPUT_BYTES / bytesPerPixel / tile)) * tile;
  if (threads === 1) return Math.min(pixels, byCache);
  const parts = Math.ceil((UNITS_PER_THREAD * threads) / groups);
  const byShare = Math.max(1, Math.ceil(pixels / parts / tile)) * tile;
  return Math.min(pixels, byCache, byShare);
}
