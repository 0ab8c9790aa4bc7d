import { float } from '../wasm/values.ts';
import { defineKernel } from './kernel.ts';
import { unaryCode } from './unary-functions.ts';

/**
 * e^(x − max) / Σ e^(x − max) along the last axis of a row-major tensor; its logarithm where `log` is 1. A unit is one row.
 * `scratch` holds one row a unit, each a whole number of vectors.
 */
export const softmax = defineKernel(
  { input: 'i32', output: 'i32', count: 'i32', scratch: 'i32', log: 'i32' },
  ({ body, begin, end, args, shared }) =>
    body.loop(begin, end, 1, (unit) => {
      const bytes = body.i32(args.count.shl(2));
      const input = body.i32(args.input.add(unit.mul(bytes)));
      const output = body.i32(args.output.add(unit.mul(bytes)));
      const vectors = body.i32(args.count.add(3).shr(2));
      const scratch = body.i32(args.scratch.add(unit.mul(vectors).shl(4)));
      const greatest = body.f32(float(Number.NEGATIVE_INFINITY));
      body.loop(0, bytes, 4, (at) => body.set(greatest, greatest.max(input.add(at).loadF32())));
      body.loop(0, bytes, 4, (at) => body.storeF32(scratch.add(at), input.add(at).loadF32().sub(greatest)));
      const zero = float(0).splat();
      body.call(shared.mapSpan, scratch, scratch, vectors, unaryCode('exp'), zero, zero);
      const sum = body.f32(float(0));
      body.loop(0, bytes, 4, (at) => body.set(sum, sum.add(scratch.add(at).loadF32())));
      body.if(
        args.log,
        () => {
          body.storeF32(scratch, sum);
          body.call(shared.mapSpan, scratch, scratch, 1, unaryCode('log'), zero, zero);
          const offset = body.f32(greatest.add(scratch.loadF32()));
          body.loop(0, bytes, 4, (at) => body.storeF32(output.add(at), input.add(at).loadF32().sub(offset)));
        },
        () => {
          const share = body.f32(float(1).div(sum));
          body.loop(0, bytes, 4, (at) => body.storeF32(output.add(at), scratch.add(at).loadF32().mul(share)));
        },
      );
    }),
);
