import type { DType } from '../../../ir/dtype.ts';
import { DscAuditError } from '../../../ir/errors.ts';
import type { BinaryFunction, UnaryFunction } from '../../../ir/operators.ts';
import type { OnnxNode } from '../onnx-node.ts';
import { always, type Lowering, type Rows } from './row.ts';

/** Defaults of `alpha` and `beta` are those of the operator's own page. */
const unary =
  (fn: UnaryFunction, alpha: number | null = null, beta: number | null = null, names = ['alpha', 'beta']): Lowering =>
  (node) => ({
    kind: 'unary',
    attrs: {
      fn,
      alpha: node.optionalFloat(names[0] ?? '') ?? alpha,
      beta: node.optionalFloat(names[1] ?? '') ?? beta,
    },
  });

const binary =
  (fn: BinaryFunction): Lowering =>
  (node) => ({
    kind: 'binary',
    attrs: {
      fn,
      alignAxis: node.opset < 7 && node.flag('broadcast') ? node.optionalInt('axis') : null,
      truncates: node.flag('fmod'),
      left: node.string('direction', 'LEFT') === 'LEFT',
    },
  });

const variadic = (fn: 'max' | 'mean' | 'min' | 'sum') => always('variadic', { fn });

const biasActivation = (fn: UnaryFunction): Lowering => {
  const plain = unary(fn);
  return (node) => (node.input(1) === null ? plain(node) : { kind: 'biasActivation', attrs: { fn } });
};

const gelu: Lowering = (node) => ({
  kind: 'unary',
  attrs: { fn: node.string('approximate', 'none') === 'tanh' ? 'geluTanh' : 'gelu', alpha: null, beta: null },
});

/** `to` was spelt out before operator set 6. */
function castTarget(node: OnnxNode): DType {
  const dtype = node.dtype('to') ?? OLD_TYPE_NAMES[node.string('to', '').toUpperCase()] ?? null;
  if (dtype === null) throw new DscAuditError('malformed-model', `${node.op} names no known type to cast to.`);
  return dtype;
}

const OLD_TYPE_NAMES: Readonly<Record<string, DType>> = {
  FLOAT: 'float32',
  UINT8: 'uint8',
  INT8: 'int8',
  UINT16: 'uint16',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  STRING: 'string',
  BOOL: 'bool',
  FLOAT16: 'float16',
  DOUBLE: 'float64',
  UINT32: 'uint32',
  UINT64: 'uint64',
  COMPLEX64: 'complex64',
  COMPLEX128: 'complex128',
};

