import type { FunctionBody, Local } from '../wasm/function-body.ts';
import { type I32, splat, type V128 } from '../wasm/values.ts';
import { defineKernel, PIXEL_BYTES } from './kernel.ts';

type BinaryCode = (a: V128, b: V128) => V128;

const zero = splat(0);

/** A truth value is 1 or 0. */
const truth = (mask: V128): V128 => mask.and(splat(1));

/** By the graph's own names. */
export const BINARY_FUNCTIONS = {
  add: (a, b) => a.add(b),
  sub: (a, b) => a.sub(b),
  mul: (a, b) => a.mul(b),
  div: (a, b) => a.div(b),
  max: (a, b) => a.max(b),
  min: (a, b) => a.min(b),
  /** The parametric ReLU: a where it is not negative, a · b elsewhere. */
  prelu: (a, b) => a.lt(a.sub(a)).choose(a.mul(b), a),
  equal: (a, b) => truth(a.eq(b)),
  greater: (a, b) => truth(a.gt(b)),
  greaterOrEqual: (a, b) => truth(a.ge(b)),
  less: (a, b) => truth(a.lt(b)),
  lessOrEqual: (a, b) => truth(a.le(b)),
  and: (a, b) => a.min(b),
  or: (a, b) => a.max(b),
  xor: (a, b) => a.sub(b).abs(),
  /** The remainder with the divisor's sign. */
  mod: (a, b) => a.sub(b.mul(a.div(b).floor())),
  /** b where a is true, else 0; and the other way round. */
  when: (a, b) => a.eq(zero).choose(zero, b),
  unless: (a, b) => a.eq(zero).and(b),
} as const satisfies Record<string, BinaryCode>;

export type RuntimeBinary = keyof typeof BINARY_FUNCTIONS;

export const binaryCode = (name: RuntimeBinary): number => Object.keys(BINARY_FUNCTIONS).indexOf(name);

export const isRuntimeBinary = (name: string): name is RuntimeBinary => Object.hasOwn(BINARY_FUNCTIONS, name);

/**
 * y = fn(a, b) over tensors in blocks of channels. A stride of 0 repeats an operand: over pixels for one value a channel,
 * over planes for one that all channels share. A unit is one row of one plane.
 */
export const binaryBlocked = defineKernel(
  {
    a: 'i32',
    b: 'i32',
    output: 'i32',
    /** Code of the function. */
    fn: 'i32',
    height: 'i32',
    width: 'i32',
    aPlane: 'i32',
    aRow: 'i32',
    aPixel: 'i32',
    bPlane: 'i32',
    bRow: 'i32',
    bPixel: 'i32',
    outputPlane: 'i32',
    outputRow: 'i32',
    low: 'f32',
    high: 'f32',
  },
  ({ body, begin, end, args }) =>
    body.loop(begin, end, 1, (unit) => {
      const plane = body.i32(unit.div(args.height));
      const y = body.i32(unit.rem(args.height));
      const a = body.i32(args.a.add(plane.mul(args.aPlane)).add(y.mul(args.aRow)));
      const b = body.i32(args.b.add(plane.mul(args.bPlane)).add(y.mul(args.bRow)));
      const target = body.i32(args.output.add(plane.mul(args.outputPlane)).add(y.mul(args.outputRow)));
      const rowEnd = body.i32(target.add(args.width.mul(PIXEL_BYTES)));
      const low = body.v128(args.low.splat());
      const high = body.v128(args.high.splat());
      overFunctions(body, args.fn, (fn) =>
        body.whileTrue(target.lt(rowEnd), () => {
          for (const half of [0, 16]) {
            body.storeVector(
              target,
              fn(body.v128(a.loadVector(half)), b.loadVector(half))
                .max(low)
                .min(high),
              half,
            );
          }
          body.increase(target, PIXEL_BYTES);
          body.increase(a, args.aPixel);
          body.increase(b, args.bPixel);
        }),
      );
    }),
);

/**
 * y = fn(a, b) over row-major tensors of up to five axes, outermost first. Operands are repeated where their stride is 0.
 * The output lies without gaps. A unit is one run of the innermost axis.
 */
export const binaryPlain = defineKernel(
  {
    a: 'i32',
    b: 'i32',
    output: 'i32',
    fn: 'i32',
    extent1: 'i32',
    extent2: 'i32',
    extent3: 'i32',
    extent4: 'i32',
    a0: 'i32',
    a1: 'i32',
    a2: 'i32',
    a3: 'i32',
    /** Bytes, 0 or 4. */
    a4: 'i32',
    b0: 'i32',
    b1: 'i32',
    b2: 'i32',
    b3: 'i32',
    b4: 'i32',
  },
  ({ body, begin, end, args }) =>
    body.loop(begin, end, 1, (unit) => {
      const rest = body.i32(unit);
      const a = body.i32(args.a);
      const b = body.i32(args.b);
      const advance = (extent: I32 | null, aStride: I32, bStride: I32): void => {
        const index = body.i32(extent ? rest.rem(extent) : rest);
        body.increase(a, index.mul(aStride));
        body.increase(b, index.mul(bStride));
        if (extent) body.set(rest, rest.div(extent));
      };
      advance(args.extent3, args.a3, args.b3);
      advance(args.extent2, args.a2, args.b2);
      advance(args.extent1, args.a1, args.b1);
      advance(null, args.a0, args.b0);
      const target = body.i32(args.output.add(unit.mul(args.extent4.shl(2))));
      const runEnd = body.i32(target.add(args.extent4.shl(2)));
      overFunctions(body, args.fn, (fn) => {
        const vectorEnd = body.i32(runEnd.sub(12));
        body.whileTrue(target.lt(vectorEnd), () => {
          body.storeVector(target, fn(body.v128(loadRun(a, args.a4)), loadRun(b, args.b4)));
          body.increase(target, 16);
          body.increase(a, args.a4.shl(2));
          body.increase(b, args.b4.shl(2));
        });
        body.whileTrue(target.lt(runEnd), () => {
          body.storeF32(target, fn(body.v128(a.loadSplat()), b.loadSplat()).lane(0));
          body.increase(target, 4);
          body.increase(a, args.a4);
          body.increase(b, args.b4);
        });
      });
    }),
);

/** Four floats side by side, or one of them four times where the stride is 0. */
const loadRun = (address: Local<I32>, stride: I32): V128 =>
  stride.ne(0).selectVector(address.loadVector(), address.loadSplat());

function overFunctions(body: FunctionBody, code: I32, write: (fn: BinaryCode) => void): void {
  body.switch(
    code,
    Object.values(BINARY_FUNCTIONS).map((fn) => () => write(fn)),
  );
}
