import { isObject, type Json, member, parseJson, textOf } from '../json.ts';
import { type LayerCall, UnknownInput } from '../layer-call.ts';
import * as functions from './functions.ts';
import { operationRows } from './operations.ts';
import type { LayerRow, LayerRows } from './row.ts';

/** TensorFlow's functions that `keras.ops` has under another name, by what stands behind the last dot. */
const RENAMED: Readonly<Record<string, string>> = {
  argmax: 'Argmax',
  argmin: 'Argmin',
  ceil: 'Ceil',
  clip_by_value: 'Clip',
  concat: 'Concatenate',
  divide_no_nan: 'DivideNoNan',
  floordiv: 'FloorDivide',
  floormod: 'Mod',
  identity: 'Copy',
  l2_normalize: 'Normalize',
  mul: 'Multiply',
  neg: 'Negative',
  pow: 'Power',
  realdiv: 'Divide',
  reduce_all: 'All',
  reduce_any: 'Any',
  reduce_logsumexp: 'Logsumexp',
  reduce_max: 'Max',
  reduce_mean: 'Mean',
  reduce_min: 'Min',
  reduce_prod: 'Prod',
  reduce_std: 'Std',
  reduce_sum: 'Sum',
  reduce_variance: 'Var',
  reverse: 'Flip',
  sub: 'Subtract',
  swish: 'Silu',
  truediv: 'Divide',
};

/** Functions that differ from those of `keras.ops` in more than the name. */
const OWN: LayerRows = {
  bias_add: functions.arithmetic('add'),
  gather: functions.gathered(0),
  getitem: functions.subscripted,
  leaky_relu: functions.parametric('leakyRelu', 0.2, 'alpha'),
  ones_like: functions.filledLike(1),
  shape: functions.shapeOf,
  split: functions.split('lengths'),
  squared_difference: functions.squaredDifference,
};

/** `math.reduce_mean`, `__operators__.add`, `compat.v1.transpose`, `nn.relu`. */
function functionRow(name: string): LayerRow | undefined {
  const plain = name.split('.').at(-1) ?? name;
  if (Object.hasOwn(OWN, plain)) return OWN[plain];
  const className = Object.hasOwn(RENAMED, plain) ? RENAMED[plain] : pascalCase(plain);
  return className !== undefined && Object.hasOwn(operationRows, className) ? operationRows[className] : undefined;
}

/** `expand_dims` → `ExpandDims`. */
const pascalCase = (name: string): string =>
  name
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');

/** A call of a TensorFlow function that Keras 2 made a layer of. */
const lowerFunction: LayerRow = (call) => {
  const name = call.config.text('function');
  const row = functionRow(name);
  if (row === undefined) throw new UnknownInput(`the function ${name} is unknown`);
  return row(call);
};

/** A node of a TensorFlow graph: Keras of TensorFlow 2.0 to 2.3 kept it as JSON, its constants beside it. */
const NODES: Readonly<Record<string, LayerRow>> = {
  Abs: functions.elementwise('abs'),
  Add: functions.arithmetic('add'),
  AddV2: functions.arithmetic('add'),
  BiasAdd: functions.arithmetic('add'),
  Div: functions.arithmetic('div'),
  Exp: functions.elementwise('exp'),
  Identity: functions.copied,
  Log: functions.elementwise('log'),
  Maximum: functions.extreme('max'),
  Minimum: functions.extreme('min'),
  Mul: functions.arithmetic('mul'),
  Neg: functions.elementwise('neg'),
  Pow: functions.arithmetic('pow'),
  RealDiv: functions.arithmetic('div'),
  Relu: functions.elementwise('relu'),
  Relu6: functions.elementwise('relu6'),
  Rsqrt: functions.elementwise('rsqrt'),
  Sigmoid: functions.elementwise('sigmoid'),
  Softmax: functions.softmaxOf(false),
  Sqrt: functions.elementwise('sqrt'),
  Square: functions.elementwise('square'),
  Sub: functions.arithmetic('sub'),
  Tanh: functions.elementwise('tanh'),
};

const lowerNode: LayerRow = (call) => {
  const definition = nodeDefinition(call);
  const op = textOf(member(definition, 'op')) ?? 'none';
  const row = Object.hasOwn(NODES, op) ? NODES[op] : undefined;
  if (row === undefined) throw new UnknownInput(`the operator ${op} is unknown`);
  return row(call.withConstants(constantsOf(call)));
};

function nodeDefinition(call: LayerCall): Json | undefined {
  const given = call.config.value('node_def');
  if (typeof given !== 'string') return given;
  if (!given.trimStart().startsWith('{')) throw new UnknownInput('its node is not kept as JSON');
  return parseJson(given);
}

/** Operands that are no tensors, by their position. */
function constantsOf(call: LayerCall): ReadonlyMap<number, Json> {
  const given = call.config.value('constants');
  if (!isObject(given)) return new Map();
  return new Map(Object.entries(given).map(([position, value]) => [Number(position), value]));
}

export const tfOperationRows: LayerRows = {
  SlicingOpLambda: functions.subscripted,
  TFOpLambda: lowerFunction,
  TensorFlowOpLayer: lowerNode,
};
