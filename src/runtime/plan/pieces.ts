/** Tensors put together from pieces of another one along an axis: what slices, pads and constant indices take. */
import { stridesOf } from '../../ir/extents.ts';
import type { ProgramBuilder } from './program.ts';
import { planCopy } from './strided.ts';
import type { Plain } from './tensor.ts';

/** Indices with the same step from each to the next: 1 in order, −1 in reverse, 0 for one of them again and again. */
export interface Piece {
  readonly first: number;
  readonly count: number;
  readonly step: number;
}

/** A list of indices as pieces; null where there are more than `most`. */
export function piecesOf(indices: Iterable<number>, most: number): readonly Piece[] | null {
  const pieces: Piece[] = [];
  for (const index of indices) {
    const last = pieces.at(-1);
    const step = last?.count === 1 ? index - last.first : (last?.step ?? 0);
    if (last && last.first + last.count * step === index) {
      pieces[pieces.length - 1] = { first: last.first, count: last.count + 1, step };
    } else pieces.push({ first: index, count: 1, step: 1 });
    if (pieces.length > most) return null;
  }
  return pieces;
}

/** Appends y = the pieces of x along `axis`, one behind the other. */
export function planPieces(builder: ProgramBuilder, x: Plain, y: Plain, axis: number, pieces: readonly Piece[]): void {
  const [own, strides] = [stridesOf(x.shape), stridesOf(y.shape)];
  let done = 0;
  for (const { first, count, step } of pieces) {
    const extents = y.shape.map((extent, index) => (index === axis ? count : extent));
    const from = own.map((stride, index) => (index === axis ? stride * step : stride));
    planCopy(
      builder,
      extents,
      { place: x.place, offset: first * (own[axis] ?? 0), strides: from },
      { place: y.place, offset: done * (strides[axis] ?? 0), strides },
    );
    done += count;
  }
}
