/**
 * Steps of a pointwise layer by Strassen's matrix product: seven products of a quarter of the size instead of eight, and
 * again for each of those where that pays. Weights are constants, so that their sums cost nothing when the layer is run.
 */
import { BLOCK, PIXEL_BYTES } from '../kernels/kernel.ts';
import { biasOf, type ConvolutionLayer } from './convolution-layer.ts';
import { type Epilogue, epilogueArguments, LINEAR } from './epilogue.ts';
import { sharesOf } from './matrix-product.ts';
import { packStrassen } from './panels.ts';
import type { PlanOptions } from './plan-options.ts';
import { type AnyPlace, type Call, call, type Place, type ProgramBuilder, shifted } from './program.ts';
import { type Blocked, blocksOf, pixelPlace, planeBytes, rowBytes } from './tensor.ts';

/** Inputs, outputs and sums of the pixels that are computed together should stay in the second-level cache. */
const BLOCK_BYTES = 1024 * 1024;

/** Below so many pixels in a half the weights, which are more than for one product, are what takes the time. */
const MIN_PIXELS = 40;

/** How often the product is taken apart; 0 where the ordinary one is as fast. */
export function strassenDepth(
  { inChannels, outChannels, outHeight, outWidth }: ConvolutionLayer,
  { exact, variant: { strassenRatio } }: PlanOptions,
): number {
  if (exact || strassenRatio === null) return 0;
  let depth = 0;
  let [inputs, outputs, pixels] = [blocksOf(inChannels), blocksOf(outChannels), outHeight * outWidth];
  while (inputs % 2 === 0 && outputs % 2 === 0) {
    [inputs, outputs, pixels] = [inputs / 2, outputs / 2, pixels / 2];
    if (pixels < MIN_PIXELS || (inputs * outputs * BLOCK) / (inputs + outputs) < strassenRatio) break;
    depth += 1;
  }
  return depth;
}

/** A matrix of pixels by channels, in blocks of channels; pixels are counted through the rows of the image. */
interface Matrix {
  /** Pixel 0 of the first block, which need not be part of it. */
  readonly place: AnyPlace;
  readonly row: number;
  readonly plane: number;
}

interface Range {
  readonly first: number;
  readonly count: number;
}

/** output = act(input · weights + bias + residual) over some pixels. */
interface Product {
  readonly depth: number;
  readonly pixels: Range;
  readonly inBlocks: number;
  readonly outBlocks: number;
  readonly input: Matrix;
  readonly output: Matrix;
  readonly residual: Matrix | null;
  /** Panels, of all products that it comes down to, one behind the other. */
  readonly weights: Place;
  readonly bias: Place;
  readonly epilogue: Epilogue;
  /** Where its sums may lie. */
  readonly room: AnyPlace;
}

interface Shared {
  readonly width: number;
  readonly zeroes: Place;
  /** Where so many blocks of channels begin, planes of so many bytes apart. */
  readonly tableOf: (blocks: number, plane: number) => Place;
  readonly options: PlanOptions;
}

/** Appends the steps of y = act(pointwise(x) + residual). */
export function planStrassen(
  builder: ProgramBuilder,
  layer: ConvolutionLayer,
  x: Blocked,
  y: Blocked,
  residual: Blocked | null,
  options: PlanOptions,
): void {
  const depth = strassenDepth(layer, options);
  const [inBlocks, outBlocks] = [blocksOf(layer.inChannels), blocksOf(layer.outChannels)];
  const perBlock = pixelsPerBlock(y.height * y.width, inBlocks + outBlocks, depth);
  const weights = builder.constant(7 ** depth * ((inBlocks * outBlocks) / 4 ** depth) * BLOCK * BLOCK, () =>
    packStrassen(layer.weights(), layer.outChannels, layer.inChannels, depth),
  );
  const bias = biasOf(builder, layer);
  const shared = sharedOf(builder, y.width, outBlocks, options);
  const roomBytes = roomOf(depth, perBlock, inBlocks, outBlocks);
  const product = (pixels: Range, item: number, room: AnyPlace): Product => ({
    depth,
    pixels,
    inBlocks,
    outBlocks,
    input: matrixOf(x, item),
    output: matrixOf(y, item),
    residual: residual && matrixOf(residual, item),
    weights,
    bias,
    epilogue: layer.epilogue,
    room,
  });
  const blocks: { readonly pixels: Range; readonly item: number }[] = [];
  for (let item = 0; item < y.items; item++) {
    for (let first = 0; first < y.height * y.width; first += perBlock) {
      blocks.push({ pixels: { first, count: Math.min(perBlock, y.height * y.width - first) }, item });
    }
  }
  if (options.threads === 1 || blocks.length >= 2 * options.threads) {
    const alone = { ...shared, options: { ...options, threads: 1 } };
    builder.sequence({
      blocks: blocks.map(({ pixels, item }) => calls(product(pixels, item, { scratchBytes: 0 }), alone)),
      scratchBytes: roomBytes,
    });
    return;
  }
  for (const { pixels, item } of blocks) {
    for (const { kernel, units, words } of calls(product(pixels, item, builder.buffer(roomBytes)), shared)) {
      builder.append(kernel, units, words);
    }
  }
}

