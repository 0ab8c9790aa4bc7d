/** Copies between strided views of row-major tensors. */
import { stridesOf } from '../../ir/extents.ts';
import { at, type Place, type ProgramBuilder } from './program.ts';
import { newPlain, type Plain } from './tensor.ts';

/** A view: its first element, and the elements to step over along each axis. */
export interface View {
  readonly place: Place;
  readonly offset: number;
  readonly strides: readonly number[];
}

const MAX_COPIED_AXES = 6;

interface CopiedAxis {
  readonly extent: number;
  readonly from: number;
  readonly to: number;
}

/** Copies `extents` elements; axes that lie side by side in both views are joined. */
export function planCopy(builder: ProgramBuilder, extents: readonly number[], from: View, to: View): void {
  const axes = joinAxes(
    extents.map((extent, axis) => ({ extent, from: from.strides[axis] ?? 0, to: to.strides[axis] ?? 0 })),
  );
  if (axes.length > MAX_COPIED_AXES) throw new Error(`A copy over ${axes.length} axes.`);
  const padded: readonly CopiedAxis[] = [
    ...Array.from({ length: MAX_COPIED_AXES - axes.length }, () => ({ extent: 1, from: 0, to: 0 })),
    ...axes,
  ];
  const axis = (index: number): CopiedAxis => padded[index] ?? { extent: 1, from: 0, to: 0 };
  const units = padded.slice(0, -1).reduce((product, { extent }) => product * extent, 1);
  builder.step('copy', units, {
    input: at(from.place, from.offset * 4),
    output: at(to.place, to.offset * 4),
    extent1: axis(1).extent,
    extent2: axis(2).extent,
    extent3: axis(3).extent,
    extent4: axis(4).extent,
    extent5: axis(5).extent,
    input0: axis(0).from * 4,
    input1: axis(1).from * 4,
    input2: axis(2).from * 4,
    input3: axis(3).from * 4,
    input4: axis(4).from * 4,
    input5: axis(5).from * 4,
    output0: axis(0).to * 4,
    output1: axis(1).to * 4,
    output2: axis(2).to * 4,
    output3: axis(3).to * 4,
    output4: axis(4).to * 4,
    output5: axis(5).to * 4,
  });
}

function joinAxes(axes: readonly CopiedAxis[]): readonly CopiedAxis[] {
  const joined: CopiedAxis[] = [];
  for (const axis of axes) {
    if (axis.extent === 1) continue;
    const outer = joined.at(-1);
    if (outer && outer.from === axis.from * axis.extent && outer.to === axis.to * axis.extent) {
      joined[joined.length - 1] = { extent: outer.extent * axis.extent, from: axis.from, to: axis.to };
    } else joined.push(axis);
  }
  return joined;
}

/** A row-major copy with the axes in another order. */
export function planPermuted(builder: ProgramBuilder, x: Plain, permutation: readonly number[]): Plain {
  const strides = stridesOf(x.shape);
  const y = newPlain(
    builder,
    permutation.map((axis) => x.shape[axis] ?? 1),
  );
  const from = { place: x.place, offset: 0, strides: permutation.map((axis) => strides[axis] ?? 0) };
  planCopy(builder, y.shape, from, { place: y.place, offset: 0, strides: stridesOf(y.shape) });
  return y;
}
