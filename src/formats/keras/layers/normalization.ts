import type { ValueId } from '../../../ir/graph.ts';
import { type LayerCall, UnknownInput } from '../layer-call.ts';
import { innerLayerSpec } from '../model-config.ts';
import { binary, unary } from './activation.ts';
import type { LayerRow, LayerRows } from './row.ts';

/** Axes counted from the front. */
function axesOf(call: LayerCall, fallback: number): readonly number[] {
  const rank = call.rank(call.input);
  const axes = call.config.has('axis') ? call.config.integers('axis') : [fallback];
  return axes.map((axis) => {
    const normal = axis < 0 ? axis + rank : axis;
    if (normal < 0 || normal >= rank) throw call.config.invalid('axis', `an axis of its ${rank}`);
    return normal;
  });
}

/** The scale and shift that are left out are 1 and 0. */
const lowerBatchNormalization: LayerRow = (call) => {
  const { config, input } = call;
  const [axis = -1] = axesOf(call, -1);
  const channels = call.extent(input, axis);
  const gamma = config.flag('scale', true) ? call.weight('gamma', [channels]) : call.filled(1, channels);
  const beta = config.flag('center', true) ? call.weight('beta', [channels]) : call.filled(0, channels);
  const mean = call.weight('moving_mean', [channels], { frozen: true });
  const variance = call.weight('moving_variance', [channels], { frozen: true });
  const attrs = { channelAxis: axis, training: false, epsilon: config.number('epsilon', 1e-3) };
  return call.node({ kind: 'batchNorm', attrs }, input, gamma, beta, mean, variance);
};

/** Over the last axes one operator does it; over others the arithmetic is spelt out. */
const lowerLayerNormalization: LayerRow = (call) => {
  const { config, input } = call;
  const rank = call.rank(input);
  const axes = [...axesOf(call, -1)].sort((a, b) => a - b);
  const shape = axes.map((axis) => call.extent(input, axis));
  const rms = config.flag('rms_scaling', false);
  const gamma = config.flag('scale', true) || rms ? call.weight('gamma', shape) : null;
  const beta = config.flag('center', true) && !rms ? call.weight('beta', shape) : null;
  return normalised(call, { axes, rank, rms, gamma, beta, epsilon: config.number('epsilon', 0.001) });
};

interface Normalisation {
  readonly axes: readonly number[];
  readonly rank: number;
  readonly rms: boolean;
  readonly gamma: ValueId | null;
  readonly beta: ValueId | null;
  readonly epsilon: number;
}

function normalised(call: LayerCall, { axes, rank, rms, gamma, beta, epsilon }: Normalisation): ValueId {
  const first = axes[0] ?? rank;
  const { input } = call;
  const isLast = axes.every((axis, index) => axis === rank - axes.length + index);
  if (isLast) return call.node({ kind: 'layerNorm', attrs: { axis: first, rms, epsilon } }, input, gamma, beta);
  const rest = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = [...rest, ...axes];
  const attrs = { axis: rest.length, rms, epsilon };
  const result = call.node({ kind: 'layerNorm', attrs }, call.transpose(input, order), gamma, beta);
  return call.transpose(
    result,
    order.map((_, axis) => order.indexOf(axis)),
  );
}

/** Over the last axes, with a scale alone. */
const lowerRMSNormalization: LayerRow = (call) => {
  const rank = call.rank(call.input);
  const axes = [...axesOf(call, -1)].sort((a, b) => a - b);
  const shape = axes.map((axis) => call.extent(call.input, axis));
  const gamma = call.weight('scale', shape);
  const epsilon = call.config.number('epsilon', 1e-6);
  return normalised(call, { axes, rank, rms: true, gamma, beta: null, epsilon });
};

/** The channels are brought to axis 1, as the graph's operator has them. */
const lowerGroupNormalization: LayerRow = (call) => {
  const { config, input } = call;
  const rank = call.rank(input);
  const [axis = rank - 1] = axesOf(call, -1);
  const channels = call.extent(input, axis);
  const asked = config.integer('groups', 32);
  const groups = asked === -1 ? channels : asked;
  if (groups < 1 || channels % groups !== 0) throw config.invalid('groups', `a divisor of its ${channels} channels`);
  const gamma = config.flag('scale', true) ? call.weight('gamma', [channels]) : call.filled(1, channels);
  const beta = config.flag('center', true) ? call.weight('beta', [channels]) : call.filled(0, channels);
  const others = Array.from({ length: rank }, (_, index) => index).filter((index) => index !== 0 && index !== axis);
  const order = [0, axis, ...others];
  const isInOrder = order.every((from, to) => from === to);
  const moved = isInOrder ? input : call.transpose(input, order);
  const attrs = { groups, activation: false, epsilon: config.number('epsilon', 0.001) };
  const result = call.node({ kind: 'groupNorm', attrs }, moved, gamma, beta);
  return isInOrder
    ? result
    : call.transpose(
        result,
        order.map((_, index) => order.indexOf(index)),
      );
};

/** x / max(‖x‖, ε) along the axes. */
const lowerUnitNormalization: LayerRow = (call) => {
  const attrs = { fn: 'sumSquare', keepDims: true, noopWithoutAxes: false } as const;
  const squares = call.node({ kind: 'reduce', attrs }, call.input, call.integers(axesOf(call, -1)));
  const length = unary(
    call,
    'sqrt',
    call.node({ kind: 'variadic', attrs: { fn: 'max' } }, squares, call.number(1e-12, squares)),
  );
  return binary(call, 'div', call.input, length);
};

/** The fields that tell the last axis of a layer's kernel, or of its table. */
const LAST_EXTENT = ['filters', 'units', 'output_dim', 'depth_multiplier'] as const;

/** Training divides the kernel by its spectral norm, with the help of a vector that it keeps; inference finds it done. */
const lowerSpectralNormalization: LayerRow = (call) => {
  const spec = innerLayerSpec(call.config.value('layer'), `'layer'`);
  const results = call.inner(spec, 'layer', call.inputs);
  const { config } = call.innerCall(spec, 'layer', call.inputs);
  const field = LAST_EXTENT.find((name) => config.has(name));
  if (field === undefined) throw new UnknownInput(`the kernel of ${spec.className} is unknown`);
  // Archives list the kernel with the wrapper's own weights, in front of them.
  call.storedShape('kernel');
  call.weight('vector_u', [1, config.count(field)], { frozen: true });
  return results;
};

export const normalizationRows: LayerRows = {
  BatchNormalization: lowerBatchNormalization,
  BatchNormalizationV1: lowerBatchNormalization,
  BatchNormalizationV2: lowerBatchNormalization,
  SyncBatchNormalization: lowerBatchNormalization,
  GroupNormalization: lowerGroupNormalization,
  LayerNormalization: lowerLayerNormalization,
  SpectralNormalization: lowerSpectralNormalization,
  RMSNormalization: lowerRMSNormalization,
  UnitNormalization: lowerUnitNormalization,
};
