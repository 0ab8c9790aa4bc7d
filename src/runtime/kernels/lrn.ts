import { float } from '../wasm/values.ts';
import { defineKernel } from './kernel.ts';
import { unaryCode } from './unary-functions.ts';

/**
 * Local response normalisation: y = x / (bias + share · Σ x²)^beta, the sum over the channels from `before` in front of an
 * element's to `behind` after it (ONNX operator LRN; share is alpha / size). A unit is one channel of one item of a
 * row-major tensor; `scratch` holds one channel a unit, a whole number of vectors each.
 */
export const lrn = defineKernel(
  {
    input: 'i32',
    output: 'i32',
    scratch: 'i32',
    channels: 'i32',
    /** Elements of a channel. */
    plane: 'i32',
    before: 'i32',
    behind: 'i32',
    share: 'f32',
    bias: 'f32',
    beta: 'f32',
  },
  ({ body, begin, end, args, shared }) =>
    body.loop(begin, end, 1, (unit) => {
      const planeBytes = body.i32(args.plane.shl(2));
      const vectors = body.i32(args.plane.add(3).shr(2));
      const scratch = body.i32(args.scratch.add(unit.mul(vectors).shl(4)));
      const scratchEnd = body.i32(scratch.add(vectors.shl(4)));
      const channel = body.i32(unit.rem(args.channels));
      const first = body.i32(channel.sub(args.before).max(0));
      const last = body.i32(channel.add(args.behind).min(args.channels.sub(1)));
      const source = body.i32(args.input.add(unit.mul(planeBytes)));
      const neighbours = body.i32(source.sub(channel.sub(first).mul(planeBytes)));
      const [share, bias] = [body.v128(args.share.splat()), body.v128(args.bias.splat())];
      const at = body.i32(scratch);
      body.whileTrue(at.lt(scratchEnd), () => {
        const sum = body.v128(float(0).splat());
        const neighbour = body.i32(neighbours.add(at.sub(scratch)));
        body.loop(first, last.add(1), 1, () => {
          const x = body.v128(neighbour.loadVector());
          body.set(sum, sum.add(x.mul(x)));
          body.increase(neighbour, planeBytes);
        });
        body.storeVector(at, sum.mul(share).add(bias));
        body.increase(at, 16);
      });
      // base^−beta = e^(−beta · ln base).
      const zero = float(0).splat();
      body.call(shared.mapSpan, scratch, scratch, vectors, unaryCode('log'), zero, zero);
      const exponent = body.v128(float(0).sub(args.beta).splat());
      body.set(at, scratch);
      body.whileTrue(at.lt(scratchEnd), () => {
        body.storeVector(at, at.loadVector().mul(exponent));
        body.increase(at, 16);
      });
      body.call(shared.mapSpan, scratch, scratch, vectors, unaryCode('exp'), zero, zero);
      const output = body.i32(args.output.add(unit.mul(planeBytes)));
      body.loop(0, planeBytes, 4, (offset) =>
        body.storeF32(output.add(offset), source.add(offset).loadF32().mul(scratch.add(offset).loadF32())),
      );
    }),
);
