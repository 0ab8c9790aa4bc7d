/**
 * A depthwise layer and the pointwise one behind it, a block of rows at a time: what the first computes is still in the
 * second-level cache when the other reads it, and is never a tensor of its own.
 */
import { BLOCK, PIXEL_BYTES } from '../kernels/kernel.ts';
import { biasOf, type ConvolutionLayer } from './convolution-layer.ts';
import { type DepthwiseConstants, depthwiseArguments, depthwiseConstants, depthwiseKernelOf } from './depthwise.ts';
import { packPointwise } from './direct.ts';
import { epilogueArguments } from './epilogue.ts';
import { ALONE, blocksPerUnit, residualArguments, writtenTo } from './matrix-product.ts';
import type { PlanOptions } from './plan-options.ts';
import { type Call, call, type Place, type ProgramBuilder } from './program.ts';
import { type Blocked, blocksOf, pixelPlace } from './tensor.ts';

/** Depthwise output of one block: beside weights and outputs it stays in the second-level cache. */
const BLOCK_BYTES = 192 * 1024;

/** Rows of a block; the last may have fewer. */
function fusedRows({ outChannels, outWidth }: ConvolutionLayer): number {
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
  readonly depthwise: DepthwiseConstants;
  readonly pointwise: { readonly weights: Place; readonly bias: Place };
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
  const blocks = blocksOf(depthwise.outChannels);
  const tables = new Map<number, Place>();
  const table = (rows: number): Place =>
    builder.constant(blocks, () =>
      Int32Array.from({ length: blocks }, (_, block) => block * rows * depthwise.outWidth * PIXEL_BYTES),
    );
  return {
    depthwise: depthwiseConstants(builder, depthwise),
    pointwise: {
      weights: builder.constant(blocksOf(pointwise.outChannels) * blocks * BLOCK * BLOCK, () =>
        packPointwise(pointwise),
      ),
      bias: biasOf(builder, pointwise),
    },
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
  const outputRow = layer.outWidth * PIXEL_BYTES;
  return call(depthwiseKernelOf(layer), blocksOf(layer.outChannels) * rows, {
    input: pixelPlace(x, first * layer.strideY - layer.padTop, -layer.padLeft, item),
    output: { scratchBytes: 0 },
    outputPlane: rows * outputRow,
    outputRow,
    height: rows,
    ...depthwiseArguments(layer, x, constants.depthwise),
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
    ...ALONE,
    input: { scratchBytes: 0 },
    inputRow: y.width * PIXEL_BYTES,
    inputPixel: PIXEL_BYTES,
    ...writtenTo(y),
    output: pixelPlace(y, first, 0, item),
    ...constants.pointwise,
    table: constants.tableOf(rows),
    steps: blocksOf(layer.inChannels),
    outputBlocks,
    pixels,
    pixelsPerUnit: pixels,
    ...residualArguments(residual),
    residual: residual ? pixelPlace(residual, first, 0, item) : 0,
    ...epilogueArguments(layer.epilogue),
  });
}
