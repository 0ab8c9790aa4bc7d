/** Where each buffer lies: buffers that are never alive together share memory. */
import { buffersOf, type Program } from './program.ts';

export interface MemoryPlan {
  /** Byte offset by buffer. */
  readonly offsets: readonly number[];
  readonly totalBytes: number;
}

interface Lifetime {
  readonly buffer: number;
  readonly bytes: number;
  /** Barrier intervals, inclusive. */
  readonly first: number;
  readonly last: number;
}

const ALIGNMENT = 64;

const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Processors take a load for one from a store before it where both lie at the same place of a page. */
const PAGE_BYTES = 4096;
const APART_BYTES = 1024;

/** The room for a buffer: the one behind it begins at another place of its page, as layers read one and write the other. */
function roomOf(bytes: number): number {
  const room = align(bytes);
  const place = room % PAGE_BYTES;
  return room < PAGE_BYTES || (place >= APART_BYTES && place <= PAGE_BYTES - APART_BYTES)
    ? room
    : room + PAGE_BYTES / 2;
}

/**
 * Constants first, each for itself; then the rest, greatest first, each in the lowest gap that is free as long as it
 * lives. Buffers in `kept` (inputs, outputs) live from before the first step until after the last.
 */
export function planMemory(program: Program, kept: ReadonlySet<number>): MemoryPlan {
  const offsets: number[] = program.buffers.map(() => 0);
  let top = 0;
  for (const [buffer, { bytes, constant }] of program.buffers.entries()) {
    if (constant === null) continue;
    offsets[buffer] = top;
    top += align(bytes);
  }
  const placed: Lifetime[] = [];
  const order = lifetimesOf(program, kept).sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  let totalBytes = top;
  for (const lifetime of order) {
    const offset = lowestGap(lifetime, placed, offsets, top);
    offsets[lifetime.buffer] = offset;
    placed.push(lifetime);
    totalBytes = Math.max(totalBytes, offset + roomOf(lifetime.bytes));
  }
  return { offsets, totalBytes };
}

function lowestGap(
  lifetime: Lifetime,
  placed: readonly Lifetime[],
  offsets: readonly number[],
  bottom: number,
): number {
  const taken = placed
    .filter(({ first, last }) => first <= lifetime.last && last >= lifetime.first)
    .map(({ buffer, bytes }) => ({ from: offsets[buffer] ?? 0, to: (offsets[buffer] ?? 0) + roomOf(bytes) }))
    .sort((a, b) => a.from - b.from);
  let offset = bottom;
  for (const { from, to } of taken) {
    if (from - offset >= roomOf(lifetime.bytes)) break;
    offset = Math.max(offset, to);
  }
  return offset;
}

/** Steps without a barrier in between run at the same time, so lifetimes are counted in barriers. */
function lifetimesOf(program: Program, kept: ReadonlySet<number>): Lifetime[] {
  const spans = new Map<number, { first: number; last: number }>();
  let interval = 0;
  for (const [index, step] of program.steps.entries()) {
    for (const buffer of buffersOf(program, index)) {
      const span = spans.get(buffer) ?? { first: interval, last: interval };
      spans.set(buffer, { first: span.first, last: interval });
    }
    if (step.barrier) interval += 1;
  }
  return program.buffers.flatMap(({ bytes, constant }, buffer) => {
    if (constant !== null) return [];
    if (kept.has(buffer)) return [{ buffer, bytes, first: -1, last: interval + 1 }];
    const span = spans.get(buffer);
    return span ? [{ buffer, bytes, ...span }] : [];
  });
}
