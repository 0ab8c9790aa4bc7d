import { defineKernel } from './kernel.ts';

/** Writes one value into every float of a run of vectors. A unit is one vector of four floats. */
export const fill = defineKernel({ output: 'i32', value: 'f32' }, ({ body, begin, end, args }) => {
  const target = body.i32(args.output.add(begin.shl(4)));
  const last = body.i32(args.output.add(end.shl(4)));
  const value = body.v128(args.value.splat());
  body.whileTrue(target.lt(last), () => {
    body.storeVector(target, value);
    body.increase(target, 16);
  });
});
