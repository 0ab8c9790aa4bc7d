import type { ValueId } from '../../../ir/graph.ts';
import type { BinaryFunction, UnaryFunction } from '../../../ir/operators.ts';
import { isList, isObject, type Json, member, textOf } from '../json.ts';
import type { LayerCall } from '../layer-call.ts';
import { innerLayerSpec } from '../model-config.ts';
import type { LayerRow, LayerRows } from './row.ts';

type Activation = (call: LayerCall, x: ValueId) => ValueId;

/** One function of one number. */
export function unary(
  call: LayerCall,
  fn: UnaryFunction,
  x: ValueId,
  alpha: number | null = null,
  beta: number | null = null,
): ValueId {
  return call.node({ kind: 'unary', attrs: { fn, alpha, beta } }, x);
}

export function binary(call: LayerCall, fn: BinaryFunction, a: ValueId, b: ValueId): ValueId {
  return call.node({ kind: 'binary', attrs: { fn, alignAxis: null, truncates: false, left: true } }, a, b);
}

export function clip(call: LayerCall, x: ValueId, min: number | null, max: number | null): ValueId {
  const bound = (value: number | null) => (value === null ? null : call.number(value, x));
  return call.node({ kind: 'clip', attrs: {} }, x, bound(min), bound(max));
}

export function softmax(call: LayerCall, x: ValueId, axis = -1, log = false): ValueId {
  return call.node({ kind: 'softmax', attrs: { axis, coerces: false, log } }, x);
}

const plain =
  (fn: UnaryFunction, alpha: number | null = null, beta: number | null = null): Activation =>
  (call, x) =>
    unary(call, fn, x, alpha, beta);

/** Constants of selu (1706.02515). */
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** Keras's own activations, with the defaults of their arguments. (keras.activations) */
const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  linear: (_call, x) => x,
  celu: plain('celu', 1),
  elu: plain('elu', 1),
  exponential: plain('exp'),
  gelu: plain('gelu'),
  // relu6(x + 3) / 6.
  hard_sigmoid: plain('hardSigmoid', 1 / 6, 0.5),
  hard_silu: plain('hardSwish', 1 / 6, 0.5),
  hard_swish: plain('hardSwish', 1 / 6, 0.5),
  hard_tanh: (call, x) => clip(call, x, -1, 1),
  hard_shrink: plain('shrink', 0.5, 0),
  leaky_relu: plain('leakyRelu', 0.2),
  log_sigmoid: (call, x) => unary(call, 'neg', unary(call, 'softplus', unary(call, 'neg', x))),
  log_softmax: (call, x) => softmax(call, x, -1, true),
  mish: plain('mish'),
  relu: plain('relu'),
  relu6: plain('relu6'),
  selu: plain('selu', SELU_ALPHA, SELU_SCALE),
  sigmoid: plain('sigmoid'),
  silu: plain('silu', 1),
  soft_shrink: plain('shrink', 0.5, 0.5),
  softmax: (call, x) => softmax(call, x),
  softplus: plain('softplus'),
  softsign: plain('softsign'),
  swish: plain('silu', 1),
  tanh: plain('tanh'),
  tanh_shrink: (call, x) => binary(call, 'sub', x, unary(call, 'tanh', x)),
  threshold: plain('thresholdedRelu', 0),
};

/** Applies what a field such as `activation` names: a function, a layer, or somebody's own function. */
export function activate(call: LayerCall, x: ValueId, field = 'activation'): ValueId {
  const value = call.config.value(field) ?? null;
  if (value === null) return x;
  const name = textOf(value) ?? functionName(value);
  if (name !== null) return (known(name) ?? unknownFunction)(call, x);
  if (!isObject(value)) throw call.config.invalid(field, 'the name of an activation');
  const [result = x] = call.inner(innerLayerSpec(value, `'${field}'`), field, [x]);
  return result;
}

