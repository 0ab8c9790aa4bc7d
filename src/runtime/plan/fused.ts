/**
 * A depthwise layer and the pointwise one behind it, a block of rows at a time: what the first computes is still in the
 * second-level cache when the other reads it, and is never a tensor of its own.
 */
import { wideWidthOf } from '../kernels/depthwise.ts';
import { BLOCK, PIXEL_BYTES } from '../kernels/kernel.ts';
import {
  blocksPerUnit,
  type ConvolutionLayer,
  depthwiseKernelOf,
  epilogueArguments,
  type PlanOptions,
  residualArguments,
} from './convolution.ts';
import { packChannels, packFilters, packMatrix } from './panels.ts';
import { type Call, call, type Place, type ProgramBuilder } from './program.ts';
import { type Blocked, blocksOf, itemBytes, pixelPlace, planeBytes, rowBytes } from './tensor.ts';

/** Depthwise output of one block: beside weights and outputs it stays in the second-level cache. */
const BLOCK_BYTES = 192 * 1024;

/** Rows of a block; the last may have fewer. */
export function fusedRows({ outChannels, outWidth }: ConvolutionLayer): number {
  return Math.max(1, Math.floor(BLOCK_BYTES / (blocksOf(outChannels) * outWidth * PIXEL_BYTES)));
}

/** Each block of rows reads all pointwise weights again: beyond this they would come from the third-level cache each time. */
const MAX_WEIGHT_BYTES = 128 * 1024;

/** A smaller depthwise output stays in the second-level cache by itself, and two whole layers are a little faster. */
const MIN_OUTPUT_BYTES = 1024 * 1024;

/** Worth it for a large depthwise output, at least two blocks for each thread, and weights that stay in the cache. */
export function canFuse(
  depthwise: ConvolutionLayer,
  pointwise: ConvolutionLayer,
  items: number,
  threads: number,
): boolean {
  const blocks = Math.ceil(depthwise.outHeight / fusedRows(depthwise));
  const outputBytes = blocksOf(depthwise.outChannels) * depthwise.outHeight * depthwise.outWidth * PIXEL_BYTES;
  const weightBytes = pointwise.inChannels * pointwise.outChannels * 4;
  const isShared = threads === 1 || blocks * items >= 2 * threads;
  return outputBytes >= MIN_OUTPUT_BYTES && weightBytes <= MAX_WEIGHT_BYTES && blocks > 1 && isShared;
}

interface Constants {
  readonly filters: Place;
  readonly filterBias: Place;
  readonly panels: Place;
  readonly panelBias: Place;
  /** Where the blocks of channels of so many rows begin. */
  readonly tableOf: (rows: number) => Place;
}

/** Appends y = act(pointwise(act(depthwise(x))) + residual); x has the depthwise layer's halo. */
export function planFused(
  builder: ProgramBuilder,
  depthwise: ConvolutionLayer,
  pointwise: ConvolutionLayer,
  x: Blocked,
  y: Blocked,
  residual: Blocked | null,
  options: PlanOptions,
): void {
  const rows = fusedRows(depthwise);
  const constants = constantsOf(builder, depthwise, pointwise);
  const blocks: (readonly Call[])[] = [];
  for (let item = 0; item < y.items; item++) {
    for (let first = 0; first < y.height; first += rows) {
      const block = { item, first, rows: Math.min(rows, y.height - first) };
      blocks.push([
        depthwiseCall(depthwise, constants, x, block),
        pointwiseCall(pointwise, constants, { y, residual }, block, options),
      ]);
    }
  }
  builder.sequence({
    blocks,
    scratchBytes: blocksOf(depthwise.outChannels) * rows * y.width * PIXEL_BYTES + PIXEL_BYTES,
  });
}

interface RowBlock {
  readonly item: number;
  readonly first: number;
  readonly rows: number;
}

