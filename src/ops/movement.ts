import {
  addDims,
  type Dim,
  dimKey,
  divideExactly,
  floorDivideDims,
  isStatic,
  multiplyDims,
  productOfDims,
  subtractDims,
} from '../ir/dim.ts';
import { type Element, type Fact, type Shape, staticShape, type TensorFact, tensorFact } from '../ir/fact.ts';
import type { MovementAttrs } from '../ir/operators.ts';
import { broadcastElements } from './evaluate.ts';
import { computedShape } from './generate.ts';
import {
  concatElements,
  gatherElements,
  gatherNDElements,
  sliceElements,
  splitElements,
  tileElements,
  transposeElements,
} from './move-elements.ts';
import { type InferContext, type OpDef, type OpFamily, ShapeConflict } from './op-def.ts';
import {
  broadcastShapes,
  extentAt,
  free,
  normaliseAxis,
  perOutputElement,
  replaceAxis,
  sameAsInput,
  trackedTensor,
} from './shape-rules.ts';
import { type SliceRange, sliceExtent } from './slice-range.ts';

/** A tensor with another shape and the same elements. */
function reshaped(input: TensorFact, shape: Shape | null): readonly Fact[] {
  return [trackedTensor(input.dtype, shape, input.elements)];
}

function inferReshape({ zeroCopies }: MovementAttrs['reshape'], context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const { elements: asked, shape: askedShape } = context.tensor(1);
  const rank = staticShape(askedShape)?.[0];
  if (asked === null) {
    return reshaped(
      input,
      rank === undefined ? null : unknownReshape(input.shape, new Array<Element>(rank).fill(null), context),
    );
  }
  const copied = asked.map((extent, axis) => {
    if (extent !== 0 || !zeroCopies) return extent;
    return input.shape === null ? null : extentAt(input.shape, axis);
  });
  if (copied.filter((extent) => extent === null).length > 0) {
    return reshaped(input, unknownReshape(input.shape, copied, context));
  }
  return reshaped(
    input,
    solveReshape(
      input.shape,
      copied.map((extent) => extent ?? -1),
      context,
    ),
  );
}

/** Puts in the extent that is spelt −1: what is left of the elements. */
function solveReshape(shape: Shape | null, asked: readonly Dim[], context: InferContext): Shape {
  const open = asked.indexOf(-1);
  if (open < 0) return checkedReshape(shape, asked);
  if (shape === null) return asked.map((extent, axis) => (axis === open ? context.dataDependent('reshaped') : extent));
  const rest = productOfDims(asked.filter((_, axis) => axis !== open));
  const total = productOfDims(shape);
  if (isStatic(total) && isStatic(rest) && rest !== 0 && total % rest !== 0) {
    throw new ShapeConflict(`${total} elements do not fill rows of ${rest}`);
  }
  const solved = rest === 0 ? 0 : (divideExactly(total, rest) ?? floorDivideDims(total, rest) ?? 0);
  return replaceAxis(asked, open, solved);
}

function checkedReshape(shape: Shape | null, asked: readonly Dim[]): Shape {
  const total = shape === null ? null : productOfDims(shape);
  const wanted = productOfDims(asked);
  if (total !== null && isStatic(total) && isStatic(wanted) && total !== wanted) {
    throw new ShapeConflict(`${total} elements reshaped to ${wanted}`);
  }
  return asked;
}

/** Where exactly one extent is unknown, the number of elements tells it. */
function unknownReshape(shape: Shape | null, asked: readonly Element[], context: InferContext): Shape {
  const unknown = asked.filter((extent) => extent === null).length;
  const known = asked.filter((extent) => extent !== null);
  if (unknown === 1 && shape !== null && !known.some((extent) => extent === -1)) {
    const rest = productOfDims(known);
    const solved = rest === 0 ? null : divideExactly(productOfDims(shape), rest);
    if (solved !== null) return asked.map((extent) => extent ?? solved);
  }
  return asked.map((extent) => (extent === null || extent === -1 ? context.dataDependent('reshaped') : extent));
}

function inferFlatten({ axis }: MovementAttrs['flatten'], context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  if (input.shape === null) return reshaped(input, [context.dataDependent('rows'), context.dataDependent('columns')]);
  const from = axis === input.shape.length ? axis : normaliseAxis(axis, input.shape.length);
  return reshaped(input, [productOfDims(input.shape.slice(0, from)), productOfDims(input.shape.slice(from))]);
}

