/** Functions of one and of two row-major tensors. */
import { stridesOf } from '../../ir/extents.ts';
import { binaryCode, type RuntimeBinary } from '../kernels/binary.ts';
import { unaryCode } from '../kernels/unary-functions.ts';
import type { Epilogue } from './epilogue.ts';
import type { ProgramBuilder } from './program.ts';
import { elementsOf, type Plain } from './tensor.ts';

/** A clamp as a function with two bounds. */
export const functionOf = ({ activation, low, high, alpha, beta }: Epilogue) =>
  activation === null
    ? { activation: unaryCode('clamp'), alpha: low, beta: high }
    : { activation: unaryCode(activation), alpha, beta };

/** Vectors of a run on a row-major tensor: one unit of work. */
const RUN_VECTORS = 1024;

/** Appends y = fn(x); both may be the same. */
export function planMapPlain(builder: ProgramBuilder, x: Plain, y: Plain, epilogue: Epilogue): void {
  const vectors = Math.ceil(elementsOf(y.shape) / 4);
  const step = (first: number, units: number, each: number): void => {
    builder.step('unary', units, {
      input: { ...x.place, offsetBytes: x.place.offsetBytes + first * 16 },
      output: { ...y.place, offsetBytes: y.place.offsetBytes + first * 16 },
      rows: 1,
      inputRow: 0,
      inputPlane: each * 16,
      outputRow: 0,
      outputPlane: each * 16,
      vectors: each,
      ...functionOf(epilogue),
    });
  };
  const runs = Math.floor(vectors / RUN_VECTORS);
  if (runs > 0) step(0, runs, RUN_VECTORS);
  if (vectors % RUN_VECTORS > 0) step(runs * RUN_VECTORS, 1, vectors % RUN_VECTORS);
}

/** Axes of a tensor that the kernel of two operands steps over. */
export const MAX_AXES = 5;

/** Appends y = fn(a, b), both broadcast to the shape of y. */
export function planBinaryPlain(builder: ProgramBuilder, fn: RuntimeBinary, x0: Plain, x1: Plain, y: Plain): void {
  const extents = [...Array.from({ length: MAX_AXES - y.shape.length }, () => 1), ...y.shape];
  const a = { tensor: x0, strides: broadcastStrides(x0.shape, extents) };
  const b = { tensor: x1, strides: broadcastStrides(x1.shape, extents) };
  const stride = (operand: typeof a, axis: number): number => (operand.strides[axis] ?? 0) * 4;
  builder.step('binaryPlain', elementsOf(extents.slice(0, -1)), {
    a: a.tensor.place,
    b: b.tensor.place,
    output: y.place,
    fn: binaryCode(fn),
    extent1: extents[1] ?? 1,
    extent2: extents[2] ?? 1,
    extent3: extents[3] ?? 1,
    extent4: extents[4] ?? 1,
    a0: stride(a, 0),
    a1: stride(a, 1),
    a2: stride(a, 2),
    a3: stride(a, 3),
    a4: stride(a, 4),
    b0: stride(b, 0),
    b1: stride(b, 1),
    b2: stride(b, 2),
    b3: stride(b, 3),
    b4: stride(b, 4),
  });
}

/** Strides of a tensor inside a wider shape; 0 where it is repeated. */
export function broadcastStrides(shape: readonly number[], extents: readonly number[]): readonly number[] {
  const own = stridesOf(shape);
  const shift = extents.length - shape.length;
  return extents.map((_, axis) => (axis < shift || shape[axis - shift] === 1 ? 0 : (own[axis - shift] ?? 0)));
}