function constantsOf(builder: ProgramBuilder, depthwise: ConvolutionLayer, pointwise: ConvolutionLayer): Constants {
  const taps = depthwise.kernelHeight * depthwise.kernelWidth;
  const blocks = blocksOf(depthwise.outChannels);
  const { inChannels, outChannels } = pointwise;
  const channels = (layer: ConvolutionLayer): Place =>
    builder.constant(blocksOf(layer.outChannels) * BLOCK, () =>
      packChannels(layer.bias?.() ?? null, layer.outChannels),
    );
  const tables = new Map<number, Place>();
  const table = (rows: number): Place =>
    builder.constant(blocks, () =>
      Int32Array.from({ length: blocks }, (_, block) => block * rows * depthwise.outWidth * PIXEL_BYTES),
    );
  return {
    filters: builder.constant(blocks * taps * BLOCK, () =>
      packFilters(depthwise.weights(), depthwise.outChannels, taps),
    ),
    filterBias: channels(depthwise),
    panels: builder.constant(blocksOf(outChannels) * blocks * BLOCK * BLOCK, () => {
      const matrix = pointwise.weights();
      return packMatrix(outChannels, inChannels, (out, input) => matrix[out * inChannels + input] ?? 0);
    }),
    panelBias: channels(pointwise),
    tableOf: (rows) => {
      const known = tables.get(rows) ?? table(rows);
      tables.set(rows, known);
      return known;
    },
  };
}

function depthwiseCall(
  layer: ConvolutionLayer,
  constants: Constants,
  x: Blocked,
  { item, first, rows }: RowBlock,
): Call {
  return call(depthwiseKernelOf(layer), blocksOf(layer.outChannels) * rows, {
    input: pixelPlace(x, first * layer.strideY - layer.padTop, -layer.padLeft, item),
    output: { scratchBytes: 0 },
    weights: constants.filters,
    bias: constants.filterBias,
    blocks: blocksOf(layer.outChannels),
    height: rows,
    width: layer.outWidth,
    wideWidth: wideWidthOf(layer.outWidth),
    kernelHeight: layer.kernelHeight,
    kernelWidth: layer.kernelWidth,
    inputRow: rowBytes(x) * layer.strideY,
    inputPixel: PIXEL_BYTES * layer.strideX,
    tapRow: rowBytes(x) * layer.dilationY,
    tapColumn: PIXEL_BYTES * layer.dilationX,
    inputPlane: planeBytes(x),
    outputPlane: rows * layer.outWidth * PIXEL_BYTES,
    outputRow: layer.outWidth * PIXEL_BYTES,
    multiplier: 1,
    ...epilogueArguments(layer.epilogue),
  });
}

function pointwiseCall(
  layer: ConvolutionLayer,
  constants: Constants,
  { y, residual }: { readonly y: Blocked; readonly residual: Blocked | null },
  { item, first, rows }: RowBlock,
  { variant }: PlanOptions,
): Call {
  const outputBlocks = blocksOf(layer.outChannels);
  const pixels = rows * y.width;
  return call('gemm', Math.ceil(outputBlocks / blocksPerUnit('gemm', variant)), {
    input: { scratchBytes: 0 },
    output: pixelPlace(y, first, 0, item),
    weights: constants.panels,
    bias: constants.panelBias,
    table: constants.tableOf(rows),
    steps: blocksOf(layer.inChannels),
    tableBlock: 0,
    outputBlocks,
    pixels,
    pixelsPerUnit: pixels,
    width: y.width,
    inputRow: y.width * PIXEL_BYTES,
    inputPixel: PIXEL_BYTES,
    inputBatch: 0,
    outputRow: rowBytes(y),
    outputPixel: PIXEL_BYTES,
    outputBlock: planeBytes(y),
    outputBatch: itemBytes(y),
    weightsBatch: 0,
    ...residualArguments(residual),
    residual: residual ? pixelPlace(residual, first, 0, item) : 0,
    ...epilogueArguments(layer.epilogue),
  });
}
