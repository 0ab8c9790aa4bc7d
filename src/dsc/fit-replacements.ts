/**
 * Fits replacements to real activations, one layer after the other: the last half of each is solved for the outputs of
 * the original layer, on the inputs that the network with all earlier replacements really gives it. So each takes up a
 * part of the errors before it.
 */
import { type BetweenHalves, type ConvReplacement, type Norm, weightsOf } from '../formats/conv-replacement.ts';
import type { Samples } from '../formats/samples/read-samples.ts';
import type { Model, ValueId } from '../ir/graph.ts';
import type { Runtime } from '../runtime/index.ts';
import type { ConvLayer } from './conv-layer.ts';
import { LeastSquares } from './least-squares.ts';
import type { LinearAlgebra } from './linear-algebra.ts';
import { replaceInModel } from './replace-in-model.ts';
import { plainNorm } from './replacement.ts';
import { runSamples, type SettledInputs, type Wanted } from './run-samples.ts';
import { positionsOf } from './strategies/positions.ts';

export interface Fit {
  readonly runtime: Runtime;
  readonly algebra: LinearAlgebra;
  readonly model: Model;
  readonly settled: SettledInputs;
  readonly samples: Samples;
}

/** A replacement with the layer that it replaces and that layer's bias. */
export interface ToFit {
  readonly layer: ConvLayer;
  readonly replacement: ConvReplacement;
  /** Zeroes where there is none. */
  readonly bias: Float64Array;
}

/** Fits replacements, which are in the model's order; `done` hears of each. */
export async function fitReplacements(
  fit: Fit,
  toFit: readonly ToFit[],
  done: (layer: ConvLayer) => void,
): Promise<readonly ConvReplacement[]> {
  const fitted: ConvReplacement[] = [];
  for (const next of toFit) {
    fitted.push(await fitReplacement(fit, fitted, next));
    done(next.layer);
  }
  return fitted;
}

async function fitReplacement(fit: Fit, before: readonly ConvReplacement[], next: ToFit): Promise<ConvReplacement> {
  const { replacement, bias, layer } = next;
  if (!isFittable(next)) return { ...replacement, bias };
  const [first, last] = weightsOf(replacement);
  const raw: ConvReplacement = { ...replacement, between: NOTHING, bias: null, weights: () => [first, last] };
  const replaced = replaceInModel(fit.model, [...before, raw]);
  const wanted: readonly [Wanted, Wanted] = [
    { model: replaced.model, values: [replaced.replacing.get(replacement.node)?.last.inputs[0] ?? -1] },
    { model: fit.model, values: [outputOf(replacement)] },
  ];
  const channels = replacement.halves[0].weightShape[0] ?? 1;
  const norm = await measuredNorm(fit, replacement.between, layoutOf(layer, channels), wanted[0]);
  const apply = activationOf(norm, replacement.between.relu, layoutOf(layer, channels));
  const rows = new RowGatherer(next, fit.samples.count);
  await runSamples(fit.runtime, fit.settled, fit.samples, wanted, (item, [ours, theirs]) => {
    const [z, y] = [ours?.[0], theirs?.[0]];
    if (z && y) rows.add(item, apply(z), y);
  });
  const solved = rows.solve(last, bias, fit.algebra);
  const settled = settle(replacement.between, norm, first);
  return {
    ...replacement,
    between: settled.between,
    bias: solved.bias,
    weights: () => [settled.first, solved.weights],
  };
}

/**
 * What is fused behind the sum hides it, and a layer that is called several times has several inputs: such layers keep
 * the weights that they have.
 */
function isFittable({ layer, replacement: { node, halves } }: ToFit): boolean {
  if (node.attrs.activation !== null || (node.inputs[3] ?? null) !== null) return false;
  if ((node.layer?.calls ?? 1) > 1) return false;
  // Within TimeDistributed the steps of a sequence lie in front: the taps of a kernel are not told apart by position.
  return !halves[1].isSpatial || layer.op !== 'TimeDistributed';
}

const NOTHING: BetweenHalves = { bias: null, norm: null, relu: false };

const outputOf = ({ node }: ConvReplacement): ValueId => node.outputs[0] ?? -1;

/** Where an element lies among an item's. */
interface Layout {
  readonly channels: number;
  channelOf(index: number, length: number): number;
  at(channel: number, position: number, positions: number): number;
}

const layoutOf = ({ channelsLast }: ConvLayer, channels: number): Layout =>
  channelsLast
    ? {
        channels,
        channelOf: (index) => index % channels,
        at: (channel, position) => position * channels + channel,
      }
    : {
        channels,
        channelOf: (index, length) => Math.floor((index * channels) / length),
        at: (channel, position, positions) => channel * positions + position,
      };

