import { type F32, float } from '../wasm/values.ts';
import { defineKernel } from './kernel.ts';

interface Reduction {
  readonly start: number;
  readonly join: (sum: F32, x: F32) => F32;
  readonly finish: (sum: F32, count: F32) => F32;
}

const keep = (sum: F32): F32 => sum;

/** By the graph's own names. */
const REDUCTIONS = {
  l1: { start: 0, join: (sum, x) => sum.add(x.max(float(0).sub(x))), finish: keep },
  l2: { start: 0, join: (sum, x) => sum.add(x.mul(x)), finish: (sum) => sum.sqrt() },
  max: { start: Number.NEGATIVE_INFINITY, join: (sum, x) => sum.max(x), finish: keep },
  mean: { start: 0, join: (sum, x) => sum.add(x), finish: (sum, count) => sum.div(count) },
  min: { start: Number.POSITIVE_INFINITY, join: (sum, x) => sum.min(x), finish: keep },
  prod: { start: 1, join: (sum, x) => sum.mul(x), finish: keep },
  sum: { start: 0, join: (sum, x) => sum.add(x), finish: keep },
  sumSquare: { start: 0, join: (sum, x) => sum.add(x.mul(x)), finish: keep },
} as const satisfies Record<string, Reduction>;

export type RuntimeReduction = keyof typeof REDUCTIONS;

export const reductionCode = (name: RuntimeReduction): number => Object.keys(REDUCTIONS).indexOf(name);

export const isRuntimeReduction = (name: string): name is RuntimeReduction => Object.hasOwn(REDUCTIONS, name);

/** Reduces the middle one of three axes of a row-major tensor. A unit is one output element. */
export const reduce = defineKernel(
  { input: 'i32', output: 'i32', fn: 'i32', count: 'i32', inner: 'i32' },
  ({ body, begin, end, args }) =>
    body.loop(begin, end, 1, (unit) => {
      const outer = unit.div(args.inner).mul(args.inner).mul(args.count);
      const source = body.i32(args.input.add(outer.add(unit.rem(args.inner)).shl(2)));
      const sum = body.f32();
      body.switch(
        args.fn,
        Object.values<Reduction>(REDUCTIONS).map(({ start, join, finish }) => () => {
          body.set(sum, float(start));
          body.loop(0, args.count, 1, () => {
            body.set(sum, join(sum, source.loadF32()));
            body.increase(source, args.inner.shl(2));
          });
          body.set(sum, finish(sum, args.count.toFloat()));
        }),
      );
      body.storeF32(args.output.add(unit.shl(2)), sum);
    }),
);