/** Tiles of the matrix kernel are of so many pixels, or of a number that divides it. */
const WHOLE_TILES = 12;

/** As many as fit the cache, evenly spread over the image, and whole tiles of the matrix kernel in every part. */
function pixelsPerBlock(pixels: number, blocks: number, depth: number): number {
  const fitting = Math.max(1, Math.floor(BLOCK_BYTES / (2 * blocks * PIXEL_BYTES)));
  const parts = Math.ceil(pixels / fitting);
  const multiple = WHOLE_TILES * 2 ** depth;
  return Math.min(pixels, Math.ceil(pixels / parts / multiple) * multiple);
}

const TILE = 4;

/** Pixels of the upper half: whole tiles where there are enough of them. */
const upperOf = (pixels: number): number => Math.ceil(pixels / 2 / TILE) * TILE;

/** Four sums of inputs, and four of products. */
function roomOf(depth: number, pixels: number, inBlocks: number, outBlocks: number): number {
  if (depth === 0) return 0;
  const upper = upperOf(pixels);
  const own = 2 * (inBlocks + outBlocks) * upper * PIXEL_BYTES;
  return own + roomOf(depth - 1, upper, inBlocks / 2, outBlocks / 2);
}

function sharedOf(builder: ProgramBuilder, width: number, outBlocks: number, options: PlanOptions): Shared {
  const tables = new Map<string, Place>();
  return {
    width,
    options,
    zeroes: builder.constant(outBlocks * BLOCK, () => new Float32Array(outBlocks * BLOCK)),
    tableOf: (blocks, plane) => {
      const key = `${blocks},${plane}`;
      const table =
        tables.get(key) ??
        builder.constant(blocks, () => Int32Array.from({ length: blocks }, (_, block) => block * plane));
      tables.set(key, table);
      return table;
    },
  };
}

const matrixOf = (tensor: Blocked, item: number): Matrix => ({
  place: pixelPlace(tensor, 0, 0, item),
  row: rowBytes(tensor),
  plane: planeBytes(tensor),
});

/** The channels from a block on. */
const fromBlock = (matrix: Matrix, block: number): Matrix => ({
  ...matrix,
  place: shifted(matrix.place, block * matrix.plane),
});

function calls(product: Product, shared: Shared): readonly Call[] {
  return product.depth === 0 ? [matrixCall(product, shared)] : takenApart(product, shared);
}

/** The halves of a product's extents, and where the sums of inputs and of products lie: matrices of the upper half's pixels. */
function halvesOf({ pixels, room, ...product }: Product, width: number) {
  const [inBlocks, outBlocks] = [product.inBlocks / 2, product.outBlocks / 2];
  const upper: Range = { first: pixels.first, count: Math.min(pixels.count, upperOf(pixels.count)) };
  const lower: Range = { first: upper.first + upper.count, count: pixels.count - upper.count };
  const plane = upper.count * PIXEL_BYTES;
  const [sumBytes, productBytes] = [inBlocks * plane, outBlocks * plane];
  /** A matrix of its own for the pixels of a half. */
  const temporary = (offset: number, { first }: Range): Matrix => ({
    place: shifted(room, offset - first * PIXEL_BYTES),
    row: width * PIXEL_BYTES,
    plane,
  });
  return {
    inBlocks,
    outBlocks,
    upper,
    lower,
    sumBytes,
    productBytes,
    /** S₁ to S₄. */
    sum: (index: number): Matrix => temporary((index - 1) * sumBytes, upper),
    partial: (index: number, half = upper): Matrix => temporary(4 * sumBytes + index * productBytes, half),
    /** What is left of the room for the products of these halves. */
    room: shifted(room, 4 * (sumBytes + productBytes)),
  };
}

type Halves = ReturnType<typeof halvesOf>;

