/** A matrix product with constant weights: rows are the items of tensors of one pixel. */
import { BLOCK, PIXEL_BYTES } from '../kernels/kernel.ts';
import { biasOf } from './convolution-layer.ts';
import { type Epilogue, epilogueArguments } from './epilogue.ts';
import { ALONE, sharesOf } from './matrix-product.ts';
import { packMatrix } from './panels.ts';
import type { PlanOptions } from './plan-options.ts';
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
  const pixels = y.items;
  const shares = sharesOf(kernel, { outputBlocks, pixels, items: 1, terms: steps * BLOCK }, options);
  builder.step(kernel, shares.units, {
    ...ALONE,
    input: x.place,
    inputPixel: itemBytes(x),
    output: y.place,
    outputPixel: itemBytes(y),
    outputBlock: PIXEL_BYTES,
    weights: builder.constant(outputBlocks * steps * BLOCK * BLOCK, () =>
      packMatrix(outFeatures, inFeatures, layer.weights()),
    ),
    bias: biasOf(builder, { bias: layer.bias, outChannels: outFeatures }),
    table: builder.constant(steps, () => Int32Array.from({ length: steps }, (_, block) => block * PIXEL_BYTES)),
    steps,
    outputBlocks,
    pixels,
    pixelsPerUnit: shares.pixelsPerUnit,
    width: pixels,
    ...epilogueArguments(layer.epilogue),
  });
}
