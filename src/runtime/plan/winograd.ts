/** Steps of a 3×3 convolution by Winograd's minimal filtering. */
import { BLOCK, PIXEL_BYTES } from '../kernels/kernel.ts';
import { WINOGRAD_TILE } from '../kernels/winograd.ts';
import { biasOf, type ConvolutionLayer } from './convolution-layer.ts';
import { epilogueArguments } from './epilogue.ts';
import { ALONE, blocksPerUnit, residualArguments } from './matrix-product.ts';
import { packWinograd } from './panels.ts';
import type { PlanOptions } from './plan-options.ts';
import { type Argument, type Call, call, type Place, type ProgramBuilder, type ScratchPlace } from './program.ts';
import { type Blocked, blocksOf, type Extents, type Halo, pixelPlace, planeBytes, rowBytes } from './tensor.ts';

const MATRICES = 36;

/** Added to the stride between matrices: at a power of two all 36 would meet in the same sets of the cache. */
const STRIDE_PADDING_BYTES = 192;

/** Both transforms of a block of tiles should stay in the second-level cache beside the weights that pass by. */
const BLOCK_BYTES = 640 * 1024;

const tilesOf = (extent: number): number => Math.ceil(extent / WINOGRAD_TILE);

/** Whole tiles are read, with a border of one pixel. */
export function winogradHalo(layer: ConvolutionLayer, input: Extents): Halo {
  const reach = (outputs: number): number => tilesOf(outputs) * WINOGRAD_TILE + 2;
  return {
    top: layer.padTop,
    left: layer.padLeft,
    bottom: Math.max(0, reach(layer.outHeight) - layer.padTop - input.height),
    right: Math.max(0, reach(layer.outWidth) - layer.padLeft - input.width),
  };
}

/** The three calls of one block of tiles, over memory of a thread's own or of all. */
interface TileBlock {
  readonly item: number;
  readonly firstTile: number;
  readonly tiles: number;
}

export function planWinograd(
  builder: ProgramBuilder,
  layer: ConvolutionLayer,
  x: Blocked,
  y: Blocked,
  residual: Blocked | null,
  options: PlanOptions,
): void {
  const inBlocks = blocksOf(layer.inChannels);
  const outBlocks = blocksOf(layer.outChannels);
  const tiles = tilesOf(y.height) * tilesOf(y.width);
  const perBlock = tilesPerBlock(tiles, inBlocks + outBlocks);
  const constants = constantsOf(builder, layer, perBlock);
  const blocks: TileBlock[] = [];
  for (let item = 0; item < y.items; item++) {
    for (let firstTile = 0; firstTile < tiles; firstTile += perBlock) {
      blocks.push({ item, firstTile, tiles: Math.min(perBlock, tiles - firstTile) });
    }
  }
  const memory = memoryOf(inBlocks, outBlocks, perBlock);
  const describe = (block: TileBlock, products: Products) =>
    calls({ layer, x, y, residual, options, constants, memory, products }, block);
  if (blocks.length >= 2 * options.threads || options.threads === 1) {
    const products = { inputs: { scratchBytes: 0 }, outputs: { scratchBytes: memory.inputBytes } };
    const scratchBytes = memory.inputBytes + memory.outputBytes;
    builder.sequence({ blocks: blocks.map((block) => describe(block, products)), scratchBytes });
    return;
  }
  for (const block of blocks) {
    const products = { inputs: builder.buffer(memory.inputBytes), outputs: builder.buffer(memory.outputBytes) };
    for (const { kernel, units, words } of describe(block, products)) builder.append(kernel, units, words);
  }
}

/** As many as fit the cache, evenly spread over the image, and a multiple of the matrix kernel's tiles. */
function tilesPerBlock(tiles: number, blocks: number): number {
  const fitting = Math.max(12, Math.floor(BLOCK_BYTES / (MATRICES * blocks * PIXEL_BYTES)));
  const parts = Math.ceil(tiles / fitting);
  return Math.min(tiles, Math.ceil(tiles / parts / 12) * 12);
}