function takenApart(product: Product, shared: Shared): readonly Call[] {
  const { depth, input, output, bias, epilogue } = product;
  const halves = halvesOf(product, shared.width);
  const { inBlocks, outBlocks, upper, lower, sum, partial, room } = halves;
  const [p1, u2, u3, p5] = [partial(0), partial(1), partial(2), partial(3)];
  const panelBytes = (7 ** (depth - 1) * inBlocks * outBlocks * BLOCK * PIXEL_BYTES) / 4 ** (depth - 1);
  const multiply = (index: number, half: Range, from: Matrix, to: Matrix, more: Partial<Product>): readonly Call[] =>
    calls(
      {
        depth: depth - 1,
        pixels: half,
        inBlocks,
        outBlocks,
        input: from,
        output: to,
        residual: null,
        weights: shifted(product.weights, index * panelBytes),
        bias: shared.zeroes,
        epilogue: LINEAR,
        room,
        ...more,
      },
      shared,
    );
  const right = fromBlock(output, outBlocks);
  const biasRight = shifted(bias, outBlocks * PIXEL_BYTES);
  return [
    inputSums(product, halves, shared.width),
    ...multiply(0, upper, input, p1, {}),
    ...multiply(1, upper, sum(2), u2, { residual: p1 }),
    ...multiply(2, upper, sum(3), u3, { residual: u2 }),
    ...multiply(3, upper, sum(1), p5, {}),
    productSums(product, halves, right, biasRight, shared.width),
    ...multiply(4, upper, sum(4), right, { residual: p5, bias: biasRight, epilogue }),
    ...multiply(5, lower, fromBlock(input, inBlocks), output, { residual: partial(2, lower), bias, epilogue }),
    ...multiply(6, upper, fromBlock(input, inBlocks), output, { residual: p1, bias, epilogue }),
  ];
}

/** S₁ to S₄, of the input's quarters. */
function inputSums(
  { pixels, input, room }: Product,
  { upper, lower, inBlocks, sumBytes }: Halves,
  width: number,
): Call {
  return call('strassenInput', inBlocks, {
    width,
    firstPixel: pixels.first,
    upper: upper.count,
    lower: lower.count,
    blocks: inBlocks,
    input: input.place,
    inputRow: input.row,
    inputPlane: input.plane,
    output: room,
    matrix: sumBytes,
  });
}

/** What the first products come to in the output's right half, and in the sums that the last ones go on from. */
/** C₂₂ of the output's quarters, and U₄ in place of P₅. */
function productSums(
  { pixels, residual, epilogue, room }: Product,
  { upper, lower, outBlocks, sumBytes, productBytes }: Halves,
  right: Matrix,
  bias: Place,
  width: number,
): Call {
  return call('strassenOutput', outBlocks, {
    width,
    firstPixel: pixels.first,
    upper: upper.count,
    lower: lower.count,
    blocks: outBlocks,
    sums: shifted(room, 4 * sumBytes),
    matrix: productBytes,
    output: right.place,
    outputRow: right.row,
    outputPlane: right.plane,
    bias,
    residual: residual?.place ?? 0,
    residualRow: residual?.row ?? 0,
    residualPlane: residual?.plane ?? 0,
    ...epilogueArguments(epilogue),
  });
}

function matrixCall(product: Product, { width, tableOf, options }: Shared): Call {
  const { pixels, inBlocks, outBlocks, input, output, residual } = product;
  const extents = { outputBlocks: outBlocks, pixels: pixels.count, items: 1, terms: inBlocks * BLOCK };
  // A last block of few pixels has no lower half: its calls are there, and compute nothing.
  const shares = pixels.count === 0 ? { units: 0, pixelsPerUnit: 0 } : sharesOf('gemm', extents, options);
  // Written out rather than spread over `ALONE`: there are thousands of these calls.
  return call('gemm', shares.units, {
    input: input.place,
    inputRow: input.row,
    inputPixel: PIXEL_BYTES,
    inputBatch: 0,
    output: output.place,
    outputRow: output.row,
    outputPixel: PIXEL_BYTES,
    outputBlock: output.plane,
    outputBatch: 0,
    width,
    weights: product.weights,
    weightsBatch: 0,
    bias: product.bias,
    table: tableOf(inBlocks, input.plane),
    tableBlock: 0,
    steps: inBlocks,
    outputBlocks: outBlocks,
    firstPixel: pixels.first,
    pixels: pixels.count,
    pixelsPerUnit: shares.pixelsPerUnit,
    residual: residual?.place ?? 0,
    residualRow: residual?.row ?? 0,
    residualPixel: PIXEL_BYTES,
    residualBlock: residual?.plane ?? 0,
    residualBatch: 0,
    ...epilogueArguments(product.epilogue),
  });
}
