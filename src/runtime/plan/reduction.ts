/** Reductions of row-major tensors over some of their axes. */
import { type RuntimeReduction, reductionCode } from '../kernels/reduce.ts';
import type { Place, ProgramBuilder } from './program.ts';
import { planPermuted } from './strided.ts';
import { elementsOf, newPlain, type Plain } from './tensor.ts';

/** One axis of three to go over: how many elements it has, and how many lie behind each of them. */
export interface ReducedAxis {
  readonly input: Place;
  readonly count: number;
  readonly inner: number;
}

/** Brings the reduced axes, sorted, together, behind all others, unless they already lie side by side. */
function joinReduced(builder: ProgramBuilder, x: Plain, axes: readonly number[]): ReducedAxis {
  const first = axes[0] ?? x.shape.length;
  const last = axes.at(-1) ?? x.shape.length - 1;
  const count = elementsOf(axes.map((axis) => x.shape[axis] ?? 1));
  if (last - first + 1 === axes.length) {
    return { input: x.place, count, inner: elementsOf(x.shape.slice(last + 1)) };
  }
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  return { input: planPermuted(builder, x, [...kept, ...axes]).place, count, inner: 1 };
}

const keptShape = ({ shape }: Plain, axes: readonly number[]): readonly number[] =>
  shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));

/** Appends the reduction over `axes`, which are sorted; they stay, with extent 1. */
export function planReduction(builder: ProgramBuilder, fn: RuntimeReduction, x: Plain, axes: readonly number[]): Plain {
  const reduced = joinReduced(builder, x, axes);
  const y = newPlain(builder, keptShape(x, axes));
  builder.step('reduce', elementsOf(y.shape), { ...reduced, output: y.place, fn: reductionCode(fn) });
  return y;
}

/** Appends the positions of the extremes along one axis; it stays, with extent 1. */
export function planExtremes(
  builder: ProgramBuilder,
  x: Plain,
  axis: number,
  { fn, selectsLast }: { readonly fn: 'max' | 'min'; readonly selectsLast: boolean },
): Plain {
  const y = newPlain(builder, keptShape(x, [axis]));
  builder.step('argReduce', elementsOf(y.shape), {
    ...joinReduced(builder, x, [axis]),
    output: y.place,
    sign: fn === 'max' ? 1 : -1,
    last: Number(selectsLast),
  });
  return y;
}
