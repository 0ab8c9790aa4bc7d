import { type Fact, tensorFact } from '../ir/fact.ts';
import type { ElementwiseAttrs, UnaryFunction } from '../ir/operators.ts';
import { evaluateBinary, evaluateUnary, evaluateVariadic, isComparison, selectElements } from './evaluate.ts';
import { castElements } from './evaluate-cast.ts';
import { type InferContext, type LayerKind, type OpFamily, ShapeConflict } from './op-def.ts';
import { broadcastShapes, free, perOutputElement, sameAsInput, trackedTensor } from './shape-rules.ts';

/** Functions that networks put behind their layers; the rest is arithmetic. */
const ACTIVATIONS: ReadonlySet<UnaryFunction> = new Set([
  'celu',
  'elu',
  'gelu',
  'geluTanh',
  'hardSigmoid',
  'hardSwish',
  'leakyRelu',
  'mish',
  'quickGelu',
  'relu',
  'relu6',
  'selu',
  'shrink',
  'sigmoid',
  'silu',
  'softplus',
  'softsign',
  'tanh',
  'thresholdedRelu',
]);

const unaryKind = ({ fn }: { readonly fn: UnaryFunction }): LayerKind =>
  ACTIVATIONS.has(fn) ? 'activation' : 'elementwise';

const BOOLEAN_RESULTS: ReadonlySet<UnaryFunction> = new Set(['isInf', 'isNaN', 'not']);

function inferUnary({ fn }: ElementwiseAttrs['unary'], context: InferContext): readonly Fact[] {
  const { dtype, shape, elements } = context.tensor(0);
  const type = BOOLEAN_RESULTS.has(fn) ? 'bool' : dtype;
  return [trackedTensor(type, shape, elements && evaluateUnary(fn, elements, type))];
}

function inferBinary(attrs: ElementwiseAttrs['binary'], context: InferContext): readonly Fact[] {
  const [a, b] = [context.tensor(0), context.tensor(1)];
  const type = isComparison(attrs.fn) ? 'bool' : (a.dtype ?? b.dtype);
  if (attrs.alignAxis !== null) return [tensorFact(type, a.shape)];
  const shape = broadcastShapes([a.shape, b.shape]);
  return [trackedTensor(type, shape, evaluateBinary(attrs, a, b, shape, type))];
}

function inferVariadic({ fn }: ElementwiseAttrs['variadic'], context: InferContext): readonly Fact[] {
  const operands = context.inputs.map((_, index) => context.tensor(index));
  const present = operands.filter((_, index) => context.isPresent(index));
  const shape = broadcastShapes(present.map((operand) => operand.shape));
  const dtype = context.tensor(0).dtype;
  return [trackedTensor(dtype, shape, evaluateVariadic(fn, present, shape, dtype))];
}

/** max(x, lowest), and then min(that, highest): padding that a network works out for itself is cut off below 0. */
function inferClip(_attrs: ElementwiseAttrs['clip'], context: InferContext): readonly Fact[] {
  const { dtype, shape, elements } = context.tensor(0);
  const bounded = CLIP_BOUNDS.reduce<typeof elements>((inner, { input, fn }) => {
    if (inner === null || !context.isPresent(input)) return inner;
    return evaluateVariadic(fn, [trackedTensor(dtype, shape, inner), context.tensor(input)], shape, dtype);
  }, elements);
  return [trackedTensor(dtype, shape, bounded)];
}

const CLIP_BOUNDS = [
  { input: 1, fn: 'max' },
  { input: 2, fn: 'min' },
] as const;

function inferQuantized(attrs: ElementwiseAttrs['quantizedElementwise'], context: InferContext): readonly Fact[] {
  const shapes = attrs.operands.map((index) => context.tensor(index).shape);
  return [tensorFact(context.tensor(attrs.operands.at(-1) ?? 0).dtype, broadcastShapes(shapes))];
}

