import { addDims, type Dim, isStatic, multiplyDims, sameDim, subtractDims } from '../ir/dim.ts';
import { type Fact, type SequenceFact, type TensorFact, tensorFact, UNKNOWN_TENSOR } from '../ir/fact.ts';
import type { SequenceAttrs } from '../ir/operators.ts';
import { computedShape } from './generate.ts';
import { concatElements } from './move-elements.ts';
import type { InferContext, OpFamily } from './op-def.ts';
import { extentAt, free, normaliseAxis, replaceAxis, trackedTensor } from './shape-rules.ts';

/** What two tensors have in common: an extent that differs is unknown to both. */
export function commonTensor(left: TensorFact, right: TensorFact, differs: (axis: number) => Dim): TensorFact {
  const dtype = left.dtype === right.dtype ? left.dtype : null;
  if (left.shape === null || right.shape === null || left.shape.length !== right.shape.length) {
    return tensorFact(dtype, null);
  }
  const other = right.shape;
  return tensorFact(
    dtype,
    left.shape.map((extent, axis) => (sameDim(extent, other[axis] ?? -1) ? extent : differs(axis))),
  );
}

/** Items are followed one by one only up to this many. */
const MAX_ITEMS = 1024;

/** A sequence of known tensors. What they have in common is worked out when somebody asks: that may name extents. */
export function sequenceOf(items: readonly TensorFact[], differs: (axis: number) => Dim): SequenceFact {
  const [first, ...rest] = items;
  let common: TensorFact | null = null;
  return {
    type: 'sequence',
    items: items.length <= MAX_ITEMS ? items : null,
    length: items.length,
    get item() {
      common ??= first ? rest.reduce((shared, next) => commonTensor(shared, next, differs), first) : UNKNOWN_TENSOR;
      return common;
    },
  };
}

function sequence(context: InferContext, index: number): SequenceFact {
  const fact = context.inputs[index];
  if (fact?.type === 'sequence') return fact;
  return { type: 'sequence', item: UNKNOWN_TENSOR, items: null, length: null };
}

function positionOf(context: InferContext, index: number, items: readonly unknown[]): number | null {
  const position = context.integers(index)?.[0];
  if (position === undefined) return null;
  return position < 0 ? position + items.length : position;
}

function inferInsert(_attrs: unknown, context: InferContext): readonly Fact[] {
  const known = sequence(context, 0);
  const { items, length } = known;
  const added = context.tensor(1);
  const differs = (axis: number) => context.dataDependent('inserted', axis);
  if (items !== null) {
    const at = context.isPresent(2) ? positionOf(context, 2, items) : items.length;
    if (at !== null) return [sequenceOf([...items.slice(0, at), added, ...items.slice(at)], differs)];
  }
  return [
    {
      type: 'sequence',
      item: length === 0 ? added : commonTensor(known.item, added, differs),
      items: null,
      length: length === null ? null : addDims(length, 1),
    },
  ];
}

function inferErase(_attrs: unknown, context: InferContext): readonly Fact[] {
  const known = sequence(context, 0);
  const { items, length } = known;
  const at = items && (context.isPresent(1) ? positionOf(context, 1, items) : items.length - 1);
  if (items !== null && at !== null) {
    return [
      sequenceOf([...items.slice(0, at), ...items.slice(at + 1)], (axis) => context.dataDependent('erased', axis)),
    ];
  }
  return [
    { type: 'sequence', item: known.item, items: null, length: length === null ? null : subtractDims(length, 1) },
  ];
}

function inferAt(_attrs: unknown, context: InferContext): readonly Fact[] {
  const known = sequence(context, 0);
  const { items } = known;
  const at = items && positionOf(context, 1, items);
  return [(items && at !== null ? items[at] : undefined) ?? known.item];
}

