import { addDims, type Dim, floorDivideDims, maxDims, multiplyDims } from '../ir/dim.ts';
import { addExact, multiplyExact } from '../ir/exact.ts';
import { type Fact, type Shape, tensorFact } from '../ir/fact.ts';
import type { AttentionAttrs } from '../ir/operators.ts';
import { resultType } from './convolution.ts';
import {
  type Cost,
  type CostContext,
  type InferContext,
  type OpFamily,
  ShapeConflict,
  type SizedTensor,
} from './op-def.ts';
import { extentAt, extentNumber, sameAsInput } from './shape-rules.ts';

/** FLOPs of softmax, for each score. */
const SOFTMAX_FLOPS = 5;

/** Sizes that both products of an attention follow from. */
interface AttentionSizes {
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  readonly headSize: number;
  readonly valueSize: number;
}

/** Scores: batch × heads × queries × keys × head size. Values: the same with the value's head size. Softmax between. */
function attentionCost({ batch, heads, queries, keys, headSize, valueSize }: AttentionSizes): Cost {
  const scores = multiplyExact(batch, heads, queries, keys);
  return {
    macs: multiplyExact(scores, addExact(headSize, valueSize)),
    otherFlops: multiplyExact(scores, SOFTMAX_FLOPS),
  };
}

/** What each head gets of a width. */
function shareOf(width: number, heads: number): number {
  if (width % heads !== 0) throw new ShapeConflict(`${width} channels do not divide among ${heads} heads`);
  return width / heads;
}

/** Heads as an axis of their own: B, heads, length, size; three axes hold them in the last. */
function headShape(shape: Shape, heads: number | null): readonly [batch: Dim, heads: Dim, length: Dim, size: Dim] {
  if (shape.length === 4) return [extentAt(shape, 0), extentAt(shape, 1), extentAt(shape, 2), extentAt(shape, 3)];
  if (shape.length !== 3 || heads === null) throw new ShapeConflict('three axes need the number of heads');
  const size = floorDivideDims(extentAt(shape, 2), heads);
  if (size === null) throw new ShapeConflict('0 heads');
  return [extentAt(shape, 0), heads, extentAt(shape, 1), size];
}

function inferAttention(attrs: AttentionAttrs['attention'], context: InferContext): readonly Fact[] {
  const { dtype, shape: queryShape } = context.tensor(0);
  const keyShape = context.tensor(1).shape;
  const valueShape = context.tensor(2).shape;
  if (queryShape === null || keyShape === null || valueShape === null) {
    return Array.from({ length: context.outputCount }, () => tensorFact(dtype, null));
  }
  const [batch, heads, queries] = headShape(queryShape, attrs.heads);
  const [, keyHeads, keys, headSize] = headShape(keyShape, attrs.keyValueHeads ?? attrs.heads);
  const [, , , valueSize] = headShape(valueShape, attrs.keyValueHeads ?? attrs.heads);
  const past = context.isPresent(4) ? context.tensor(4).shape : null;
  const total = past === null ? keys : addDims(extentAt(past, 2), keys);
  const result =
    queryShape.length === 3 ? [batch, queries, multiplyDims(heads, valueSize)] : [batch, heads, queries, valueSize];
  return [
    tensorFact(dtype, result),
    tensorFact(context.tensor(1).dtype, [batch, keyHeads, total, headSize]),
    tensorFact(context.tensor(2).dtype, [batch, keyHeads, total, valueSize]),
    tensorFact(dtype, [batch, heads, queries, total]),
  ];
}

/** The same reading of a tensor whose extents are known. */
function sizedHeads(tensor: SizedTensor, heads: number | null): readonly number[] {
  return headShape(tensor.shape, heads).map(Number);
}

function onnxAttentionCost(attrs: AttentionAttrs['attention'], { inputs }: CostContext): Cost | null {
  const [query, key, value, , past] = inputs;
  if (!query || !key || !value) return null;
  const [batch = 0, heads = 0, queries = 0, headSize = 0] = sizedHeads(query, attrs.heads);
  const [, , keys = 0] = sizedHeads(key, attrs.keyValueHeads ?? attrs.heads);
  const [, , , valueSize = 0] = sizedHeads(value, attrs.keyValueHeads ?? attrs.heads);
  const total = addExact(keys, past ? extentNumber(past, 2) : 0);
  return attentionCost({ batch, heads, queries, keys: total, headSize, valueSize });
}

/** Batch and lengths of q, k and v: batch axes in front, then the length, then the size. */
function inferAdditive(_attrs: unknown, context: InferContext): readonly Fact[] {
  const { dtype, shape: query } = context.tensor(0);
  const [key, value] = [context.tensor(1).shape, context.tensor(2).shape];
  if (query === null || key === null || value === null) return [tensorFact(dtype, null), tensorFact(dtype, null)];
  const rows = query.slice(0, -1);
  return [
    tensorFact(dtype, [...rows, extentAt(value, value.length - 1)]),
    tensorFact(dtype, [...rows, extentAt(key, key.length - 2)]),
  ];
}

/**
 * A score is a sum over the size of a head: an addition, tanh, the scale where there is one, and the sum, an element
 * each; none is a MAC. Values are a matrix product.
 */
