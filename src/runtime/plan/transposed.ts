/** Transposed convolution as ordinary ones: each phase of the output's stride is a convolution with some of the taps. */
import { BLOCK, PIXEL_BYTES } from '../kernels/kernel.ts';
import { biasOf, type ConvolutionLayer } from './convolution-layer.ts';
import { epilogueArguments } from './epilogue.ts';
import { ALONE, sharesOf, writtenTo } from './matrix-product.ts';
import { packPanels, type Term } from './panels.ts';
import type { PlanOptions } from './plan-options.ts';
import type { Place, ProgramBuilder } from './program.ts';
import { type Blocked, blocksOf, type Halo, itemBytes, pixelPlace, planeBytes, rowBytes } from './tensor.ts';

/**
 * As a convolution, but for the weights (input channel, output channel of the group, y, x) and the pads, which are
 * those that the output loses.
 */
export type TransposedLayer = ConvolutionLayer;

/** A tap that reaches an output phase, and the input position that it reads for the phase's first output. */
interface PhaseTap {
  readonly k: number;
  readonly offset: number;
}

/** Output o = phase + stride·j reads input j + offset through tap k where o + pad = stride·(j + offset) + dilation·k. */
function tapsOf(phase: number, kernel: number, stride: number, dilation: number, pad: number): readonly PhaseTap[] {
  return Array.from({ length: kernel }, (_, k) => ({ k, offset: (phase + pad - dilation * k) / stride })).filter(
    ({ offset }) => Number.isInteger(offset),
  );
}

interface Axis {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly pad: number;
  readonly outputs: number;
}

const axesOf = (layer: TransposedLayer): { y: Axis; x: Axis } => ({
  y: {
    kernel: layer.kernelHeight,
    stride: layer.strideY,
    dilation: layer.dilationY,
    pad: layer.padTop,
    outputs: layer.outHeight,
  },
  x: {
    kernel: layer.kernelWidth,
    stride: layer.strideX,
    dilation: layer.dilationX,
    pad: layer.padLeft,
    outputs: layer.outWidth,
  },
});

const phasesOf = ({ kernel, stride, dilation, pad, outputs }: Axis) =>
  Array.from({ length: Math.min(stride, outputs) }, (_, phase) => ({
    phase,
    count: Math.ceil((outputs - phase) / stride),
    taps: tapsOf(phase, kernel, stride, dilation, pad),
  }));

/** Zeroes that are read before and behind an input of this extent. */
function reachOf(axis: Axis, extent: number): { before: number; behind: number } {
  let before = 0;
  let behind = 0;
  for (const { count, taps } of phasesOf(axis)) {
    for (const { offset } of taps) {
      before = Math.max(before, -offset);
      behind = Math.max(behind, count - 1 + offset - (extent - 1));
    }
  }
  return { before, behind };
}

export function transposedHalo(layer: TransposedLayer, input: { height: number; width: number }): Halo {
  const { y, x } = axesOf(layer);
  const rows = reachOf(y, input.height);
  const columns = reachOf(x, input.width);
  return { top: rows.before, bottom: rows.behind, left: columns.before, right: columns.behind };
}

/** A window along the depth of a volume; `outputs` slices of each item come of `inputs`. */
export interface TransposedDepth extends Axis {
  readonly inputs: number;
}

/** Items of the output that are `step` apart and read the same taps of the depth; those of an image, all of them. */
interface SliceRun {
  readonly first: number;
  readonly count: number;
  readonly step: number;
  /** The input item that the first one reads through a tap without offset. */
  readonly origin: number;
  readonly taps: readonly PhaseTap[];
}

/** Slices in runs: those of one phase whose taps lie inside the volume. */
function sliceRuns(depth: TransposedDepth, items: number): readonly SliceRun[] {
  const runs: SliceRun[] = [];
  for (let item = 0; item < items / depth.outputs; item++) {
    for (const { phase, count, taps } of phasesOf(depth)) {
      for (let j = 0; j < count; j++) {
        const inside = taps.filter(({ offset }) => j + offset >= 0 && j + offset < depth.inputs);
        const last = runs.at(-1);
        if (j > 0 && last && last.taps.map(({ k }) => k).join() === inside.map(({ k }) => k).join()) {
          runs[runs.length - 1] = { ...last, count: last.count + 1 };
        } else {
          const first = item * depth.outputs + phase + j * depth.stride;
          runs.push({ first, count: 1, step: depth.stride, origin: item * depth.inputs + j, taps: inside });
        }
      }
    }
  }
  return runs;
}

/**
 * Appends the steps of y = act(convTranspose(x)), a matrix product a phase. The layer's kernel is one slice of the window;
 * its weights are those of the whole: input channel, output channel of the group, z, y, x.
 */