function inferTranspose({ permutation }: MovementAttrs['transpose'], context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const { shape } = input;
  if (shape === null) return [tensorFact(input.dtype, null)];
  const order = permutation ?? shape.map((_, axis) => shape.length - 1 - axis);
  if (order.length !== shape.length)
    throw new ShapeConflict(`a permutation of ${order.length} axes for ${shape.length}`);
  const moved = order.map((axis) => extentAt(shape, normaliseAxis(axis, shape.length)));
  return [trackedTensor(input.dtype, moved, transposeElements(input, order))];
}

function inferSqueeze(_attrs: unknown, context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const { shape } = input;
  if (shape === null) return reshaped(input, null);
  if (!context.isPresent(1)) {
    return reshaped(
      input,
      shape.filter((extent) => extent !== 1),
    );
  }
  const axes = context.integers(1);
  if (axes === null) return reshaped(input, null);
  const dropped = axes.map((axis) => normaliseAxis(axis, shape.length));
  return reshaped(
    input,
    shape.filter((_, axis) => !dropped.includes(axis)),
  );
}

function inferUnsqueeze(_attrs: unknown, context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const axes = context.integers(1);
  if (input.shape === null || axes === null) return reshaped(input, null);
  const rank = input.shape.length + axes.length;
  const added = new Set(axes.map((axis) => normaliseAxis(axis, rank)));
  const rest = [...input.shape];
  return reshaped(
    input,
    Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.shift() ?? 1))),
  );
}

function inferConcat({ axis }: MovementAttrs['concat'], context: InferContext): readonly Fact[] {
  const tensors = context.inputs.map((_, index) => context.tensor(index));
  const dtype = context.tensor(0).dtype;
  const shapes = tensors.map(({ shape }) => shape);
  const first = shapes.find((shape) => shape !== null);
  if (!first) return [tensorFact(dtype, null)];
  const at = normaliseAxis(axis, first.length);
  if (shapes.some((shape) => shape === null)) {
    return [tensorFact(dtype, replaceAxis(first, at, context.dataDependent('concatenated')))];
  }
  const total = shapes.reduce<Dim>((sum, shape) => addDims(sum, extentAt(shape ?? [], at)), 0);
  // The other extents agree; a known one tells what a symbolic one is.
  const joined = first.map((extent, index) => {
    const known = shapes.map((shape) => shape?.[index]).find((other) => typeof other === 'number');
    return known ?? extent;
  });
  return [trackedTensor(dtype, replaceAxis(joined, at, total), concatElements(tensors, at))];
}

function inferSplit({ axis, parts }: MovementAttrs['split'], context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const { dtype, shape } = input;
  const count = context.outputCount;
  if (shape === null) return Array.from({ length: count }, () => tensorFact(dtype, null));
  const at = normaliseAxis(axis, shape.length);
  const lengths = parts === null ? computedShape(context, 1, 'split') : equalParts(extentAt(shape, at), parts);
  if (lengths === null) throw new ShapeConflict('the lengths of the parts are not known');
  const elements = splitElements(input, at, lengths);
  return Array.from({ length: count }, (_, index) =>
    trackedTensor(dtype, replaceAxis(shape, at, extentAt(lengths, index)), elements?.[index] ?? null),
  );
}

/** Parts of ⌈extent / parts⌉; the last one takes what is left. */
function equalParts(extent: Dim, parts: number): Shape {
  if (parts <= 0) throw new ShapeConflict('a split into no parts');
  const length = isStatic(extent) ? Math.ceil(extent / parts) : floorDivideDims(addDims(extent, parts - 1), parts);
  if (length === null) return [extent];
  const last = subtractDims(extent, multiplyDims(length, parts - 1));
  const rest = isStatic(last) ? Math.max(0, last) : (divideExactly(extent, parts) ?? last);
  return Array.from({ length: parts }, (_, index) => (index === parts - 1 ? rest : length));
}

