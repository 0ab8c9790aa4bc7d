/** A convolution as one product of the matrix kernel, which reads the input through a table of where each tap lies. */
import { BLOCK, PIXEL_BYTES } from '../kernels/kernel.ts';
import { biasOf, type ConvolutionLayer } from './convolution-layer.ts';
import type { ConvolutionMethod } from './convolution-method.ts';
import { epilogueArguments } from './epilogue.ts';
import { type MatrixKernel, planProduct, residualArguments } from './matrix-product.ts';
import { packMatrix, packPanels, type Term } from './panels.ts';
import type { PlanOptions } from './plan-options.ts';
import type { ProgramBuilder } from './program.ts';
import { type Blocked, blocksOf, itemBytes, pixelPlace, planeBytes, rowBytes } from './tensor.ts';

/** The terms of an output block in the kernel's order, and where each step reads. */
interface Sum {
  readonly kernel: MatrixKernel;
  readonly channelsPerStep: number;
  readonly stepsOf: (block: number) => readonly Term[];
  /** Each output block has its own table. */
  readonly perBlock: boolean;
}

/** Where a window that reaches over several slices of a volume reads: its kernel's rows are those of all its slices. */
export interface WindowSlices {
  readonly rowsPerSlice: number;
  /** Items of x from one slice of the window to the next, and from one window to the next. */
  readonly dilation: number;
  readonly stride: number;
}

const ONE_SLICE: WindowSlices = { rowsPerSlice: Number.POSITIVE_INFINITY, dilation: 1, stride: 1 };

/** Appends the steps of y = act(conv(x) + residual) as one matrix product. */
export function planDirect(
  builder: ProgramBuilder,
  layer: ConvolutionLayer,
  method: ConvolutionMethod,
  x: Blocked,
  y: Blocked,
  residual: Blocked | null,
  options: PlanOptions,
  slices: WindowSlices = ONE_SLICE,
): void {
  const sum = sumOf(layer, method);
  const { channelsPerStep, stepsOf, perBlock } = sum;
  const outputBlocks = blocksOf(layer.outChannels);
  const steps = stepsOf(0).length;
  const offsetOf = ({ channel, ky, kx }: Term): number =>
    Math.floor(channel / BLOCK) * planeBytes(x) +
    (channel % BLOCK) * 4 +
    Math.floor(ky / slices.rowsPerSlice) * slices.dilation * itemBytes(x) +
    (ky % slices.rowsPerSlice) * layer.dilationY * rowBytes(x) +
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
  planProduct(builder, y, sum.kernel, options, {
    input: pixelPlace(x, -layer.padTop, -layer.padLeft),
    inputRow: rowBytes(x) * layer.strideY,
    inputPixel: PIXEL_BYTES * layer.strideX,
    inputBatch: slices.stride * itemBytes(x),
    weights,
    bias: biasOf(builder, layer),
    table: builder.constant(tables.length, () => Int32Array.from(tables)),
    tableBlock: perBlock ? steps * 4 : 0,
    steps,
    channelsPerStep,
    ...residualArguments(residual),
    ...epilogueArguments(layer.epilogue),
  });
}

/** The panels of a pointwise layer. */
export function packPointwise({ weights, inChannels, outChannels }: ConvolutionLayer): Float32Array {
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
