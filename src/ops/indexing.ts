import { type Dim, dimKey, isStatic, productOfDims } from '../ir/dim.ts';
import { countElements } from '../ir/extents.ts';
import { type Fact, staticShape, tensorFact } from '../ir/fact.ts';
import type { IndexingAttrs } from '../ir/operators.ts';
import { gatherElements, gatherNDElements } from './move-elements.ts';
import { moves } from './moves.ts';
import type { InferContext, OpDef, OpFamily } from './op-def.ts';
import { extentAt, normaliseAxis, perOutputElement, replaceAxis, sameAsInput, trackedTensor } from './shape-rules.ts';

function inferGather({ axis }: IndexingAttrs['gather'], context: InferContext): readonly Fact[] {
  const [input, indices] = [context.tensor(0), context.tensor(1)];
  if (input.shape === null || indices.shape === null) return [tensorFact(input.dtype, null)];
  const at = normaliseAxis(axis, input.shape.length);
  const shape = replaceAxis(input.shape, at, ...indices.shape);
  return [trackedTensor(input.dtype, shape, gatherElements(input, indices, at))];
}

function inferGatherND({ batchDims }: IndexingAttrs['gatherND'], context: InferContext): readonly Fact[] {
  const [input, indices] = [context.tensor(0), context.tensor(1)];
  const depth = indices.shape?.at(-1);
  if (input.shape === null || indices.shape === null || typeof depth !== 'number') {
    return [tensorFact(input.dtype, null)];
  }
  const shape = [...indices.shape.slice(0, -1), ...input.shape.slice(batchDims + depth)];
  return [trackedTensor(input.dtype, shape, batchDims === 0 ? gatherNDElements(input, indices) : null)];
}

function inferCompress({ axis }: IndexingAttrs['compress'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  const chosen = context.integers(1)?.filter((value) => value !== 0).length;
  const extent = chosen ?? context.dataDependent('compressed');
  if (axis === null) return [tensorFact(dtype, [extent])];
  return [tensorFact(dtype, shape && replaceAxis(shape, normaliseAxis(axis, shape.length), extent))];
}

function inferOneHot({ axis }: IndexingAttrs['oneHot'], context: InferContext): readonly Fact[] {
  const { shape } = context.tensor(0);
  const { dtype } = context.tensor(2);
  if (shape === null) return [tensorFact(dtype, null)];
  const at = normaliseAxis(axis, shape.length + 1);
  const depth = context.tensor(1).elements?.[0] ?? context.dataDependent('depth');
  return [tensorFact(dtype, [...shape.slice(0, at), isStatic(depth) ? Math.trunc(depth) : depth, ...shape.slice(at)])];
}

function inferNonZero(_attrs: unknown, context: InferContext): readonly Fact[] {
  const { elements, shape } = context.tensor(0);
  const extents = staticShape(shape);
  const rank: Dim = shape === null ? context.dataDependent('nonzero_rank') : Math.max(1, shape.length);
  if (elements === null || extents === null || !elements.every((element) => element !== null && isStatic(element))) {
    return [tensorFact('int64', [rank, context.dataDependent('nonzero')])];
  }
  const found = elements.flatMap((element, index) => (element === 0 ? [] : [index]));
  const strides = extents.map((_, axis) => countElements(extents.slice(axis + 1)));
  const coordinates = extents.flatMap((extent, axis) =>
    found.map((index) => Math.floor(index / (strides[axis] ?? 1)) % extent),
  );
  return [trackedTensor('int64', [rank, found.length], extents.length === 0 ? found : coordinates)];
}

function inferUnique({ axis }: IndexingAttrs['unique'], context: InferContext): readonly Fact[] {
  const { dtype, shape, elements } = context.tensor(0);
  const known = axis === null && elements?.every((element) => element !== null);
  const count = known
    ? new Set(elements?.map((element) => dimKey(element ?? 0))).size
    : context.dataDependent('unique');
  const values = axis === null ? [count] : shape && replaceAxis(shape, normaliseAxis(axis, shape.length), count);
  const origin =
    axis === null ? shape && productOfDims(shape) : shape && extentAt(shape, normaliseAxis(axis, shape.length));
  const positions = tensorFact('int64', [count]);
  return [tensorFact(dtype, values), positions, tensorFact('int64', origin === null ? null : [origin]), positions];
}

/** One addition for each update, where updates are added up. */
const scatterCost: OpDef<'scatterND'>['cost'] = ({ adds }, { inputs }) => ({
  macs: 0,
  otherFlops: adds ? (inputs[2]?.elements ?? 0) : 0,
});

const embedding = { 0: 'weight' } as const;

export const indexingOps: OpFamily<IndexingAttrs> = {
  gather: moves(inferGather, embedding),
  gatherElements: moves((_attrs, context) => [tensorFact(context.tensor(0).dtype, context.tensor(1).shape)], embedding),
  gatherND: moves(inferGatherND, embedding),
  scatterElements: moves(sameAsInput, { 0: 'carried', 2: 'carried' }, scatterCost),
  scatterND: moves(sameAsInput, { 0: 'carried', 2: 'carried' }, scatterCost),
  compress: moves(inferCompress),
  oneHot: moves(inferOneHot, {}),
  nonZero: moves(inferNonZero, {}, perOutputElement(0)),
  unique: moves(inferUnique, {}),
};
