import type { ValueId } from '../../../ir/graph.ts';
import type { Padding, WindowAttrs } from '../../../ir/operators.ts';
import type { LayerCall } from '../layer-call.ts';
import { activate, binary } from './activation.ts';
import { channelAxis, channelsLast } from './data-format.ts';
import { adapted, isAdapted } from './lora.ts';
import type { LayerRow, LayerRows } from './row.ts';

/** Nothing fused. */
export const PLAIN = { weightChannelsLast: false, activation: null, result: 'same' } as const;

/** `causal` (one axis only): a position sees none behind it. */
export function paddingOf(call: LayerCall, kernel: readonly number[], dilations: readonly number[]): Padding {
  const rule = call.config.choice('padding', ['valid', 'same', 'causal'], 'valid');
  if (rule === 'valid') return { mode: 'valid' };
  if (rule === 'same') return { mode: 'same-upper' };
  const [extent = 1] = kernel;
  return { mode: 'explicit', pads: [(extent - 1) * (dilations[0] ?? 1), 0] };
}

export function windowOf(call: LayerCall, axes: number): WindowAttrs & { readonly kernel: readonly number[] } {
  const { config } = call;
  const kernel = config.counts('kernel_size', axes);
  const dilations = config.counts('dilation_rate', axes, 1);
  return { kernel, strides: config.counts('strides', axes, 1), dilations, padding: paddingOf(call, kernel, dilations) };
}

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

/** Keras's spatial…, I, O as the graph's O, I, spatial…. */
export const outputsFirst = (axes: number): readonly number[] => [axes + 1, axes, ...range(axes)];

function biasOf(call: LayerCall, channels: number): ValueId | null {
  return call.config.flag('use_bias', true) ? call.weight('bias', [channels]) : null;
}

/** Kernel: spatial…, C_in/groups, filters. */
const convolution =
  (axes: number): LayerRow =>
  (call) => {
    const last = channelsLast(call);
    const window = windowOf(call, axes);
    const filters = call.config.count('filters');
    const groups = call.config.count('groups', 1);
    const inChannels = call.extent(call.input, channelAxis(last));
    if (inChannels % groups !== 0 || filters % groups !== 0) {
      throw call.invalid(
        `has ${groups} groups, which divide its ${inChannels} channels or ${filters} filters unevenly`,
      );
    }
    const stored = [...window.kernel, inChannels / groups, filters];
    const permutation = outputsFirst(axes);
    const weight = call.weight('kernel', stored, { permutation, frozen: isAdapted(call) });
    const bias = biasOf(call, filters);
    const kernel = adapted(call, { weight, stored, permutation, name: 'lora_kernel' });
    const attrs = { ...window, ...PLAIN, groups, channelsLast: last };
    return activate(call, call.node({ kind: 'conv', attrs }, call.input, kernel, bias));
  };

/** Kernel: spatial…, C_in, multiplier. Output channel c·multiplier + m comes from input channel c. */
function depthwise(call: LayerCall, axes: number, weightName: string, bias: (channels: number) => ValueId | null) {
  const last = channelsLast(call);
  const window = windowOf(call, axes);
  const channels = call.extent(call.input, channelAxis(last));
  // TensorFlow.js leaves the multiplier of a separable convolution out: the weights know it.
  const outChannels = channels * call.config.count('depth_multiplier', call.storedShape(weightName)?.at(-1) ?? 1);
  const kernel = call.weight(weightName, [...window.kernel, channels, outChannels / channels], {
    permutation: [axes, axes + 1, ...range(axes)],
    shape: [outChannels, 1, ...window.kernel],
  });
  const attrs = { ...window, ...PLAIN, groups: channels, channelsLast: last };
  return { outChannels, result: call.node({ kind: 'conv', attrs }, call.input, kernel, bias(outChannels)) };
}

/** Keras 2 and 3 keep the filters under different names. */
const depthwiseConvolution =
  (axes: number): LayerRow =>
  (call) =>
    activate(call, depthwise(call, axes, 'depthwise_kernel', (channels) => biasOf(call, channels)).result);

/** A depthwise convolution, then a pointwise one with the bias: a DSC. */
const separableConvolution =
  (axes: number): LayerRow =>
  (call) => {
    const { outChannels: between, result } = depthwise(call, axes, 'depthwise_kernel', () => null);
    const filters = call.config.count('filters');
    const ones = range(axes).map(() => 1);
    const kernel = call.weight('pointwise_kernel', [...ones, between, filters], { permutation: outputsFirst(axes) });
    const window = { kernel: ones, strides: ones, dilations: ones, padding: { mode: 'valid' } } as const;
    const attrs = { ...window, ...PLAIN, groups: 1, channelsLast: channelsLast(call) };
    return activate(call, call.node({ kind: 'conv', attrs }, result, kernel, biasOf(call, filters)));
  };

/**
 * Kernel: spatial…, filters, C_in. Along each axis Keras makes (in − 1)·s + max(k, s) positions without padding, in·s
 * with `same`; with `output_padding` p: (in − 1)·s + k − 2·⌊k/2⌋ + p under `same`, k the effective kernel.
 * (keras.src.backend.common.backend_utils.compute_conv_transpose_output_shape)
 */
