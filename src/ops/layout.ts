import { type Dim, divideExactly, floorDivideDims, isStatic, productOfDims } from '../ir/dim.ts';
import { type Element, type Fact, MAX_RANK, type Shape, staticShape, type TensorFact, tensorFact } from '../ir/fact.ts';
import type { LayoutAttrs } from '../ir/operators.ts';
import { transposeElements } from './move-elements.ts';
import { moves } from './moves.ts';
import { type InferContext, type OpFamily, ShapeConflict } from './op-def.ts';
import { extentAt, normaliseAxis, replaceAxis, trackedTensor } from './shape-rules.ts';

/** A tensor with another shape and the same elements. */
function reshaped(input: TensorFact, shape: Shape | null): readonly Fact[] {
  return [trackedTensor(input.dtype, shape, input.elements)];
}

function inferReshape({ zeroCopies }: LayoutAttrs['reshape'], context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const { elements: asked, shape: askedShape } = context.tensor(1);
  const rank = staticShape(askedShape)?.[0];
  if ((rank ?? 0) > MAX_RANK) throw new ShapeConflict(`a shape of ${rank} extents`);
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
  if (open !== asked.lastIndexOf(-1)) throw new ShapeConflict('more than one extent of -1');
  if (open < 0) return checkedReshape(shape, asked);
  if (shape === null)
    return asked.map((extent, axis) => (axis === open ? context.dataDependent('reshaped', axis) : extent));
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
  return asked.map((extent, axis) =>
    extent === null || extent === -1 ? context.dataDependent('reshaped', axis) : extent,
  );
}

function inferFlatten({ axis }: LayoutAttrs['flatten'], context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  if (input.shape === null) return reshaped(input, [context.dataDependent('rows'), context.dataDependent('columns')]);
  const from = axis === input.shape.length ? axis : normaliseAxis(axis, input.shape.length);
  return reshaped(input, [productOfDims(input.shape.slice(0, from)), productOfDims(input.shape.slice(from))]);
}

function inferTranspose({ permutation }: LayoutAttrs['transpose'], context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const { shape } = input;
  if (shape === null) return [tensorFact(input.dtype, null)];
  const order = permutation ?? shape.map((_, axis) => shape.length - 1 - axis);
  if (order.length !== shape.length || new Set(order).size !== order.length)
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

export const layoutOps: OpFamily<LayoutAttrs> = {
  reshape: moves(inferReshape),
  flatten: moves(inferFlatten),
  transpose: moves(inferTranspose),
  squeeze: moves(inferSqueeze),
  unsqueeze: moves(inferUnsqueeze),
};