/** Batch normalisation, folded or not, takes the mean and the variance that its input really has. Null where there is none. */
async function measuredNorm(
  fit: Fit,
  { norm, bias }: BetweenHalves,
  layout: Layout,
  replaced: Wanted,
): Promise<Norm | null> {
  const { channels } = layout;
  if (norm === null && bias === null) return null;
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  let count = 0;
  await runSamples(fit.runtime, fit.settled, fit.samples, [replaced], (_, [ours]) => {
    const z = ours?.[0];
    if (!z) return;
    count += z.length / channels;
    for (const [index, value] of z.entries()) {
      const channel = layout.channelOf(index, z.length);
      sums[channel] = (sums[channel] ?? 0) + value;
      squares[channel] = (squares[channel] ?? 0) + value * value;
    }
  });
  const mean = sums.map((sum) => sum / count);
  const variance = squares.map((sum, channel) => Math.max(0, sum / count - (mean[channel] ?? 0) ** 2));
  return { ...(norm ?? plainNorm(channels)), mean, variance };
}

/** Where batch normalisation is folded, its scale goes into the first half, and its shift is the bias there. */
function settle(between: BetweenHalves, norm: Norm | null, first: Float64Array) {
  if (norm === null || between.bias === null) return { between: { ...between, norm }, first };
  const { mean, variance, scale, shift, epsilon } = norm;
  const length = first.length / mean.length;
  const factors = variance.map((value, channel) => (scale[channel] ?? 1) / Math.sqrt(value + epsilon));
  const bias = mean.map((value, channel) => (shift[channel] ?? 0) - value * (factors[channel] ?? 1));
  const scaled = first.map((value, index) => value * (factors[Math.floor(index / length)] ?? 1));
  return { between: { ...between, norm: null, bias }, first: scaled };
}

/** What stands between the halves, as a function of the first half's output. */
function activationOf(norm: Norm | null, relu: boolean, layout: Layout): (z: Float32Array) => Float32Array {
  if (norm === null && !relu) return (z) => z;
  return (z) =>
    z.map((value, index) => {
      const channel = layout.channelOf(index, z.length);
      const scaled = norm
        ? ((value - (norm.mean[channel] ?? 0)) * (norm.scale[channel] ?? 1)) /
            Math.sqrt((norm.variance[channel] ?? 1) + norm.epsilon) +
          (norm.shift[channel] ?? 0)
        : value;
      return relu ? Math.max(0, scaled) : scaled;
    });
}

/** Rows a layer is fitted to: enough that they tell more than there is to fit, and no more than takes seconds. */
const MIN_ROWS = 24_000;
const ROWS_A_FEATURE = 16;

/** Takes rows from items: at some positions of the output, the inputs of the last half and the original's outputs. */
class RowGatherer {
  readonly #layer: ConvLayer;
  readonly #rowsAnItem: number;
  readonly #groups: readonly LeastSquares[];
  readonly #inPerGroup: number;
  readonly #taps: number;
  readonly #isSpatial: boolean;

  constructor({ layer, replacement }: ToFit, items: number) {
    const [, { groups, weightShape, isSpatial }] = replacement.halves;
    const [outChannels = 1, inPerGroup = 1, ...kernel] = weightShape;
    this.#layer = layer;
    this.#inPerGroup = inPerGroup;
    this.#taps = positionsOf(kernel);
    this.#isSpatial = isSpatial;
    const features = inPerGroup * this.#taps;
    this.#rowsAnItem = Math.ceil(Math.max(MIN_ROWS, ROWS_A_FEATURE * features) / items);
    this.#groups = Array.from({ length: groups }, () => new LeastSquares(features, outChannels / groups));
  }

  /** `z` is the input of the last half, `y` what the original layer computes. */
  add(item: number, z: Float32Array, y: Float32Array): void {
    const outPositions = y.length / this.#layer.outChannels;
    const inPositions = z.length / (this.#inPerGroup * this.#groups.length);
    const rows = Math.min(outPositions, this.#rowsAnItem);
    const targets = this.#layer.outChannels / this.#groups.length;
    const from = layoutOf(this.#layer, this.#inPerGroup * this.#groups.length);
    const to = layoutOf(this.#layer, this.#layer.outChannels);
    for (let row = 0; row < rows; row++) {
      // Evenly spread, and shifted from item to item.
      const position = (Math.floor((row * outPositions) / rows) + item * SHIFT) % outPositions;
      const taps = this.#isSpatial ? tapsAt(this.#layer, position) : [position];
      for (const [group, squares] of this.#groups.entries()) {
        squares.add(
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

  solve(weights: Float64Array, bias: Float64Array, algebra: LinearAlgebra) {
    const features = this.#inPerGroup * this.#taps;
    const targets = this.#layer.outChannels / this.#groups.length;
    const solvedWeights = new Float64Array(weights.length);
    const solvedBias = new Float64Array(bias.length);
    for (const [group, squares] of this.#groups.entries()) {
      const prior = new Float64Array(targets * (features + 1));
      for (let target = 0; target < targets; target++) {
        const channel = group * targets + target;
        prior.set(weights.subarray(channel * features, (channel + 1) * features), target * (features + 1));
        prior[target * (features + 1) + features] = bias[channel] ?? 0;
      }
      const solved = squares.solve(prior, algebra);
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
