/** Weights as the kernels read them. Pure functions over row-major weights: output channel, input channel, y, x. */
import { BLOCK } from '../kernels/kernel.ts';
import { blocksOf } from './tensor.ts';

export interface WeightShape {
  readonly outChannels: number;
  /** Input channels of one group. */
  readonly inChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
}

/** One term of an output block's sum: an input channel (of all groups) and a tap; null for a lane without a channel. */
export interface Term {
  readonly channel: number;
  readonly ky: number;
  readonly kx: number;
}

/**
 * Panels of the matrix kernel: [output block][term][8]. `termsOf` lists the terms of an output block in the kernel's
 * order; a term whose channel is not in the output channel's group weighs 0, as do lanes without a channel.
 */
export function packPanels(
  weights: Float32Array,
  shape: WeightShape,
  groups: number,
  termsOf: (block: number) => readonly Term[],
): Float32Array {
  const { outChannels, inChannels, kernelHeight, kernelWidth } = shape;
  const blocks = blocksOf(outChannels);
  const taps = kernelHeight * kernelWidth;
  const outChannelsPerGroup = outChannels / groups;
  const panelLength = termsOf(0).length * BLOCK;
  const panels = new Float32Array(blocks * panelLength);
  for (let block = 0; block < blocks; block++) {
    let target = block * panelLength;
    for (const { channel, ky, kx } of termsOf(block)) {
      for (let lane = 0; lane < BLOCK; lane++, target++) {
        const out = block * BLOCK + lane;
        const inGroup = channel - Math.floor(out / outChannelsPerGroup) * inChannels;
        if (out >= outChannels || inGroup < 0 || inGroup >= inChannels) continue;
        panels[target] = weights[(out * inChannels + inGroup) * taps + ky * kernelWidth + kx] ?? 0;
      }
    }
  }
  return panels;
}

/** Panels of a matrix, [output block][input, in whole blocks][8]; `weightAt` gives the element. */
export function packMatrix(
  outChannels: number,
  inChannels: number,
  weightAt: (out: number, input: number) => number,
): Float32Array {
  const rows = blocksOf(inChannels) * BLOCK;
  const panels = new Float32Array(blocksOf(outChannels) * rows * BLOCK);
  for (let out = 0; out < outChannels; out++) {
    const start = Math.floor(out / BLOCK) * rows * BLOCK + (out % BLOCK);
    for (let input = 0; input < inChannels; input++) panels[start + input * BLOCK] = weightAt(out, input);
  }
  return panels;
}

/**
 * Panels of the products that Strassen's product comes down to, in the order in which `planStrassen` asks for them. With
 * the matrix cut into B₁₁ to B₂₂, first by inputs, then by outputs: T₁ = B₁₂ − B₁₁, T₂ = B₂₂ − T₁, T₃ = B₂₂ − B₁₂,
 * T₄ = T₂ − B₂₁.
 */
export function packStrassen(
  weights: Float32Array,
  outChannels: number,
  inChannels: number,
  depth: number,
): Float32Array {
  const matrix = { outs: blocksOf(outChannels) * BLOCK, inputs: blocksOf(inChannels) * BLOCK };
  const panels = new Float32Array((matrix.outs * matrix.inputs * 7 ** depth) / 4 ** depth);
  let next = 0;
  const pack = (outs: number, inputs: number, elements: Float32Array, left: number): void => {
    if (left === 0) {
      panels.set(
        packMatrix(outs, inputs, (out, input) => elements[out * inputs + input] ?? 0),
        next,
      );
      next += outs * inputs;
      return;
    }
    const [halfOuts, halfInputs] = [outs / 2, inputs / 2];
    const quarter = (firstInput: number, firstOut: number): Float32Array =>
      Float32Array.from({ length: halfOuts * halfInputs }, (_, index) => {
        const out = firstOut + Math.floor(index / halfInputs);
        return elements[out * inputs + firstInput + (index % halfInputs)] ?? 0;
      });
    const [b11, b12] = [quarter(0, 0), quarter(0, halfOuts)];
    const [b21, b22] = [quarter(halfInputs, 0), quarter(halfInputs, halfOuts)];
    const t1 = difference(b12, b11);
    const t2 = difference(b22, t1);
    for (const factor of [b11, t2, difference(b22, b12), t1, b22, difference(b21, t2), b21]) {
      pack(halfOuts, halfInputs, factor, left - 1);
    }
  };
  pack(matrix.outs, matrix.inputs, inWholeBlocks(weights, outChannels, inChannels), depth);
  return panels;
}