export function planTransposed(
  builder: ProgramBuilder,
  layer: TransposedLayer,
  depth: TransposedDepth | null,
  x: Blocked,
  y: Blocked,
  options: PlanOptions,
): void {
  const bias = biasOf(builder, layer);
  const whole = { ...layer, kernelHeight: (depth?.kernel ?? 1) * layer.kernelHeight };
  const weights = memoise(() => forwardWeights(whole));
  const axes = axesOf(layer);
  const image: SliceRun = { first: 0, count: y.items, step: 1, origin: 0, taps: [{ k: 0, offset: 0 }] };
  const phases = (depth === null ? [image] : sliceRuns(depth, y.items)).flatMap((slices) =>
    phasesOf(axes.y).flatMap((rows) => phasesOf(axes.x).map((columns) => ({ slices, rows, columns }))),
  );
  for (const [index, { slices, rows, columns }] of phases.entries()) {
    const taps = slices.taps.flatMap((slice) =>
      rows.taps.flatMap((row) => columns.taps.map((column) => ({ slice, row, column }))),
    );
    const terms: (Term & { readonly address: number })[] = [];
    for (let channel = 0; channel < layer.inChannels; channel += BLOCK) {
      for (const { slice, row, column } of taps) {
        const inPlane = row.offset * rowBytes(x) + column.offset * PIXEL_BYTES;
        const address = slice.offset * itemBytes(x) + (channel / BLOCK) * planeBytes(x) + inPlane;
        terms.push({ channel, ky: slice.k * layer.kernelHeight + row.k, kx: column.k, address });
      }
    }
    const phase: Phase = { slices, terms, height: rows.count, width: columns.count, y: rows.phase, x: columns.phase };
    planPhase(builder, whole, { x, y, phase, bias, weights, options, isLast: index === phases.length - 1 });
  }
}

interface Phase {
  readonly slices: SliceRun;
  readonly terms: readonly (Term & { readonly address: number })[];
  readonly height: number;
  readonly width: number;
  readonly y: number;
  readonly x: number;
}

interface PhaseContext {
  readonly x: Blocked;
  readonly y: Blocked;
  readonly phase: Phase;
  readonly bias: Place;
  readonly weights: () => Float32Array;
  readonly options: PlanOptions;
  readonly isLast: boolean;
}

function planPhase(builder: ProgramBuilder, layer: TransposedLayer, context: PhaseContext): void {
  const { x, y, phase, bias, weights, options, isLast } = context;
  const outputBlocks = blocksOf(layer.outChannels);
  const steps = phase.terms.length;
  const terms = phase.terms.flatMap((term) =>
    Array.from({ length: BLOCK }, (_, lane) => ({ ...term, channel: term.channel + lane })),
  );
  const shape = { ...layer, inChannels: layer.inChannels / layer.groups };
  const pixels = phase.height * phase.width;
  const shares = sharesOf('gemm', { outputBlocks, pixels, items: phase.slices.count, terms: steps * BLOCK }, options);
  builder[isLast ? 'step' : 'stepBeside']('gemm', shares.units, {
    ...ALONE,
    input: pixelPlace(x, 0, 0, phase.slices.origin),
    inputRow: rowBytes(x),
    inputPixel: PIXEL_BYTES,
    inputBatch: itemBytes(x),
    ...writtenTo(y),
    output: pixelPlace(y, phase.y, phase.x, phase.slices.first),
    outputBatch: itemBytes(y) * phase.slices.step,
    outputRow: rowBytes(y) * layer.strideY,
    outputPixel: PIXEL_BYTES * layer.strideX,
    weights: builder.constant(outputBlocks * steps * BLOCK * BLOCK, () =>
      packPanels(weights(), shape, layer.groups, () => terms),
    ),
    bias,
    table: builder.constant(steps, () => Int32Array.from(phase.terms, ({ address }) => address)),
    steps,
    outputBlocks,
    pixels,
    pixelsPerUnit: shares.pixelsPerUnit,
    width: phase.width,
    ...epilogueArguments(layer.epilogue),
  });
}

/** The weights as an ordinary convolution lists them: output channel, input channel of the group, y, x. */
function forwardWeights(layer: TransposedLayer): Float32Array {
  const weights = layer.weights();
  const taps = layer.kernelHeight * layer.kernelWidth;
  const inPerGroup = layer.inChannels / layer.groups;
  const outPerGroup = layer.outChannels / layer.groups;
  const forward = new Float32Array(weights.length);
  for (let input = 0; input < layer.inChannels; input++) {
    const group = Math.floor(input / inPerGroup);
    for (let out = 0; out < outPerGroup; out++) {
      const source = (input * outPerGroup + out) * taps;
      const target = ((group * outPerGroup + out) * inPerGroup + (input % inPerGroup)) * taps;
      forward.set(weights.subarray(source, source + taps), target);
    }
  }
  return forward;
}

function memoise<T>(compute: () => T): () => T {
  let known: T | undefined;
  return () => {
    known ??= compute();
    return known;
  };
}
