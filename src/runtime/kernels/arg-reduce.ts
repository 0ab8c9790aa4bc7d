import { defineKernel } from './kernel.ts';

/**
 * The position of the greatest or least element along the middle one of three axes of a row-major tensor, as a float. A
 * unit is one output element.
 */
export const argReduce = defineKernel(
  {
    input: 'i32',
    output: 'i32',
    count: 'i32',
    inner: 'i32',
    /** 1 for the greatest, −1 for the least. */
    sign: 'f32',
    /** Of equal ones the last, not the first. */
    last: 'i32',
  },
  ({ body, begin, end, args }) =>
    body.loop(begin, end, 1, (unit) => {
      const outer = unit.div(args.inner).mul(args.inner).mul(args.count);
      const source = body.i32(args.input.add(outer.add(unit.rem(args.inner)).shl(2)));
      const best = body.f32(source.loadF32().mul(args.sign));
      const found = body.i32(0);
      body.loop(0, args.count, 1, (index) => {
        const value = body.f32(source.loadF32().mul(args.sign));
        const isBetter = args.last.select(value.ge(best), value.gt(best));
        body.if(isBetter, () => {
          body.set(best, value);
          body.set(found, index);
        });
        body.increase(source, args.inner.shl(2));
      });
      body.storeF32(args.output.add(unit.shl(2)), found.toFloat());
    }),
);
