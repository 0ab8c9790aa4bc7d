/**
 * Fits replacements to real activations, one layer after the other: both halves of each, or the last one alone, are solved
 * for the outputs of the original layer, on the inputs that the network with all earlier replacements really gives it. So
 * each takes up a part of the errors before it.
 */
import { type BetweenHalves, type ConvReplacement, type Norm, weightsOf } from '../formats/conv-replacement.ts';
import type { Samples } from '../formats/samples/read-samples.ts';
import type { Model, ValueId } from '../ir/graph.ts';
import type { Runtime } from '../runtime/index.ts';
import type { ConvLayer } from './conv-layer.ts';
import { type Layout, layoutOf } from './element-layout.ts';
import { fitSlices } from './fit-slices.ts';
import { RowGatherer } from './fitted-rows.ts';
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
  if (!isFittable(next)) return { ...next.replacement, bias: next.bias };
  if (isFittableAsWhole(next)) return fitBothHalves(fit, before, next);
  return fitLastHalf(fit, before, next);
}

/** The last half, behind what the first one and all between them make of the inputs. */
async function fitLastHalf(fit: Fit, before: readonly ConvReplacement[], next: ToFit): Promise<ConvReplacement> {
  const { replacement, bias, layer } = next;
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
  const rows = new RowGatherer(layer, replacement.halves[1], fit.samples.count);
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

/** Taps of a group, at most, and of more groups fewer: second moments take the square of that in each, in memory and for every row. */
const MAX_TAPS = 1200;

/** Depthwise and pointwise with nothing between are one convolution, whose slices have the rank. */
function isFittableAsWhole({ layer, replacement: { halves, between } }: ToFit): boolean {
  const [{ isSpatial }] = halves;
  const taps = (layer.inChannels / layer.groups) * positionsOf(layer.kernel);
  if (!isSpatial || between.bias || between.norm || between.relu) return false;
  return (
    layer.spatial !== null &&
    layer.pads !== null &&
    layer.op !== 'TimeDistributed' &&
    layer.groups * taps ** 2 <= MAX_TAPS ** 2
  );
}

async function fitBothHalves(fit: Fit, before: readonly ConvReplacement[], next: ToFit): Promise<ConvReplacement> {
  const { replacement, layer } = next;
  const { groups, kernel, inChannels, outChannels } = layer;
  const channels = inChannels / groups;
  const weightShape = [outChannels, channels, ...kernel];
  const rows = new RowGatherer(layer, { groups, weightShape, isSpatial: true }, fit.samples.count);
  const wanted: readonly [Wanted, Wanted] = [
    { model: replaceInModel(fit.model, before).model, values: [replacement.node.inputs[0] ?? -1] },
    { model: fit.model, values: [outputOf(replacement)] },
  ];
  await runSamples(fit.runtime, fit.settled, fit.samples, wanted, (item, [ours, theirs]) => {
    const [x, y] = [ours?.[0], theirs?.[0]];
    if (x && y) rows.add(item, x, y);
  });
  const [first, last] = weightsOf(replacement);
  const [kernels, columns, bias] = [first.slice(), last.slice(), new Float64Array(outChannels)];
  const [positions, outputs] = [positionsOf(kernel), outChannels / groups];
  const rank = kernels.length / (inChannels * positions);
  for (const [group, moments] of rows.moments().entries()) {
    const [ownKernels, ownColumns] = [kernels, columns].map((all) => {
      const length = all.length / groups;
      return all.subarray(group * length, (group + 1) * length);
    });
    if (!ownKernels || !ownColumns) continue;
    const start = { channels, rank, positions, outputs, kernels: ownKernels, columns: ownColumns };
    const fitted = fitSlices(moments, start, fit.algebra);
    ownKernels.set(fitted.kernels);
    ownColumns.set(fitted.columns);
    bias.set(fitted.bias, group * outputs);
  }
  return { ...replacement, bias, weights: () => [kernels, columns] };
}

const NOTHING: BetweenHalves = { bias: null, norm: null, relu: false };

const outputOf = ({ node }: ConvReplacement): ValueId => node.outputs[0] ?? -1;

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