const difference = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, index) => value - (b[index] ?? 0));

/** The matrix with zeroes up to whole blocks of channels. */
function inWholeBlocks(weights: Float32Array, outChannels: number, inChannels: number): Float32Array {
  const inputs = blocksOf(inChannels) * BLOCK;
  const matrix = new Float32Array(blocksOf(outChannels) * BLOCK * inputs);
  for (let out = 0; out < outChannels; out++) {
    matrix.set(weights.subarray(out * inChannels, (out + 1) * inChannels), out * inputs);
  }
  return matrix;
}

/** Depthwise filters: [output block][ky][kx][8]. */
export function packFilters(weights: Float32Array, outChannels: number, taps: number): Float32Array {
  const filters = new Float32Array(blocksOf(outChannels) * taps * BLOCK);
  for (let out = 0; out < outChannels; out++) {
    const start = Math.floor(out / BLOCK) * taps * BLOCK + (out % BLOCK);
    for (let tap = 0; tap < taps; tap++) filters[start + tap * BLOCK] = weights[out * taps + tap] ?? 0;
  }
  return filters;
}

/** A vector of one value a channel, in whole blocks. */
export function packChannels(values: Float32Array | null, channels: number): Float32Array {
  const packed = new Float32Array(blocksOf(channels) * BLOCK);
  if (values) packed.set(values.subarray(0, channels));
  return packed;
}

/**
 * The transform G g Gᵀ of every 3×3 filter, as 36 matrices in panels: [36][output block][input, in whole blocks][8].
 * G = [1/4 0 0; −1/6 −1/6 −1/6; −1/6 1/6 −1/6; 1/24 1/12 1/6; 1/24 −1/12 1/6; 0 0 1] (Lavin and Gray, arXiv:1509.09308).
 */
export function packWinograd(weights: Float32Array, outChannels: number, inChannels: number): Float32Array {
  const rows = blocksOf(inChannels) * BLOCK;
  const matrixLength = blocksOf(outChannels) * rows * BLOCK;
  const panels = new Float32Array(36 * matrixLength);
  const half = new Float64Array(18);
  for (let out = 0; out < outChannels; out++) {
    const start = Math.floor(out / BLOCK) * rows * BLOCK + (out % BLOCK);
    for (let input = 0; input < inChannels; input++) {
      const filter = (out * inChannels + input) * 9;
      for (let x = 0; x < 3; x++) applyG(weights, filter + x, 3, half, x, 3);
      for (let y = 0; y < 6; y++) {
        applyG(half, y * 3, 1, panels, y * 6 * matrixLength + start + input * BLOCK, matrixLength);
      }
    }
  }
  return panels;
}

/** target = G · source, for three elements `from` apart, to six elements `to` apart. */
function applyG(
  source: Float32Array | Float64Array,
  first: number,
  from: number,
  target: Float32Array | Float64Array,
  start: number,
  to: number,
): void {
  const a = source[first] ?? 0;
  const b = source[first + from] ?? 0;
  const c = source[first + 2 * from] ?? 0;
  const even = -(a + c) / 6;
  const wide = a / 24 + c / 6;
  target[start] = a / 4;
  target[start + to] = even - b / 6;
  target[start + 2 * to] = even + b / 6;
  target[start + 3 * to] = wide + b / 12;
  target[start + 4 * to] = wide - b / 12;
  target[start + 5 * to] = c;
}