function additiveCost(_attrs: unknown, { inputs }: CostContext): Cost | null {
  const [query, key, value, scale] = inputs;
  if (!query || !key || !value) return null;
  const size = extentNumber(query, -1);
  const scores = multiplyExact(query.elements / Math.max(1, size), extentNumber(key, -2));
  return {
    macs: multiplyExact(scores, extentNumber(value, -1)),
    otherFlops: multiplyExact(scores, addExact(multiplyExact(size, scale ? 4 : 3), SOFTMAX_FLOPS)),
  };
}

type Projected = AttentionAttrs['projectedAttention'];

/** Widths of q, k and v, from the attribute or as equal thirds of the projection. */
function projectedSizes({ sizes }: Projected, projection: number): readonly [q: number, k: number, v: number] {
  const [q, k, v] = sizes ?? [];
  const third = Math.floor(projection / 3);
  return [q ?? third, k ?? third, v ?? third];
}

function inferProjected(attrs: Projected, context: InferContext): readonly Fact[] {
  const { shape } = context.tensor(0);
  const dtype = resultType(attrs.result, context);
  const projection = context.tensor(1).shape?.[1];
  if (shape === null || typeof projection !== 'number') return [tensorFact(dtype, null), tensorFact(dtype, null)];
  const [, , valueWidth] = projectedSizes(attrs, projection);
  const past = context.isPresent(4) ? context.tensor(4).shape : null;
  const length = extentAt(shape, 1);
  const total = past === null ? length : addDims(extentAt(past, 3), length);
  const present = [2, extentAt(shape, 0), attrs.heads, total, Math.floor(valueWidth / attrs.heads)];
  return [tensorFact(dtype, [extentAt(shape, 0), length, valueWidth]), tensorFact(dtype, present)];
}

/** The projection to q, k and v, then both products. */
function projectedCost(attrs: Projected, { inputs }: CostContext): Cost | null {
  const [input, weight, bias, , past] = inputs;
  if (!input || !weight) return null;
  const projection = extentNumber(weight, 1);
  const [queryWidth, , valueWidth] = projectedSizes(attrs, projection);
  const [batch, queries] = [extentNumber(input, 0), extentNumber(input, 1)];
  const projected = multiplyExact(batch, queries, projection);
  const core = attentionCost({
    batch,
    heads: attrs.heads,
    queries,
    keys: addExact(queries, past ? extentNumber(past, 3) : 0),
    headSize: Math.floor(queryWidth / attrs.heads),
    valueSize: Math.floor(valueWidth / attrs.heads),
  });
  return {
    macs: addExact(core.macs, multiplyExact(projected, extentNumber(weight, 0))),
    otherFlops: addExact(core.otherFlops ?? 0, bias ? projected : 0),
  };
}

/** Length and head size of a key or value: packed by heads (4 axes: B, heads, length, size), or flat (B, length, width). */
function keyLength(shape: Shape): Dim {
  return extentAt(shape, shape.length === 4 ? 2 : 1);
}

