import { defineKernel } from './kernel.ts';

/**
 * Copies elements between two strided views of up to six axes, outermost first: what transpose, slice, expand, concat,
 * split and pad are on row-major tensors. Strides are in bytes and may be 0 or negative. A unit is one run of the
 * innermost axis.
 */
export const copy = defineKernel(
  {
    input: 'i32',
    output: 'i32',
    extent1: 'i32',
    extent2: 'i32',
    extent3: 'i32',
    extent4: 'i32',
    extent5: 'i32',
    input0: 'i32',
    input1: 'i32',
    input2: 'i32',
    input3: 'i32',
    input4: 'i32',
    input5: 'i32',
    output0: 'i32',
    output1: 'i32',
    output2: 'i32',
    output3: 'i32',
    output4: 'i32',
    output5: 'i32',
  },
  ({ body, begin, end, args }) =>
    body.loop(begin, end, 1, (unit) => {
      const rest = body.i32(unit);
      const source = body.i32(args.input);
      const target = body.i32(args.output);
      for (const [extent, from, to] of [
        [args.extent4, args.input4, args.output4],
        [args.extent3, args.input3, args.output3],
        [args.extent2, args.input2, args.output2],
        [args.extent1, args.input1, args.output1],
      ] as const) {
        const index = body.i32(rest.rem(extent));
        body.increase(source, index.mul(from));
        body.increase(target, index.mul(to));
        body.set(rest, rest.div(extent));
      }
      body.increase(source, rest.mul(args.input0));
      body.increase(target, rest.mul(args.output0));
      const left = body.i32(args.extent5);
      body.if(args.input5.eq(4).and(args.output5.eq(4)), () =>
        body.whileTrue(left.ge(4), () => {
          body.storeVector(target, source.loadVector());
          body.increase(source, 16);
          body.increase(target, 16);
          body.set(left, left.sub(4));
        }),
      );
      body.whileTrue(left.gt(0), () => {
        body.storeF32(target, source.loadF32());
        body.increase(source, args.input5);
        body.increase(target, args.output5);
        body.set(left, left.sub(1));
      });
    }),
);