function inferSlice(_attrs: unknown, context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const { dtype, shape } = input;
  if (shape === null) return [tensorFact(dtype, null)];
  const starts = context.tensor(1).elements;
  const ends = context.tensor(2).elements;
  const count = starts?.length ?? ends?.length ?? staticShape(context.tensor(1).shape)?.[0];
  const axes = context.isPresent(3) ? context.integers(3) : shape.slice(0, count).map((_, axis) => axis);
  const steps = context.isPresent(4) ? context.integers(4) : new Array<number>(count ?? 0).fill(1);
  if (axes === null || steps === null)
    return [
      tensorFact(
        dtype,
        shape.map(() => context.dataDependent('sliced')),
      ),
    ];
  const ranges = axes.map(
    (axis, index): SliceRange => ({
      axis: normaliseAxis(axis, shape.length),
      start: starts?.[index] ?? null,
      end: ends?.[index] ?? null,
      step: steps[index] ?? 1,
    }),
  );
  const sliced = ranges.reduce<Shape>((result, range) => {
    const extent = sliceExtent(extentAt(shape, range.axis), range) ?? context.dataDependent('sliced');
    return replaceAxis(result, range.axis, extent);
  }, shape);
  return [trackedTensor(dtype, sliced, sliceElements(input, ranges))];
}

function inferPad(_attrs: unknown, context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return [tensorFact(dtype, null)];
  const pads = context.tensor(1).elements;
  const axes = context.isPresent(3) ? context.integers(3) : shape.map((_, axis) => axis);
  if (pads === null || axes === null)
    return [
      tensorFact(
        dtype,
        shape.map(() => context.dataDependent('padded')),
      ),
    ];
  const padded = [...shape];
  axes.forEach((axis, index) => {
    const at = normaliseAxis(axis, shape.length);
    const [begin, end] = [pads[index] ?? null, pads[index + axes.length] ?? null];
    padded[at] =
      begin === null || end === null
        ? context.dataDependent('padded')
        : addDims(extentAt(shape, at), addDims(begin, end));
  });
  return [tensorFact(dtype, padded)];
}

function inferExpand(_attrs: unknown, context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const shape = broadcastShapes([input.shape, computedShape(context, 1, 'expanded')]);
  return [
    trackedTensor(
      input.dtype,
      shape,
      broadcastElements([input], shape, ([element = null]) => element),
    ),
  ];
}

function inferTile(_attrs: unknown, context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const { dtype, shape } = input;
  const repeats = context.tensor(1).elements;
  if (shape === null) return [tensorFact(dtype, null)];
  const tiled = shape.map((extent, axis) => {
    const repeat = repeats?.[axis] ?? null;
    return repeat === null ? context.dataDependent('tiled') : multiplyDims(extent, repeat);
  });
  return [trackedTensor(dtype, tiled, tileElements(input, staticShape(repeats?.map((r) => r ?? -1))))];
}

function inferTileAxis(_attrs: unknown, context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  const [repeat, axis] = [context.integers(1)?.[0], context.integers(2)?.[0]];
  if (shape === null || axis === undefined) return [tensorFact(dtype, null)];
  const at = normaliseAxis(axis, shape.length);
  const extent = repeat === undefined ? context.dataDependent('tiled') : multiplyDims(extentAt(shape, at), repeat);
  return [tensorFact(dtype, replaceAxis(shape, at, extent))];
}