const transposedConvolution =
  (axes: number): LayerRow =>
  (call) => {
    const { config, input } = call;
    const last = channelsLast(call);
    const { kernel, strides, dilations } = windowOf(call, axes);
    const filters = config.count('filters');
    const inChannels = call.extent(input, channelAxis(last));
    const isSame = config.choice('padding', ['valid', 'same'], 'valid') === 'same';
    const asked = config.has('output_padding') ? outputPadding(call, axes) : null;
    const settled = kernel.map((extent, axis) => {
      const covered = (extent - 1) * (dilations[axis] ?? 1) + 1;
      return transposedPads(covered, strides[axis] ?? 1, isSame, asked?.[axis] ?? null);
    });
    const pads = [...settled.map(({ begin }) => begin), ...settled.map(({ end }) => end)];
    const weight = call.weight('kernel', [...kernel, filters, inChannels], { permutation: outputsFirst(axes) });
    const attrs = {
      kernel,
      strides,
      dilations,
      padding: { mode: 'explicit', pads },
      groups: 1,
      channelsLast: last,
      activation: null,
      outputPadding: settled.map(({ behind }) => behind),
      outputShape: null,
    } as const;
    return activate(call, call.node({ kind: 'convTranspose', attrs }, input, weight, biasOf(call, filters)));
  };

/** What is cut from (in − 1)·s + k at the begin and the end, and what is added behind. */
function transposedPads(covered: number, stride: number, isSame: boolean, asked: number | null) {
  if (asked !== null) {
    const half = isSame ? Math.floor(covered / 2) : 0;
    return { begin: half, end: half, behind: asked };
  }
  const behind = Math.max(0, stride - covered);
  const cut = isSame ? Math.max(0, covered - stride) : 0;
  const begin = Math.floor(cut / 2);
  return { begin, end: cut - begin, behind };
}

function outputPadding({ config }: LayerCall, axes: number): readonly number[] {
  const given = config.integers('output_padding');
  const [only] = given;
  if (given.some((pad) => pad < 0)) throw config.invalid('output_padding', 'no negative number');
  return given.length === 1 && only !== undefined ? range(axes).map(() => only) : given;
}

/** A convolution whose weights differ from place to place: each output position has a matrix of its own. */
const locallyConnected =
  (axes: number): LayerRow =>
  (call) => {
    const last = channelsLast(call);
    const { kernel, strides } = windowOf(call, axes);
    const filters = call.config.count('filters');
    const x = last ? call.input : call.transpose(call.input, [0, ...range(axes).map((axis) => axis + 2), 1]);
    const channels = call.extent(x, -1);
    const counts = kernel.map((extent, axis) => {
      const room = call.extent(x, axis + 1) - extent;
      if (room < 0) throw call.invalid('has a kernel larger than its input');
      return Math.floor(room / (strides[axis] ?? 1)) + 1;
    });
    const patches = counts.reduce((gathered, count, axis) => {
      const extent = kernel[axis] ?? 1;
      const stride = strides[axis] ?? 1;
      const taps = range(count * extent).map((tap) => Math.floor(tap / extent) * stride + (tap % extent));
      return call.node({ kind: 'gather', attrs: { axis: axis + 1 } }, gathered, call.integers(taps));
    }, x);
    const split = call.reshape(patches, [0, ...counts.flatMap((count, axis) => [count, kernel[axis] ?? 1]), channels]);
    const order = [
      0,
      ...range(axes).map((axis) => 2 * axis + 1),
      ...range(axes).map((axis) => 2 * axis + 2),
      2 * axes + 1,
    ];
    const positions = counts.reduce((product, count) => product * count, 1);
    const taps = kernel.reduce((product, extent) => product * extent, channels);
    const rows = call.reshape(call.transpose(split, order), [0, positions, taps]);
    const weight = call.weight('kernel', [positions, taps, filters]);
    const product = call.node({ kind: 'einsum', attrs: { equation: 'bpt,ptf->bpf' } }, rows, weight);
    const made = call.reshape(product, [0, ...counts, filters]);
    const biased = call.config.flag('use_bias', true)
      ? binary(call, 'add', made, call.weight('bias', [...counts, filters]))
      : made;
    return activate(
      call,
      last ? biased : call.transpose(biased, [0, axes + 1, ...range(axes).map((axis) => axis + 1)]),
    );
  };

export const convolutionRows: LayerRows = {
  Conv1D: convolution(1),
  Conv2D: convolution(2),
  Conv3D: convolution(3),
  Convolution1D: convolution(1),
  Convolution2D: convolution(2),
  Convolution3D: convolution(3),
  Conv1DTranspose: transposedConvolution(1),
  Conv2DTranspose: transposedConvolution(2),
  Conv3DTranspose: transposedConvolution(3),
  Convolution1DTranspose: transposedConvolution(1),
  Convolution2DTranspose: transposedConvolution(2),
  Convolution3DTranspose: transposedConvolution(3),
  DepthwiseConv1D: depthwiseConvolution(1),
  DepthwiseConv2D: depthwiseConvolution(2),
  LocallyConnected1D: locallyConnected(1),
  LocallyConnected2D: locallyConnected(2),
  SeparableConv1D: separableConvolution(1),
  SeparableConv2D: separableConvolution(2),
  SeparableConvolution1D: separableConvolution(1),
  SeparableConvolution2D: separableConvolution(2),
};
