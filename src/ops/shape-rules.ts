import { type Dim, isStatic, maxDims, productOfDims, sameDim } from '../ir/dim.ts';
import type { DType } from '../ir/dtype.ts';
import {
  type Element,
  type Fact,
  MAX_RANK,
  MAX_TRACKED_ELEMENTS,
  type Shape,
  type TensorFact,
  tensorFact,
} from '../ir/fact.ts';
import { type Cost, FREE, type InferContext, ShapeConflict, type SizedTensor } from './op-def.ts';

/** An axis counted from the end where negative. Throws where there is no such axis. */
export function normaliseAxis(axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (normal < 0 || normal >= rank) throw new ShapeConflict(`axis ${axis} of a tensor with ${rank} axes`);
  return normal;
}

/** Extents that a tensor can have: whole numbers, none negative, and not too many of them. */
export function checkExtents(shape: Shape): void {
  if (shape.length > MAX_RANK) throw new ShapeConflict(`a tensor of ${shape.length} axes`);
  for (const extent of shape) {
    if (isStatic(extent) && !(Number.isSafeInteger(extent) && extent >= 0))
      throw new ShapeConflict(`an extent of ${extent}`);
  }
}

/** NumPy's rule: aligned at the end, extents of 1 stretch. */
export function broadcastShapes(shapes: readonly (Shape | null)[]): Shape | null {
  let result: Shape = [];
  for (const shape of shapes) {
    if (shape === null) return null;
    result = broadcastPair(result, shape);
  }
  return result;
}

function broadcastPair(left: Shape, right: Shape): Shape {
  const [long, short] = left.length >= right.length ? [left, right] : [right, left];
  const offset = long.length - short.length;
  return long.map((dim, axis) => (axis < offset ? dim : broadcastDim(dim, short[axis - offset] ?? 1)));
}

export function broadcastDim(left: Dim, right: Dim): Dim {
  if (left === 1 || sameDim(left, right)) return right;
  if (right === 1) return left;
  if (typeof left === 'number' && typeof right === 'number') {
    throw new ShapeConflict(`extents ${left} and ${right} do not broadcast`);
  }
  // A symbolic extent beside a known one can only be 1 or the same.
  if (typeof left === 'number') return left;
  return typeof right === 'number' ? right : maxDims(left, right);
}

/** The input's own type and shape, its value unknown. */
export function sameAsInput(_attrs: unknown, context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  return [tensorFact(dtype, shape)];
}

/** A tensor with its elements, where they are few enough to be tracked. */
export function trackedTensor(
  dtype: DType | null,
  shape: Shape | null,
  elements: readonly Element[] | null,
): TensorFact {
  const tracked = elements !== null && elements.length <= MAX_TRACKED_ELEMENTS ? elements : null;
  return { type: 'tensor', dtype, shape, elements: tracked, constant: false };
}

export function replaceAxis(shape: Shape, axis: number, ...dims: readonly Dim[]): Shape {
  return [...shape.slice(0, axis), ...dims, ...shape.slice(axis + 1)];
}

/** The extent of an axis that must be there. */
export function extentAt(shape: Shape, axis: number): Dim {
  const extent = shape[axis];
  if (extent === undefined) throw new ShapeConflict(`needs more than ${shape.length} axes`);
  return extent;
}

export function extentNumber(tensor: SizedTensor | null | undefined, axis: number): number {
  const extent = tensor?.shape.at(axis);
  if (extent === undefined) throw new ShapeConflict(`needs an axis ${axis}`);
  return extent;
}

export function elementCount(shape: Shape | null): Dim | null {
  return shape === null ? null : productOfDims(shape);
}

/** So many operations for each element of the first output. */
export const perOutputElement =
  (operations: number) =>
  (_attrs: unknown, { outputs }: { readonly outputs: readonly (SizedTensor | null)[] }): Cost => ({
    macs: 0,
    otherFlops: operations * (outputs[0]?.elements ?? 0),
  });

/** So many operations for each element of the first input. */
export const perInputElement =
  (operations: number) =>
  (_attrs: unknown, { inputs }: { readonly inputs: readonly (SizedTensor | null)[] }): Cost => ({
    macs: 0,
    otherFlops: operations * (inputs[0]?.elements ?? 0),
  });

/** Moves data, computes nothing. */
export const free = (): Cost => FREE;