function inferCenterCropPad({ axes }: MovementAttrs['centerCropPad'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  const asked = computedShape(context, 1, 'cropped');
  if (shape === null || asked === null) return [tensorFact(dtype, null)];
  const on = axes?.map((axis) => normaliseAxis(axis, shape.length)) ?? shape.map((_, axis) => axis);
  const cropped = on.reduce<Shape>((result, axis, index) => replaceAxis(result, axis, extentAt(asked, index)), shape);
  return [tensorFact(dtype, cropped)];
}

function inferGather({ axis }: MovementAttrs['gather'], context: InferContext): readonly Fact[] {
  const [input, indices] = [context.tensor(0), context.tensor(1)];
  if (input.shape === null || indices.shape === null) return [tensorFact(input.dtype, null)];
  const at = normaliseAxis(axis, input.shape.length);
  const shape = replaceAxis(input.shape, at, ...indices.shape);
  return [trackedTensor(input.dtype, shape, gatherElements(input, indices, at))];
}

function inferGatherND({ batchDims }: MovementAttrs['gatherND'], context: InferContext): readonly Fact[] {
  const [input, indices] = [context.tensor(0), context.tensor(1)];
  const depth = indices.shape?.at(-1);
  if (input.shape === null || indices.shape === null || typeof depth !== 'number') {
    return [tensorFact(input.dtype, null)];
  }
  const shape = [...indices.shape.slice(0, -1), ...input.shape.slice(batchDims + depth)];
  return [trackedTensor(input.dtype, shape, batchDims === 0 ? gatherNDElements(input, indices) : null)];
}

function inferCompress({ axis }: MovementAttrs['compress'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  const chosen = context.integers(1)?.filter((value) => value !== 0).length;
  const extent = chosen ?? context.dataDependent('compressed');
  if (axis === null) return [tensorFact(dtype, [extent])];
  return [tensorFact(dtype, shape && replaceAxis(shape, normaliseAxis(axis, shape.length), extent))];
}

/** Space moves into depth, or back: the block's area between channels and positions. */
function blocks(direction: 'to-depth' | 'to-space'): OpDef<'depthToSpace'>['infer'] {
  return ({ block }, context) => {
    const { dtype, shape } = context.tensor(0);
    if (shape === null) return [tensorFact(dtype, null)];
    const [batch, channels, height, width] = [0, 1, 2, 3].map((axis) => extentAt(shape, axis));
    const divide = (dim: Dim | undefined, by: number) => floorDivideDims(dim ?? 1, by);
    const multiply = (dim: Dim | undefined, by: number) => multiplyDims(dim ?? 1, by);
    const [depth, space] = direction === 'to-depth' ? [multiply, divide] : [divide, multiply];
    const moved = [depth(channels, block * block), space(height, block), space(width, block)];
    const known = moved.filter((extent) => extent !== null);
    if (known.length < moved.length) throw new ShapeConflict('a block of 0');
    return [tensorFact(dtype, [batch ?? 1, ...known])];
  };
}

function inferOneHot({ axis }: MovementAttrs['oneHot'], context: InferContext): readonly Fact[] {
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
  const rank: Dim = shape === null ? context.dataDependent('rank') : Math.max(1, shape.length);
  if (elements === null || extents === null || !elements.every((element) => element !== null && isStatic(element))) {
    return [tensorFact('int64', [rank, context.dataDependent('nonzero')])];
  }
  const found = elements.flatMap((element, index) => (element === 0 ? [] : [index]));
  const strides = extents.map((_, axis) => extents.slice(axis + 1).reduce((product, extent) => product * extent, 1));
  const coordinates = extents.flatMap((extent, axis) =>
    found.map((index) => Math.floor(index / (strides[axis] ?? 1)) % extent),
  );
  return [trackedTensor('int64', [rank, found.length], extents.length === 0 ? found : coordinates)];
}

function inferUnique({ axis }: MovementAttrs['unique'], context: InferContext): readonly Fact[] {
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

/** Moves elements, and computes nothing. */
const moves = <K extends keyof MovementAttrs>(
  infer: OpDef<K>['infer'],
  roles: OpDef<K>['roles'] = { 0: 'carried' },
  cost: OpDef<K>['cost'] = free,
): OpDef<K> => ({ kind: 'reshape', roles, infer, cost });

/** One addition for each update, where updates are added up. */
const scatterCost: OpDef<'scatterND'>['cost'] = ({ adds }, { inputs }) => ({
  macs: 0,
  otherFlops: adds ? (inputs[2]?.elements ?? 0) : 0,
});

const embedding = { 0: 'weight' } as const;

export const movementOps: OpFamily<MovementAttrs> = {
  reshape: moves(inferReshape),
  flatten: moves(inferFlatten),
  transpose: moves(inferTranspose),
  squeeze: moves(inferSqueeze),
  unsqueeze: moves(inferUnsqueeze),
  concat: moves(inferConcat, { every: 'carried' }),
  split: moves(inferSplit),
  slice: moves(inferSlice),
  pad: moves(inferPad),
  expand: moves(inferExpand),
  tile: moves(inferTile),
  tileAxis: moves(inferTileAxis),
  centerCropPad: moves(inferCenterCropPad),
  gather: moves(inferGather, embedding),
  gatherElements: moves((_attrs, context) => [tensorFact(context.tensor(0).dtype, context.tensor(1).shape)], embedding),
  gatherND: moves(inferGatherND, embedding),
  scatterElements: moves(sameAsInput, { 0: 'carried', 2: 'carried' }, scatterCost),
  scatterND: moves(sameAsInput, { 0: 'carried', 2: 'carried' }, scatterCost),
  tensorScatter: moves(sameAsInput),
  compress: moves(inferCompress),
  depthToSpace: moves(blocks('to-space')),
  spaceToDepth: moves(blocks('to-depth')),
  reverseSequence: moves(sameAsInput),
  trilu: moves(sameAsInput),
  oneHot: moves(inferOneHot, {}),
  nonZero: moves(inferNonZero, {}, perOutputElement(0)),
  unique: moves(inferUnique, {}),
};