/** The row of one of Keras's own activations. */
export function activationOf(name: string): Activation {
  return known(name) ?? unknownFunction;
}

function known(name: string): Activation | undefined {
  const plainName = name.replace(/^keras\.activations\./, '').toLowerCase();
  return Object.hasOwn(ACTIVATIONS, plainName) ? ACTIVATIONS[plainName] : undefined;
}

/** `{class_name: 'function', config: 'relu'}`, or a function of `keras.activations` by its class name. */
function functionName(value: Json): string | null {
  const className = textOf(member(value, 'class_name'));
  if (className === 'function') return textOf(member(value, 'config')) ?? 'function';
  return className !== null && known(className) !== undefined ? className : null;
}

/** An element for an element, as activations do; what it costs nobody knows. */
const unknownFunction: Activation = (call, x) => call.unknownLike(x);

const lowerReLU: LayerRow = (call) => {
  const max = call.config.optionalNumber('max_value');
  const slope = call.config.number('negative_slope', 0);
  const threshold = call.config.number('threshold', 0);
  const x = call.input;
  const isPlain = slope === 0 && threshold === 0;
  if (isPlain && max === null) return unary(call, 'relu', x);
  if (isPlain && max === 6) return unary(call, 'relu6', x);
  if (isPlain) return clip(call, x, 0, max);
  // x where it is at least the threshold, else slope · (x − threshold).
  const shifted = threshold === 0 ? x : binary(call, 'sub', x, call.number(threshold, x));
  const below = binary(call, 'mul', shifted, call.number(slope, x));
  const isAbove = binary(call, 'greaterOrEqual', x, call.number(threshold, x));
  const chosen = call.node({ kind: 'where', attrs: {} }, isAbove, x, below);
  return max === null ? chosen : clip(call, chosen, null, max);
};

/** The slope has an extent of 1 on the axes that share one. */
const lowerPReLU: LayerRow = (call) => {
  const x = call.input;
  const rank = call.rank(x);
  const shared = new Set(call.config.has('shared_axes') ? call.config.integers('shared_axes') : []);
  const shape = Array.from({ length: rank - 1 }, (_, index) => (shared.has(index + 1) ? 1 : call.extent(x, index + 1)));
  return call.node({ kind: 'prelu', attrs: {} }, x, call.weight('alpha', shape));
};

/** Several axes are one for the softmax: they are moved behind and joined. */
const lowerSoftmax: LayerRow = (call) => {
  const axis = call.config.value('axis');
  if (!isList(axis)) return softmax(call, call.input, call.config.integer('axis', -1));
  const axes = call.config.integers('axis');
  const [only] = axes;
  if (axes.length === 1 && only !== undefined) return softmax(call, call.input, only);
  const x = call.input;
  const rank = call.rank(x);
  const joined = axes.map((one) => (one < 0 ? one + rank : one));
  const rest = Array.from({ length: rank }, (_, index) => index).filter((index) => !joined.includes(index));
  const order = [...rest, ...joined];
  const moved = call.transpose(x, order);
  const flat = call.reshape(moved, [...rest.map(() => 0), -1]);
  const back = call.reshapeLike(softmax(call, flat), moved);
  return call.transpose(
    back,
    order.map((_, index) => order.indexOf(index)),
  );
};

export const activationRows: LayerRows = {
  Activation: (call) => activate(call, call.input),
  ELU: (call) => unary(call, 'elu', call.input, call.config.number('alpha', 1)),
  // Keras 2 calls the slope alpha.
  LeakyReLU: (call) =>
    unary(
      call,
      'leakyRelu',
      call.input,
      call.config.optionalNumber('negative_slope') ?? call.config.number('alpha', 0.3),
    ),
  PReLU: lowerPReLU,
  ReLU: lowerReLU,
  Softmax: lowerSoftmax,
  ThresholdedReLU: (call) => unary(call, 'thresholdedRelu', call.input, call.config.number('theta', 1)),
};
