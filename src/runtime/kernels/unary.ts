import { defineKernel } from './kernel.ts';

/** target = fn(source) over runs of vectors of four floats. A unit is one run. */
export const unary = defineKernel(
  {
    input: 'i32',
    output: 'i32',
    /** Runs lie in planes of `rows`; strides are in bytes. */
    rows: 'i32',
    inputRow: 'i32',
    inputPlane: 'i32',
    outputRow: 'i32',
    outputPlane: 'i32',
    vectors: 'i32',
    activation: 'i32',
    alpha: 'f32',
    beta: 'f32',
  },
  ({ body, begin, end, args, shared }) =>
    body.loop(begin, end, 1, (unit) => {
      const plane = body.i32(unit.div(args.rows));
      const row = body.i32(unit.rem(args.rows));
      const source = args.input.add(plane.mul(args.inputPlane)).add(row.mul(args.inputRow));
      const target = args.output.add(plane.mul(args.outputPlane)).add(row.mul(args.outputRow));
      body.call(shared.mapSpan, source, target, args.vectors, args.activation, args.alpha.splat(), args.beta.splat());
    }),
);