export const elementwiseRows: Rows = {
  Abs: unary('abs'),
  Acos: unary('acos'),
  Acosh: unary('acosh'),
  Asin: unary('asin'),
  Asinh: unary('asinh'),
  Atan: unary('atan'),
  Atanh: unary('atanh'),
  BitwiseNot: unary('bitwiseNot'),
  Ceil: unary('ceil'),
  Celu: unary('celu', 1),
  Cos: unary('cos'),
  Cosh: unary('cosh'),
  Elu: unary('elu', 1),
  Erf: unary('erf'),
  Exp: unary('exp'),
  Floor: unary('floor'),
  Gelu: gelu,
  HardSigmoid: unary('hardSigmoid', 0.2, 0.5),
  HardSwish: unary('hardSwish', 1 / 6, 0.5),
  IsInf: unary('isInf'),
  IsNaN: unary('isNaN'),
  LeakyRelu: unary('leakyRelu', 0.01),
  Log: unary('log'),
  Mish: unary('mish'),
  Neg: unary('neg'),
  Not: unary('not'),
  Reciprocal: unary('reciprocal'),
  Relu: unary('relu'),
  Round: unary('round'),
  Selu: unary('selu', 1.6732632423543772, 1.0507009873554805, ['alpha', 'gamma']),
  Shrink: unary('shrink', 0.5, 0, ['lambd', 'bias']),
  Sigmoid: unary('sigmoid'),
  Sign: unary('sign'),
  Sin: unary('sin'),
  Sinh: unary('sinh'),
  Softplus: unary('softplus'),
  Softsign: unary('softsign'),
  Sqrt: unary('sqrt'),
  Swish: unary('silu', 1),
  Tan: unary('tan'),
  Tanh: unary('tanh'),
  ThresholdedRelu: unary('thresholdedRelu', 1),

  Add: binary('add'),
  And: binary('and'),
  BitShift: binary('bitShift'),
  BitwiseAnd: binary('bitwiseAnd'),
  BitwiseOr: binary('bitwiseOr'),
  BitwiseXor: binary('bitwiseXor'),
  Div: binary('div'),
  Equal: binary('equal'),
  Greater: binary('greater'),
  GreaterOrEqual: binary('greaterOrEqual'),
  Less: binary('less'),
  LessOrEqual: binary('lessOrEqual'),
  Mod: binary('mod'),
  Mul: binary('mul'),
  Or: binary('or'),
  Pow: binary('pow'),
  Sub: binary('sub'),
  Xor: binary('xor'),

  Max: variadic('max'),
  Mean: variadic('mean'),
  Min: variadic('min'),
  Sum: variadic('sum'),

  Clip: (node) => ({
    kind: 'clip',
    attrs: {},
    inputs: [node.input(0), scalarInput(node, 1, 'min'), scalarInput(node, 2, 'max')],
  }),
  Where: always('where', {}),
  Cast: (node) => ({ kind: 'cast', attrs: { to: castTarget(node) } }),
  CastLike: always('castLike', {}),
  BitCast: (node) => ({ kind: 'bitCast', attrs: { to: castTarget(node) } }),
  PRelu: always('prelu', {}),
  Dropout: (node) => ({ kind: 'dropout', attrs: { mask: node.opset < 10 ? 'same' : 'bool' } }),
  Identity: always('identity', {}),
  SwiGLU: always('gatedActivation', {}),
  QuantizeLinear: (node) => ({ kind: 'quantize', attrs: { to: node.dtype('output_dtype') } }),
  DequantizeLinear: (node) => ({
    kind: 'dequantize',
    attrs: { to: node.dtype('output_dtype'), axis: node.int('axis', 1), blockSize: node.int('block_size', 0) },
  }),
  DynamicQuantizeLinear: always('dynamicQuantize', {}),
};

/** Bounds were attributes before operator set 11. */
function scalarInput(node: OnnxNode, index: number, attribute: string) {
  const given = node.input(index);
  const value = node.optionalFloat(attribute);
  return given !== null || value === null ? given : node.number(value);
}

const quantizedElementwise = (...operands: number[]) => always('quantizedElementwise', { operands });

export const microsoftElementwiseRows: Rows = {
  Gelu: gelu,
  FastGelu: biasActivation('geluTanh'),
  BiasGelu: biasActivation('gelu'),
  QuickGelu: unary('quickGelu', 1.702),
  BiasAdd: variadic('sum'),
  // x, bias, residual?, ratio?, training?: as inference runs it, a sum.
  BiasDropout: (node) => ({ kind: 'variadic', attrs: { fn: 'sum' }, inputs: [0, 1, 2].map((i) => node.input(i)) }),
  BitmaskDropout: always('dropout', { mask: 'bool' }),
  QuantizeLinear: always('quantize', { to: null }),
  DequantizeLinear: (node) => ({
    kind: 'dequantize',
    attrs: { to: null, axis: node.int('axis', 1), blockSize: node.int('block_size', 0) },
  }),
  QLinearAdd: quantizedElementwise(0, 3),
  QLinearMul: quantizedElementwise(0, 3),
  QLinearSigmoid: quantizedElementwise(0),
  QLinearLeakyRelu: quantizedElementwise(0),
  QLinearWhere: (node) => ({
    kind: 'quantizedElementwise',
    attrs: { operands: [0, 1, 2] },
    inputs: node.reorder(1, 0, 4),
  }),
};
