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

const G = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
] as const;

/**
 * The transform G g Gᵀ of every 3×3 filter, as 36 matrices in panels: [36][output block][input, in whole blocks][8].
 */
export function packWinograd(weights: Float32Array, outChannels: number, inChannels: number): Float32Array {
  const rows = blocksOf(inChannels) * BLOCK;
  const matrixLength = blocksOf(outChannels) * rows * BLOCK;
  const panels = new Float32Array(36 * matrixLength);
  for (let out = 0; out < outChannels; out++) {
    const start = Math.floor(out / BLOCK) * rows * BLOCK + (out % BLOCK);
    for (let input = 0; input < inChannels; input++) {
      const filter = weights.subarray((out * inChannels + input) * 9, (out * inChannels + input) * 9 + 9);
      const transformed = transformFilter(filter);
      for (let i = 0; i < 36; i++) panels[i * matrixLength + start + input * BLOCK] = transformed[i] ?? 0;
    }
  }
  return panels;
}

function transformFilter(filter: Float32Array): Float64Array {
  const half = new Float64Array(18);
  const result = new Float64Array(36);
  for (const [i, [a, b, c]] of G.entries()) {
    for (let x = 0; x < 3; x++)
      half[i * 3 + x] = a * (filter[x] ?? 0) + b * (filter[3 + x] ?? 0) + c * (filter[6 + x] ?? 0);
  }
  for (let i = 0; i < 6; i++) {
    for (const [j, [a, b, c]] of G.entries()) {
      result[i * 6 + j] = a * (half[i * 3] ?? 0) + b * (half[i * 3 + 1] ?? 0) + c * (half[i * 3 + 2] ?? 0);
    }
  }
  return result;
}
