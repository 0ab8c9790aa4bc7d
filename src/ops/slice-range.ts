import { addDims, type Dim, isStatic, maxDims, minDims, staticDifference, subtractDims } from '../ir/dim.ts';
import type { Element } from '../ir/fact.ts';
import { ShapeConflict } from './op-def.ts';

/** What a slice takes of one axis; null where start or end are not known. */
export interface SliceRange {
  readonly axis: number;
  readonly start: Element;
  readonly end: Element;
  readonly step: number;
}

/** "To the end", as exporters spell it: the largest integers of 32 and 64 bits. */
const FAR = 2 ** 31 - 1;

/** Start and end within an axis of known extent, clamped as ONNX does. */
export function clampRange(extent: number, start: number, end: number, step: number): readonly [number, number] {
  if (step === 0) throw new ShapeConflict('a step of 0');
  const from = start < 0 ? start + extent : start;
  const to = end < 0 ? end + extent : end;
  const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
  return step > 0
    ? [clamp(from, 0, extent), clamp(to, 0, extent)]
    : [clamp(from, 0, extent - 1), clamp(to, -1, extent - 1)];
}

/** How many elements a slice takes of an axis; null where that cannot be told. */
export function sliceExtent(extent: Dim, { start, end, step }: SliceRange): Dim | null {
  if (start === null || end === null) return null;
  if (isStatic(extent) && isStatic(start) && isStatic(end)) {
    const [from, to] = clampRange(extent, start, end, step);
    return Math.max(0, Math.ceil((to - from) / step));
  }
  if (step === -1 && start === -1 && isStatic(end) && end <= -FAR) return extent;
  return step === 1 ? symbolicExtent(extent, start, end) : null;
}

/** With symbols: start and end count from the end where they are negative, and are no further than the extent. */
function symbolicExtent(extent: Dim, start: Dim, end: Dim): Dim | null {
  const from = boundary(extent, start);
  const to = boundary(extent, end);
  const length = subtractDims(to, from);
  return isStatic(length) && length < 0 ? 0 : length;
}

function boundary(extent: Dim, position: Dim): Dim {
  if (isStatic(position)) {
    if (position >= FAR) return extent;
    if (position < 0) return isStatic(extent) ? Math.max(0, extent + position) : addDims(extent, position);
    if (position === 0) return 0;
  }
  const beyond = staticDifference(position, extent);
  if (beyond !== null) return beyond >= 0 ? extent : maxDims(position, 0);
  return minDims(position, extent);
}
