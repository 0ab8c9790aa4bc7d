/** Moves tracked elements about; null where they, or the extents, are not known. */

import { type Dim, isStatic } from '../ir/dim.ts';
import { countElements } from '../ir/extents.ts';
import { type Element, MAX_TRACKED_ELEMENTS, type Shape, staticShape, type TensorFact } from '../ir/fact.ts';
import { clampRange, type SliceRange } from './slice-range.ts';

type Elements = readonly Element[] | null;

/** A tensor whose elements are tracked. */
interface Tracked {
  readonly elements: readonly Element[];
  readonly extents: readonly number[];
}

function tracked({ elements, shape }: TensorFact): Tracked | null {
  const extents = staticShape(shape);
  // Of nothing there may be many rows: an extent of 0 hides how large the others are.
  if (extents?.some((extent) => extent > MAX_TRACKED_ELEMENTS)) return null;
  return elements !== null && extents !== null ? { elements, extents } : null;
}

/** Row-major strides. */
function stridesOf(extents: readonly number[]): readonly number[] {
  return extents.map((_, axis) => countElements(extents.slice(axis + 1)));
}

/** The elements of a result, each read from where `source` says: from coordinates to a flat index. */
function collect(
  elements: readonly Element[],
  extents: readonly number[],
  source: (coordinates: readonly number[]) => number,
): Elements {
  const count = countElements(extents);
  if (count > MAX_TRACKED_ELEMENTS) return null;
  const coordinates = extents.map(() => 0);
  return Array.from({ length: count }, () => {
    const element = elements[source(coordinates)] ?? null;
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      const next = (coordinates[axis] ?? 0) + 1;
      coordinates[axis] = next < (extents[axis] ?? 1) ? next : 0;
      if (next < (extents[axis] ?? 1)) break;
    }
    return element;
  });
}

const dot = (left: readonly number[], right: readonly number[]): number =>
  left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);

export function transposeElements(input: TensorFact, order: readonly number[]): Elements {
  const known = tracked(input);
  if (known === null) return null;
  const strides = stridesOf(known.extents);
  const moved = order.map((axis) => strides.at(axis) ?? 0);
  return collect(
    known.elements,
    order.map((axis) => known.extents.at(axis) ?? 1),
    (coordinates) => dot(coordinates, moved),
  );
}

export function concatElements(inputs: readonly TensorFact[], axis: number): Elements {
  const parts: Tracked[] = [];
  for (const input of inputs) {
    const known = tracked(input);
    if (known === null) return null;
    parts.push(known);
  }
  const rows = countElements(parts[0]?.extents.slice(0, axis) ?? []);
  if (rows > MAX_TRACKED_ELEMENTS) return null;
  const joined: Element[] = [];
  for (let row = 0; row < rows; row++) {
    for (const { elements, extents } of parts) {
      const length = countElements(extents.slice(axis));
      joined.push(...elements.slice(row * length, (row + 1) * length));
    }
    if (joined.length > MAX_TRACKED_ELEMENTS) return null;
  }
  return joined;
}

export function splitElements(input: TensorFact, axis: number, lengths: Shape): readonly Elements[] | null {
  let start = 0;
  const parts: Elements[] = [];
  for (const length of lengths) {
    if (!isStatic(length)) return null;
    parts.push(sliceElements(input, [{ axis, start, end: start + length, step: 1 }]));
    start += length;
  }
  return parts;
}

export function sliceElements(input: TensorFact, ranges: readonly SliceRange[]): Elements {
  const known = tracked(input);
  if (known === null) return null;
  const starts = known.extents.map(() => 0);
  const steps = known.extents.map(() => 1);
  const extents = [...known.extents];
  for (const { axis, start, end, step } of ranges) {
    if (start === null || end === null || !isStatic(start) || !isStatic(end)) return null;
    const [from, to] = clampRange(known.extents[axis] ?? 0, start, end, step);
    starts[axis] = from;
    steps[axis] = step;
    extents[axis] = Math.max(0, Math.ceil((to - from) / step));
  }
  const strides = stridesOf(known.extents);
  const offset = dot(starts, strides);
  const stepped = strides.map((stride, axis) => stride * (steps[axis] ?? 1));
  return collect(known.elements, extents, (coordinates) => offset + dot(coordinates, stepped));
}

export function gatherElements(input: TensorFact, indices: TensorFact, axis: number): Elements {
  const known = tracked(input);
  const chosen = tracked(indices);
  if (known === null || chosen === null) return null;
  const extent = known.extents[axis] ?? 0;
  const before = countElements(known.extents.slice(0, axis));
  const after = countElements(known.extents.slice(axis + 1));
  if (before * chosen.elements.length * after > MAX_TRACKED_ELEMENTS || before > MAX_TRACKED_ELEMENTS) return null;
  const gathered: Element[] = [];
  for (let row = 0; row < before; row++) {
    for (const index of chosen.elements) {
      const at = position(index, extent);
      for (let rest = 0; rest < after; rest++) {
        gathered.push(at === null ? null : (known.elements[(row * extent + at) * after + rest] ?? null));
      }
    }
  }
  return gathered;
}

export function gatherNDElements(input: TensorFact, indices: TensorFact): Elements {
  const known = tracked(input);
  const chosen = tracked(indices);
  if (known === null || chosen === null) return null;
  const depth = chosen.extents.at(-1) ?? 0;
  const length = countElements(known.extents.slice(depth));
  const strides = stridesOf(known.extents);
  const rows = countElements(chosen.extents.slice(0, -1));
  if (rows * Math.max(1, length) > MAX_TRACKED_ELEMENTS) return null;
  return Array.from({ length: rows }, (_, row) => {
    const at = chosen.elements
      .slice(row * depth, (row + 1) * depth)
      .map((index, axis) => position(index, known.extents[axis] ?? 0));
    const start = at.includes(null)
      ? null
      : dot(
          at.map((index) => index ?? 0),
          strides,
        );
    return Array.from({ length }, (_, rest) => (start === null ? null : (known.elements[start + rest] ?? null)));
  }).flat();
}

export function tileElements(input: TensorFact, repeats: readonly number[] | null): Elements {
  const known = tracked(input);
  if (known === null || repeats === null || repeats.some((repeat) => repeat < 0)) return null;
  const strides = stridesOf(known.extents);
  return collect(
    known.elements,
    known.extents.map((extent, axis) => extent * (repeats[axis] ?? 1)),
    (coordinates) =>
      dot(
        coordinates.map((coordinate, axis) => coordinate % (known.extents[axis] ?? 1)),
        strides,
      ),
  );
}

function position(index: Dim | null, extent: number): number | null {
  if (index === null || !isStatic(index)) return null;
  return index < 0 ? index + extent : index;
}