const memoryOf = (inBlocks: number, outBlocks: number, tiles: number) => {
  const inputMatrix = inBlocks * tiles * PIXEL_BYTES + STRIDE_PADDING_BYTES;
  const outputMatrix = outBlocks * tiles * PIXEL_BYTES + STRIDE_PADDING_BYTES;
  return { inputMatrix, outputMatrix, inputBytes: MATRICES * inputMatrix, outputBytes: MATRICES * outputMatrix };
};

function constantsOf(builder: ProgramBuilder, layer: ConvolutionLayer, tiles: number) {
  const { inChannels, outChannels } = layer;
  const inBlocks = blocksOf(inChannels);
  const outBlocks = blocksOf(outChannels);
  const table = (pixels: number): Place =>
    builder.constant(inBlocks, () => Int32Array.from({ length: inBlocks }, (_, block) => block * pixels * PIXEL_BYTES));
  const tables = new Map<number, Place>();
  return {
    weights: builder.constant(MATRICES * outBlocks * inBlocks * BLOCK * BLOCK, () =>
      packWinograd(layer.weights(), outChannels, inChannels),
    ),
    bias: biasOf(builder, layer),
    zeroes: builder.constant(outBlocks * BLOCK, () => new Float32Array(outBlocks * BLOCK)),
    /** Where the blocks of channels of a matrix with so many tiles begin. */
    tableOf: (count: number): Place => {
      const known = tables.get(count) ?? table(count);
      tables.set(count, known);
      return known;
    },
    tiles,
  };
}

interface Products {
  readonly inputs: Argument | ScratchPlace;
  readonly outputs: Argument | ScratchPlace;
}

interface Context {
  readonly layer: ConvolutionLayer;
  readonly x: Blocked;
  readonly y: Blocked;
  readonly residual: Blocked | null;
  readonly options: PlanOptions;
  readonly constants: ReturnType<typeof constantsOf>;
  readonly memory: ReturnType<typeof memoryOf>;
  readonly products: Products;
}

function calls(context: Context, { item, firstTile, tiles }: TileBlock): readonly Call[] {
  const { layer, x, y, residual, constants, memory, products } = context;
  const tilesPerRow = tilesOf(y.width);
  const { residualRow, residualBlock: residualPlane } = residualArguments(residual);
  return [
    call('winogradInput', blocksOf(layer.inChannels) * tiles, {
      input: pixelPlace(x, -layer.padTop, -layer.padLeft, item),
      output: products.inputs,
      firstTile,
      tiles,
      tilesPerRow,
      inputRow: rowBytes(x),
      inputPlane: planeBytes(x),
      matrix: memory.inputMatrix,
    }),
    productCall(context, tiles),
    call('winogradOutput', blocksOf(layer.outChannels) * tiles, {
      input: products.outputs,
      output: pixelPlace(y, 0, 0, item),
      bias: constants.bias,
      firstTile,
      tiles,
      tilesPerRow,
      matrix: memory.outputMatrix,
      outputRow: rowBytes(y),
      outputPlane: planeBytes(y),
      height: y.height,
      width: y.width,
      residual: residual ? pixelPlace(residual, 0, 0, item) : 0,
      residualRow,
      residualPlane,
      ...epilogueArguments(layer.epilogue),
    }),
  ];
}

function productCall({ layer, constants, memory, products, options }: Context, tiles: number): Call {
  const inBlocks = blocksOf(layer.inChannels);
  const outputBlocks = blocksOf(layer.outChannels);
  return call('gemm', MATRICES * Math.ceil(outputBlocks / blocksPerUnit('gemm', options.variant)), {
    input: products.inputs,
    inputPixel: PIXEL_BYTES,
    output: products.outputs,
    outputPixel: PIXEL_BYTES,
    outputBlock: tiles * PIXEL_BYTES,
    weights: constants.weights,
    bias: constants.zeroes,
    table: constants.tableOf(tiles),
    steps: inBlocks,
    outputBlocks,
    pixels: tiles,
    pixelsPerUnit: tiles,
    width: tiles,
    ...ALONE,
    ...{
      inputBatch: memory.inputMatrix,
      outputBatch: memory.outputMatrix,
      weightsBatch: outputBlocks * inBlocks * BLOCK * PIXEL_BYTES,
    },
  });
}
