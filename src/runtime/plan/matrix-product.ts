/** Calls of the matrix kernel, which every kind of convolution and dense layer comes down to. */
import { type KernelVariant, PIXEL_BYTES } from '../kernels/kernel.ts';
import { epilogueArguments, LINEAR } from './epilogue.ts';
import type { PlanOptions } from './plan-options.ts';
import type { KernelArguments, ProgramBuilder } from './program.ts';
import { type Blocked, blocksOf, itemBytes, pixelPlace, planeBytes, rowBytes } from './tensor.ts';

export type MatrixKernel = 'gemm' | 'gemmNarrow' | 'gemmPixel' | 'gemmImage' | 'gemmSingle';

type MatrixArguments = KernelArguments<'gemm'>;

/** The pixels of one unit of work take this many bytes of input: with weights and outputs they fit the second-level cache. */
const UNIT_INPUT_BYTES = 512 * 1024;

/** Units a thread, so that the last ones to finish differ little. */
const UNITS_PER_THREAD = 6;

/** What is particular to one product. */
type Product = Partial<MatrixArguments> &
  Pick<MatrixArguments, 'input' | 'inputPixel' | 'weights' | 'bias' | 'table'> & {
    /** Steps of the sum, and input channels that each of them takes. */
    readonly steps: number;
    readonly channelsPerStep: number;
  };

/** Appends a product over all pixels and items of y. */
export function planProduct(
  builder: ProgramBuilder,
  y: Blocked,
  kernel: MatrixKernel,
  options: PlanOptions,
  { channelsPerStep, ...product }: Product,
): void {
  const outputBlocks = blocksOf(y.channels);
  const pixels = y.height * y.width;
  const shares = sharesOf(
    kernel,
    { outputBlocks, pixels, items: y.items, terms: product.steps * channelsPerStep },
    options,
  );
  builder.step(kernel, shares.units, {
    outputBlocks,
    pixels,
    pixelsPerUnit: shares.pixelsPerUnit,
    ...ALONE,
    ...writtenTo(y),
    ...product,
  });
}

/**
 * A product of one matrix, through one table, that nothing is added to or done with. Spread it behind named properties where
 * calls are many: V8 takes ten times as long for an object whose names follow a spread.
 */
export const ALONE = {
  firstPixel: 0,
  tableBlock: 0,
  inputRow: 0,
  inputBatch: 0,
  outputRow: 0,
  outputBatch: 0,
  weightsBatch: 0,
  ...residualArguments(null),
  ...epilogueArguments(LINEAR),
} as const;

/** Where a product over the pixels of a tensor writes. */
export const writtenTo = (y: Blocked) => ({
  output: pixelPlace(y, 0, 0),
  width: y.width,
  outputRow: rowBytes(y),
  outputPixel: PIXEL_BYTES,
  outputBlock: planeBytes(y),
  outputBatch: itemBytes(y),
});

/** How the work of a product is cut into units. */
export function sharesOf(
  kernel: MatrixKernel,
  { outputBlocks, pixels, items, terms }: Readonly<Record<'outputBlocks' | 'pixels' | 'items' | 'terms', number>>,
  options: PlanOptions,
): { readonly units: number; readonly pixelsPerUnit: number } {
  const groups = Math.ceil(outputBlocks / blocksPerUnit(kernel, options.variant));
  const pixelsPerUnit = unitPixels(pixels, Math.max(1, terms) * 4, groups * items, options);
  return { units: items * groups * Math.ceil(pixels / pixelsPerUnit), pixelsPerUnit };
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

export const blocksPerUnit = (kernel: MatrixKernel, variant: KernelVariant): number =>
  kernel === 'gemmPixel' ? 4 : kernel === 'gemmNarrow' ? 1 : variant.tile.blocks;

/** Pixels of a unit of work: a multiple of the tile's height, small enough for the cache and for every thread to get its share. */
function unitPixels(pixels: number, bytesPerPixel: number, groups: number, { threads, variant }: PlanOptions): number {
  const tile = variant.tile.pixels * 2;
  const byCache = Math.max(1, Math.floor(UNIT_INPUT_BYTES / bytesPerPixel / tile)) * tile;
  if (threads === 1) return Math.min(pixels, byCache);
  const parts = Math.ceil((UNITS_PER_THREAD * threads) / groups);
  const byShare = Math.max(1, Math.ceil(pixels / parts / tile)) * tile;
  return Math.min(pixels, byCache, byShare);
}
