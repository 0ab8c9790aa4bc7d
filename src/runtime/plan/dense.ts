/** A matrix product with constant weights: rows are the items of tensors of one pixel. */
import { BLOCK, PIXEL_BYTES } from '../kernels/kernel.ts';
import {
  blocksPerUnit,
  type Epilogue,
  epilogueArguments,
  type PlanOptions,
  residualArguments,
  unitPixels,
} from './convolution.ts';
import { packChannels, packMatrix } from './panels.ts';
import type { ProgramBuilder } from './program.ts';
import { type Blocked, blocksOf, itemBytes } from './tensor.ts';

export interface DenseLayer {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** The weight of an input in an output. */
  readonly weights: () => (out: number, input: number) => number;
  readonly bias: (() => Float32Array) | null;
  readonly epilogue: Epilogue;
}

/** Appends y = act(x · W + bias); x and y are one pixel high and wide, without halo. */
export function planDense(
  builder: ProgramBuilder,
  layer: DenseLayer,
  x: Blocked,
  y: Blocked,
  options: PlanOptions,
): void {
  const { inFeatures, outFeatures } = layer;
  const kernel = y.items === 1 ? 'gemmPixel' : 'gemm';
  const steps = blocksOf(inFeatures);
  const outputBlocks = blocksOf(outFeatures);
  const groups = Math.ceil(outputBlocks / blocksPerUnit(kernel, options.variant));
  const pixelsPerUnit = unitPixels(y.items, steps * PIXEL_BYTES, groups, options);
  builder.step(kernel, groups * Math.ceil(y.items / pixelsPerUnit), {
    input: x.place,
    output: y.place,
    weights: builder.constant(outputBlocks * steps * BLOCK * BLOCK, () =>
      packMatrix(outFeatures, inFeatures, layer.weights()),
    ),
    bias: builder.constant(outputBlocks * BLOCK, () => packChannels(layer.bias?.() ?? null, outFeatures)),
    table: builder.constant(steps, () => Int32Array.from({ length: steps }, (_, block) => block * PIXEL_BYTES)),
    steps,
    tableBlock: 0,
    outputBlocks,
    pixels: y.items,
    pixelsPerUnit,
    width: y.items,
    inputRow: 0,
    inputPixel: itemBytes(x),
    inputBatch: 0,
    outputRow: 0,
    outputPixel: itemBytes(y),
    outputBlock: PIXEL_BYTES,
    outputBatch: 0,
    weightsBatch: 0,
    ...residualArguments(null),
    ...epilogueArguments(layer.epilogue),
  });
}
