import { addDims, type Dim, isStatic, maxDims, minDims, productOfDims } from '../ir/dim.ts';
import { type Element, type Fact, type Shape, type TensorFact, tensorFact } from '../ir/fact.ts';
import type { ReduceAttrs, ReduceFunction } from '../ir/operators.ts';
import type { InferContext, OpFamily } from './op-def.ts';
import { reduceGroups } from './reduce-elements.ts';
import { extentAt, normaliseAxis, perInputElement, replaceAxis, sameAsInput, trackedTensor } from './shape-rules.ts';

/** The axes that are reduced; null where they are computed by the model itself and unknown. */
function reducedAxes(attrs: ReduceAttrs['reduce'], context: InferContext, rank: number): readonly number[] | null {
  const given = context.isPresent(1) ? context.integers(1) : [];
  if (given === null) return null;
  if (given.length > 0) return given.map((axis) => normaliseAxis(axis, rank));
  return attrs.noopWithoutAxes ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

function inferReduce(attrs: ReduceAttrs['reduce'], context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const { dtype, shape } = input;
  if (shape === null) return [tensorFact(dtype, null)];
  const axes = reducedAxes(attrs, context, shape.length);
  if (axes === null) {
    const kept = attrs.keepDims ? shape.map((_, axis) => context.dataDependent('reduced', axis)) : null;
    return [tensorFact(dtype, kept)];
  }
  const reduced = reduceShape(shape, axes, attrs.keepDims);
  return [trackedTensor(dtype, reduced, reduceElements(attrs.fn, input, axes))];
}

function reduceShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  if (keepDims) return shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  return shape.filter((_, axis) => !axes.includes(axis));
}

const COMBINE: Partial<Record<ReduceFunction, (elements: readonly Dim[]) => Dim>> = {
  max: (elements) => elements.reduce(maxDims),
  min: (elements) => elements.reduce(minDims),
  prod: productOfDims,
  sum: (elements) => elements.reduce(addDims, 0),
};

function reduceElements(fn: ReduceFunction, input: TensorFact, axes: readonly number[]): readonly Element[] | null {
  const combine = COMBINE[fn];
  if (combine === undefined) return null;
  return reduceGroups(input, axes, (elements) => {
    const known = elements.filter((element) => element !== null);
    if (known.length < elements.length || known.length === 0) return fn === 'prod' && elements.length === 0 ? 1 : null;
    return combine(known);
  });
}

function inferTopK({ axis }: ReduceAttrs['topK'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return [tensorFact(dtype, null), tensorFact('int64', null)];
  const at = normaliseAxis(axis, shape.length);
  const k = context.tensor(1).elements?.[0] ?? null;
  const extent = k ?? context.dataDependent('top');
  const top = replaceAxis(shape, at, isStatic(extent) ? Math.max(0, extent) : extent);
  return [tensorFact(dtype, top), tensorFact('int64', top)];
}

function inferArgReduce({ axis, keepDims }: ReduceAttrs['argReduce'], context: InferContext): readonly Fact[] {
  const { shape } = context.tensor(0);
  if (shape === null) return [tensorFact('int64', null)];
  return [tensorFact('int64', reduceShape(shape, [normaliseAxis(axis, shape.length)], keepDims))];
}

function inferLoss({ reduction }: ReduceAttrs['classificationLoss'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  const labels = shape === null ? context.tensor(1).shape : [extentAt(shape, 0), ...shape.slice(2)];
  return [tensorFact(dtype, reduction === 'none' ? labels : []), tensorFact(dtype, shape)];
}

export const reduceOps: OpFamily<ReduceAttrs> = {
  reduce: { kind: 'reduce', roles: { 0: 'carried' }, infer: inferReduce, cost: perInputElement(1) },
  argReduce: { kind: 'reduce', roles: {}, infer: inferArgReduce, cost: perInputElement(1) },
  cumulate: { kind: 'reduce', roles: { 0: 'carried' }, infer: sameAsInput, cost: perInputElement(1) },
  topK: { kind: 'reduce', roles: { 0: 'carried' }, infer: inferTopK, cost: perInputElement(1) },
  classificationLoss: {
    kind: 'reduce',
    roles: { 2: 'operand' },
    infer: inferLoss,
    cost: ({ softmax }, { inputs, outputs }) => ({
      macs: 0,
      otherFlops: (softmax ? 5 : 1) * (inputs[0]?.elements ?? 0) + (outputs[0]?.elements ?? 0),
    }),
  },
};