export const elementwiseOps: OpFamily<ElementwiseAttrs> = {
  unary: { kind: unaryKind, roles: { 0: 'carried' }, infer: inferUnary, cost: perOutputElement(1) },
  binary: {
    kind: 'elementwise',
    roles: { 0: 'operand', 1: 'operand' },
    infer: inferBinary,
    cost: perOutputElement(1),
  },
  variadic: {
    kind: 'elementwise',
    roles: { every: 'operand' },
    infer: inferVariadic,
    cost: (_attrs, { inputs, outputs }) => ({
      macs: 0,
      otherFlops: Math.max(1, inputs.length - 1) * (outputs[0]?.elements ?? 0),
    }),
  },
  clip: { kind: 'activation', roles: { 0: 'carried' }, infer: inferClip, cost: perOutputElement(1) },
  where: {
    kind: 'elementwise',
    roles: { 1: 'carried', 2: 'carried' },
    infer: (_attrs, context) => {
      const [condition, a, b] = [context.tensor(0), context.tensor(1), context.tensor(2)];
      const shape = broadcastShapes([condition.shape, a.shape, b.shape]);
      return [trackedTensor(a.dtype ?? b.dtype, shape, selectElements(condition, a, b, shape))];
    },
    cost: perOutputElement(1),
  },
  cast: {
    kind: 'elementwise',
    roles: { 0: 'carried' },
    infer: ({ to }, context) => {
      const { shape, elements, dtype } = context.tensor(0);
      return [trackedTensor(to, shape, elements && castElements(elements, dtype, to))];
    },
    cost: free,
  },
  castLike: {
    kind: 'elementwise',
    roles: { 0: 'carried' },
    infer: (_attrs, context) => {
      const { shape, elements, dtype } = context.tensor(0);
      const to = context.tensor(1).dtype;
      return [trackedTensor(to, shape, to && elements && castElements(elements, dtype, to))];
    },
    cost: free,
  },
  bitCast: {
    kind: 'elementwise',
    roles: { 0: 'carried' },
    infer: ({ to }, context) => [tensorFact(to, context.tensor(0).shape)],
    cost: free,
  },
  prelu: { kind: 'activation', roles: { 0: 'carried', 1: 'weight' }, infer: sameAsInput, cost: perOutputElement(1) },
  dropout: {
    kind: 'other',
    roles: { 0: 'carried' },
    infer: ({ mask }, context) => {
      const { dtype, shape, elements } = context.tensor(0);
      return [trackedTensor(dtype, shape, elements), tensorFact(mask === 'same' ? dtype : mask, shape)];
    },
    cost: free,
  },
  biasActivation: {
    kind: 'activation',
    roles: { 0: 'carried', 1: 'weight' },
    infer: sameAsInput,
    cost: perOutputElement(2),
  },
  gatedActivation: {
    kind: 'activation',
    roles: { 0: 'carried', 1: 'carried' },
    infer: sameAsInput,
    cost: perOutputElement(2),
  },
  quantize: {
    kind: 'elementwise',
    roles: { 0: 'carried' },
    infer: ({ to }, context) => {
      const zeroPoint = context.isPresent(2) ? context.tensor(2).dtype : null;
      return [tensorFact(to ?? zeroPoint ?? 'uint8', context.tensor(0).shape)];
    },
    cost: perOutputElement(1),
  },
  dequantize: {
    kind: 'elementwise',
    roles: { 0: 'carried' },
    infer: ({ to }, context) => [tensorFact(to ?? context.tensor(1).dtype ?? 'float32', context.tensor(0).shape)],
    cost: perOutputElement(1),
  },
  dynamicQuantize: {
    kind: 'elementwise',
    roles: { 0: 'carried' },
    infer: (_attrs, context) => [
      tensorFact('uint8', context.tensor(0).shape),
      tensorFact('float32', []),
      tensorFact('uint8', []),
    ],
    // The extremes are found first, then every element is scaled.
    cost: perOutputElement(3),
  },
  quantizedElementwise: {
    kind: 'elementwise',
    roles: { every: 'operand' },
    infer: inferQuantized,
    cost: perOutputElement(1),
  },
  identity: {
    kind: 'other',
    roles: { 0: 'carried' },
    infer: (_attrs, context) => {
      const input = context.inputs[0];
      if (!input) throw new ShapeConflict('nothing to copy');
      return [input];
    },
    cost: free,
  },
};