function inferMultiHead({ heads }: AttentionAttrs['multiHeadAttention'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return Array.from({ length: context.outputCount }, () => tensorFact(dtype, null));
  const [batch, queries] = [extentAt(shape, 0), extentAt(shape, 1)];
  const valueShape = context.isPresent(2) ? context.tensor(2).shape : null;
  const width = valueWidth(shape, valueShape, heads);
  const keyShape = context.isPresent(1) ? context.tensor(1).shape : shape;
  const past = context.isPresent(6) ? context.tensor(6).shape : null;
  const keys = keyShape === null ? context.dataDependent('keys') : keyLength(keyShape);
  const total = past === null ? keys : addDims(extentAt(past, 2), keys);
  const size = floorDivideDims(width, heads) ?? 0;
  const present = tensorFact(dtype, [batch, heads, total, size]);
  return [tensorFact(dtype, [batch, queries, width]), present, present];
}

/** The width of the result: the values' own; packed q, k, v hold it beside two others (B, L, heads, 3, size). */
function valueWidth(query: Shape, value: Shape | null, heads: number): Dim {
  if (value?.length === 3) return extentAt(value, 2);
  if (value?.length === 4) return multiplyDims(extentAt(value, 1), extentAt(value, 3));
  if (query.length === 5) return multiplyDims(heads, extentAt(query, 4));
  return extentAt(query, 2);
}

function multiHeadCost({ heads }: AttentionAttrs['multiHeadAttention'], { inputs, outputs }: CostContext): Cost | null {
  const [query, key, value, bias, , , past] = inputs;
  const output = outputs[0];
  if (!query || !output) return null;
  const queryWidth = query.shape.length === 5 ? multiplyExact(heads, extentNumber(query, 4)) : extentNumber(query, 2);
  const keys = key ? extentNumber(key, key.shape.length === 4 ? 2 : 1) : extentNumber(query, 1);
  const core = attentionCost({
    batch: extentNumber(query, 0),
    heads,
    queries: extentNumber(query, 1),
    keys: addExact(keys, past ? extentNumber(past, 2) : 0),
    headSize: shareOf(queryWidth, heads),
    valueSize: shareOf(extentNumber(output, 2), heads),
  });
  // The bias is added to queries, keys and values.
  const biased = addExact(query.elements, key?.elements ?? 0, value?.elements ?? 0);
  return { macs: core.macs, otherFlops: addExact(core.otherFlops ?? 0, bias ? biased : 0) };
}

type GroupQuery = AttentionAttrs['groupQueryAttention'];

/** The input that tells how many keys there are, those of the past included. */
const TOTAL_LENGTH = 6;

/** Without keys of its own, the first input holds q, k and v side by side: heads + 2 × key heads. */
function groupQueryHeadSize({ heads, keyValueHeads }: GroupQuery, width: Dim, packed: boolean): Dim {
  return floorDivideDims(width, packed ? heads + 2 * keyValueHeads : heads) ?? 0;
}

function inferGroupQuery(attrs: GroupQuery, context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return Array.from({ length: 3 }, () => tensorFact(dtype, null));
  const size = groupQueryHeadSize(attrs, extentAt(shape, 2), !context.isPresent(1));
  const [batch, length] = [extentAt(shape, 0), extentAt(shape, 1)];
  const past = context.isPresent(3) ? extentAt(context.tensor(3).shape ?? [], 2) : 0;
  const total = context.isPresent(TOTAL_LENGTH) ? (context.integers(TOTAL_LENGTH)?.[0] ?? null) : null;
  // A cache that is allocated ahead already has room for what is added to it.
  const capacity = total === null ? addDims(past, length) : maxDims(past, total);
  const present = tensorFact(dtype, [batch, attrs.keyValueHeads, capacity, size]);
  return [tensorFact(dtype, [batch, length, multiplyDims(size, attrs.heads)]), present, present];
}

function groupQueryCost(attrs: GroupQuery, { inputs }: CostContext): Cost | null {
  const [query, key, , past] = inputs;
  const total = inputs[TOTAL_LENGTH]?.value ?? null;
  if (!query) return null;
  const size = Number(groupQueryHeadSize(attrs, extentNumber(query, 2), !key));
  const queries = extentNumber(query, 1);
  return attentionCost({
    batch: extentNumber(query, 0),
    heads: attrs.heads,
    queries,
    keys: total ?? addExact(queries, past ? extentNumber(past, 2) : 0),
    headSize: size,
    valueSize: size,
  });
}

type Linear = AttentionAttrs['linearAttention'];

function inferLinear({ heads, keyValueHeads }: Linear, context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  const valueShape = context.tensor(2).shape;
  if (shape === null || valueShape === null) return [tensorFact(dtype, null), tensorFact(dtype, null)];
  const keySize = floorDivideDims(extentAt(shape, 2), heads) ?? 0;
  const valueSize = floorDivideDims(extentAt(valueShape, 2), keyValueHeads) ?? 0;
  const state = [extentAt(shape, 0), keyValueHeads, keySize, valueSize];
  const stateType = context.isPresent(3) ? context.tensor(3).dtype : dtype;
  return [
    tensorFact(dtype, [extentAt(shape, 0), extentAt(shape, 1), multiplyDims(valueSize, heads)]),
    tensorFact(stateType, state),
  ];
}

/** Per token: the outer product k ⊗ v into the state, the state's answer to q, and for delta rules that to k. */
function linearCost({ heads, keyValueHeads, deltaRule }: Linear, { inputs }: CostContext): Cost | null {
  const [query, , value] = inputs;
  if (!query || !value) return null;
  const tokens = multiplyExact(extentNumber(query, 0), extentNumber(query, 1));
  const area = multiplyExact(shareOf(extentNumber(query, 2), heads), shareOf(extentNumber(value, 2), keyValueHeads));
  const products = heads + keyValueHeads * (deltaRule ? 2 : 1);
  return { macs: multiplyExact(tokens, area, products), otherFlops: multiplyExact(tokens, area, keyValueHeads) };
}

export const attentionOps: OpFamily<AttentionAttrs> = {
  additiveAttention: { kind: 'attention', roles: { 3: 'weight' }, infer: inferAdditive, cost: additiveCost },
  attention: { kind: 'attention', roles: {}, infer: inferAttention, cost: onnxAttentionCost },
  projectedAttention: {
    kind: 'attention',
    roles: { 1: 'weight', 2: 'weight' },
    infer: inferProjected,
    cost: projectedCost,
  },
  multiHeadAttention: { kind: 'attention', roles: { 3: 'weight' }, infer: inferMultiHead, cost: multiHeadCost },
  groupQueryAttention: { kind: 'attention', roles: {}, infer: inferGroupQuery, cost: groupQueryCost },
  linearAttention: { kind: 'attention', roles: {}, infer: inferLinear, cost: linearCost },
  rotaryEmbedding: {
    kind: 'elementwise',
    roles: { 0: 'carried' },
    infer: sameAsInput,
    // Two products and a sum for each element of a rotated pair.
    cost: (_attrs, { outputs }) => ({ macs: 0, otherFlops: multiplyExact(3, outputs[0]?.elements ?? 0) }),
  },
};
