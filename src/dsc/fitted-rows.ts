/** The rows that a convolution is fitted to: the last half of a replacement, or both halves as the convolution that they make. */
import type { ConvHalf } from '../formats/conv-replacement.ts';
import { DscAuditError } from '../ir/errors.ts';
import type { ConvLayer } from './conv-layer.ts';
import { layoutOf } from './element-layout.ts';
import { solveLeastSquares } from './least-squares.ts';
import type { LinearAlgebra } from './linear-algebra.ts';
import { Moments } from './moments.ts';
import { positionsOf } from './strategies/positions.ts';

/** Rows a layer is fitted to: enough that they tell more than there is to fit, and no more than takes seconds. */
const MIN_ROWS = 24_000;
const ROWS_A_FEATURE = 16;

/** Of taps, as far as the products in all groups come to no more than this; and never fewer a tap than so many. */
const MAX_TAP_PRODUCTS = 2.5e9;
const ROWS_A_TAP = 10;

const rowsFor = (features: number, groups: number, isSpatial: boolean): number =>
  isSpatial
    ? Math.max(ROWS_A_TAP * features, Math.min(MIN_ROWS, MAX_TAP_PRODUCTS / (groups * features ** 2)))
    : Math.max(MIN_ROWS, ROWS_A_FEATURE * features);

/** What is fitted. */
export type FittedConv = Omit<ConvHalf, 'part'>;

/** Takes rows from items: at some positions of the output, what the convolution reads there and the original's outputs. */
export class RowGatherer {
  readonly #layer: ConvLayer;
  readonly #rowsAnItem: number;
  /** By group. */
  readonly #moments: readonly Moments[];
  readonly #inPerGroup: number;
  readonly #taps: number;
  readonly #isSpatial: boolean;

  constructor(layer: ConvLayer, { groups, weightShape, isSpatial }: FittedConv, items: number) {
    const [outChannels = 1, inPerGroup = 1, ...kernel] = weightShape;
    this.#layer = layer;
    this.#inPerGroup = inPerGroup;
    this.#taps = positionsOf(kernel);
    this.#isSpatial = isSpatial;
    const features = inPerGroup * this.#taps;
    this.#rowsAnItem = Math.ceil(rowsFor(features, groups, isSpatial) / items);
    this.#moments = Array.from({ length: groups }, () => new Moments(features, outChannels / groups));
  }

  /** `z` is the input of the convolution, `y` what the original layer computes. */
  add(item: number, z: Float32Array, y: Float32Array): void {
    const outPositions = y.length / this.#layer.outChannels;
    const inPositions = z.length / (this.#inPerGroup * this.#moments.length);
    const rows = Math.min(outPositions, this.#rowsAnItem);
    const targets = this.#layer.outChannels / this.#moments.length;
    const from = layoutOf(this.#layer, this.#inPerGroup * this.#moments.length);
    const to = layoutOf(this.#layer, this.#layer.outChannels);
    for (let row = 0; row < rows; row++) {
      // Evenly spread, and shifted from item to item.
      const position = (Math.floor((row * outPositions) / rows) + item * SHIFT) % outPositions;
      const taps = this.#isSpatial ? tapsAt(this.#layer, position) : [position];
      for (const [group, moments] of this.#moments.entries()) {
        moments.add(
          (feature) => {
            const tap = taps[feature % this.#taps] ?? -1;
            const channel = group * this.#inPerGroup + Math.floor(feature / this.#taps);
            return tap < 0 ? 0 : (z[from.at(channel, tap, inPositions)] ?? 0);
          },
          (target) => y[to.at(group * targets + target, position, outPositions)] ?? 0,
        );
      }
    }
  }

  /**
   * What the rows tell, by group.
   * @throws DscAuditError where they hold an infinity or a NaN: nothing can be fitted to those.
   */
  moments(): readonly Moments[] {
    if (this.#moments.every((moments) => moments.isFinite())) return this.#moments;
    throw new DscAuditError(
      'wrong-input',
      `the samples bring infinite values or NaN to '${this.#layer.name}', and nothing can be fitted to those. ` +
        'Take the items with such values out of the samples, or leave the layer as it is with --exclude.',
    );
  }

  /** Weights and bias by least squares, held to those that are there. Throws as `moments` does. */
  solve(weights: Float64Array, bias: Float64Array, algebra: LinearAlgebra) {
    const features = this.#inPerGroup * this.#taps;
    const targets = this.#layer.outChannels / this.#moments.length;
    const solvedWeights = new Float64Array(weights.length);
    const solvedBias = new Float64Array(bias.length);
    for (const [group, moments] of this.moments().entries()) {
      const prior = new Float64Array(targets * (features + 1));
      for (let target = 0; target < targets; target++) {
        const channel = group * targets + target;
        prior.set(weights.subarray(channel * features, (channel + 1) * features), target * (features + 1));
        prior[target * (features + 1) + features] = bias[channel] ?? 0;
      }
      const solved = solveLeastSquares(moments, prior, algebra);
      for (let target = 0; target < targets; target++) {
        const channel = group * targets + target;
        const row = solved.subarray(target * (features + 1), (target + 1) * (features + 1));
        solvedWeights.set(row.subarray(0, features), channel * features);
        solvedBias[channel] = row[features] ?? 0;
      }
    }
    return { weights: solvedWeights, bias: solvedBias };
  }
}

/** A prime: items that are alike are not looked at in the same places. */
const SHIFT = 7919;

/** Input positions that a kernel reads for an output position; −1 in the padding. */
function tapsAt({ kernel, strides, dilations, pads, spatial }: ConvLayer, position: number): readonly number[] {
  if (spatial === null || pads === null) return [];
  let taps: readonly number[] = [0];
  let rest = position;
  const coordinates: number[] = [];
  for (const extent of [...spatial.output].reverse()) {
    coordinates.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  for (const [axis, extent] of kernel.entries()) {
    const start = (coordinates[axis] ?? 0) * (strides[axis] ?? 1) - (pads[axis] ?? 0);
    const size = spatial.input[axis] ?? 1;
    taps = taps.flatMap((tap) =>
      Array.from({ length: extent }, (_, k) => {
        const at = start + k * (dilations[axis] ?? 1);
        return tap < 0 || at < 0 || at >= size ? -1 : tap * size + at;
      }),
    );
  }
  return taps;
}