function inferSplit({ axis, keepDims }: SequenceAttrs['splitToSequence'], context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const { dtype, shape } = input;
  if (shape === null) return [{ type: 'sequence', item: tensorFact(dtype, null), items: null, length: null }];
  const at = normaliseAxis(axis, shape.length);
  const extent = extentAt(shape, at);
  const lengths = context.isPresent(1) ? splitLengths(context, extent) : unitLengths(extent);
  const drops = !context.isPresent(1) && !keepDims;
  const part = (length: Dim) => tensorFact(dtype, drops ? replaceAxis(shape, at) : replaceAxis(shape, at, length));
  if (lengths === null) {
    const item = part(drops ? 1 : context.isPresent(1) ? context.dataDependent('part') : 1);
    return [{ type: 'sequence', item, items: null, length: context.isPresent(1) ? null : extent }];
  }
  return [sequenceOf(lengths.map(part), (axis) => context.dataDependent('part', axis))];
}

function unitLengths(extent: Dim): readonly Dim[] | null {
  return isStatic(extent) && extent >= 0 && extent <= MAX_ITEMS ? new Array<Dim>(extent).fill(1) : null;
}

/** One number cuts equal parts, the last one smaller; a list names each. */
function splitLengths(context: InferContext, extent: Dim): readonly Dim[] | null {
  const { shape } = context.tensor(1);
  if (shape?.length !== 0) return computedShape(context, 1, 'part');
  const length = context.integers(1)?.[0];
  if (length === undefined || length <= 0 || !isStatic(extent) || extent / length > MAX_ITEMS) return null;
  return Array.from({ length: Math.ceil(extent / length) }, (_, index) => Math.min(length, extent - index * length));
}

function inferConcat({ axis, newAxis }: SequenceAttrs['concatFromSequence'], context: InferContext): readonly Fact[] {
  const { item, items, length } = sequence(context, 0);
  if (item.shape === null) return [tensorFact(item.dtype, null)];
  const rank = item.shape.length + (newAxis ? 1 : 0);
  const at = normaliseAxis(axis, rank);
  if (newAxis) {
    const count = length ?? context.dataDependent('sequence');
    return [tensorFact(item.dtype, [...item.shape.slice(0, at), count, ...item.shape.slice(at)])];
  }
  const total =
    items?.reduce<Dim>((sum, { shape }) => addDims(sum, extentAt(shape ?? [], at)), 0) ??
    (length === null ? null : multiplyDims(length, extentAt(item.shape, at)));
  return [
    trackedTensor(
      item.dtype,
      replaceAxis(item.shape, at, total ?? context.dataDependent('sequence')),
      items && concatElements(items, at),
    ),
  ];
}

export const sequenceOps: OpFamily<SequenceAttrs> = {
  sequenceConstruct: {
    kind: 'other',
    roles: { every: 'carried' },
    infer: (_attrs, context) => [
      sequenceOf(
        context.inputs.map((_, index) => context.tensor(index)),
        (axis) => context.dataDependent('item', axis),
      ),
    ],
    cost: free,
  },
  sequenceEmpty: {
    kind: 'other',
    roles: {},
    infer: ({ dtype }) => [{ type: 'sequence', item: tensorFact(dtype, null), items: [], length: 0 }],
    cost: free,
  },
  sequenceInsert: { kind: 'other', roles: { 0: 'carried', 1: 'carried' }, infer: inferInsert, cost: free },
  sequenceErase: { kind: 'other', roles: { 0: 'carried' }, infer: inferErase, cost: free },
  sequenceAt: { kind: 'other', roles: { 0: 'carried' }, infer: inferAt, cost: free },
  sequenceLength: {
    kind: 'other',
    roles: {},
    infer: (_attrs, context) => [trackedTensor('int64', [], [sequence(context, 0).length])],
    cost: free,
  },
  splitToSequence: { kind: 'reshape', roles: { 0: 'carried' }, infer: inferSplit, cost: free },
  concatFromSequence: { kind: 'reshape', roles: { 0: 'carried' }, infer: inferConcat, cost: free },
  optional: {
    kind: 'other',
    roles: { 0: 'carried' },
    infer: (_attrs, context) => [context.inputs[0] ?? UNKNOWN_TENSOR],
    cost: free,
  },
  optionalHasElement: { kind: 'other', roles: {}, infer: () => [tensorFact('bool', [])], cost: free },
};
