import type { FunctionBody, Local } from '../wasm/function-body.ts';
import { type F32, float, type I32, splat, type V128 } from '../wasm/values.ts';
import { BLOCK, defineKernel, PIXEL_BYTES } from './kernel.ts';

const total = (x: V128): F32 =>
  x
    .lane(0)
    .add(x.lane(1))
    .add(x.lane(2).add(x.lane(3)));

/**
 * y = (x − mean) / √(variance + ε) · scale + bias over rows of a row-major tensor; without the mean where `rms` is 1.
 * A row holds `channels` runs of `inner` elements; each run has one scale and one bias, and the rows begin anew with
 * those of the first channel after `period` rows. A unit is one row.
 *
 * LayerNorm: inner 1, period 1. InstanceNorm: one channel a row, period C. GroupNorm: C / groups channels, period groups.
 */
export const normaliseRows = defineKernel(
  {
    input: 'i32',
    output: 'i32',
    scale: 'i32',
    bias: 'i32',
    channels: 'i32',
    inner: 'i32',
    period: 'i32',
    epsilon: 'f32',
    rms: 'i32',
  },
  ({ body, begin, end, args }) =>
    body.loop(begin, end, 1, (unit) => {
      const count = body.i32(args.channels.mul(args.inner));
      const source = body.i32(args.input.add(unit.mul(count).shl(2)));
      const target = body.i32(args.output.add(unit.mul(count).shl(2)));
      const parameters = body.i32(unit.rem(args.period).mul(args.channels).shl(2));
      const { mean, share } = statistics(body, source, count, args);
      body.if(
        args.inner.eq(1),
        () => {
          const scale = body.i32(args.scale.add(parameters));
          const bias = body.i32(args.bias.add(parameters));
          overRun(body, source, target, count, (x, at, load) =>
            x
              .sub(mean)
              .mul(share)
              .mul(load(scale.add(at)))
              .add(load(bias.add(at))),
          );
        },
        () => {
          const runBytes = body.i32(args.inner.shl(2));
          body.loop(0, args.channels, 1, (channel) => {
            const at = body.i32(parameters.add(channel.shl(2)));
            const factor = body.v128(args.scale.add(at).loadSplat().mul(share));
            const shift = body.v128(args.bias.add(at).loadSplat().sub(mean.mul(factor)));
            overRun(body, source, target, args.inner, (x) => x.mul(factor).add(shift));
            body.increase(source, runBytes);
            body.increase(target, runBytes);
          });
        },
      );
    }),
);

/** The mean of a row (0 for rms), and 1 / √(its mean square distance from it + ε), in every lane. */
function statistics(
  body: FunctionBody,
  source: Local<I32>,
  count: Local<I32>,
  { epsilon, rms }: { readonly epsilon: F32; readonly rms: I32 },
) {
  const share = body.v128(float(1).div(count.toFloat()).splat());
  const mean = body.v128(splat(0));
  body.if(rms.isZero(), () =>
    body.set(
      mean,
      sumOf(body, source, count, (x) => x)
        .splat()
        .mul(share),
    ),
  );
  const squares = sumOf(body, source, count, (x) => {
    const distance = body.v128(x.sub(mean));
    return distance.mul(distance);
  });
  return { mean, share: body.v128(splat(1).div(squares.splat().mul(share).add(epsilon.splat()).sqrt())) };
}

/** The sum of fn over a row: four sums side by side, then what is left over. */
function sumOf(body: FunctionBody, source: Local<I32>, count: Local<I32>, fn: (x: V128) => V128): Local<F32> {
  const sums = body.v128(splat(0));
  const at = body.i32(source);
  const end = body.i32(source.add(count.shl(2)));
  const vectorEnd = body.i32(end.sub(12));
  body.whileTrue(at.lt(vectorEnd), () => {
    body.set(sums, sums.add(fn(body.v128(at.loadVector()))));
    body.increase(at, 16);
  });
  const sum = body.f32(total(sums));
  body.whileTrue(at.lt(end), () => {
    body.set(sum, sum.add(fn(body.v128(at.loadSplat())).lane(0)));
    body.increase(at, 4);
  });
  return sum;
}

/** target = fn(source, byte offset, how to load beside it). */
function overRun(
  body: FunctionBody,
  source: Local<I32>,
  target: Local<I32>,
  count: Local<I32>,
  fn: (x: V128, at: I32, load: (address: I32) => V128) => V128,
): void {
  const at = body.i32(0);
  const end = body.i32(count.shl(2));
  const vectorEnd = body.i32(end.sub(12));
  body.whileTrue(at.lt(vectorEnd), () => {
    body.storeVector(
      target.add(at),
      fn(body.v128(source.add(at).loadVector()), at, (address) => address.loadVector()),
    );
    body.increase(at, 16);
  });
  body.whileTrue(at.lt(end), () => {
    const value = fn(body.v128(source.add(at).loadSplat()), at, (address) => address.loadSplat());
    body.storeF32(target.add(at), value.lane(0));
    body.increase(at, 4);
  });
}

/**
 * The same over the channels of each pixel of a tensor in blocks, whose channels are a whole number of blocks. A unit is
 * one row of one item.
 */
export const normaliseChannels = defineKernel(
  {
    input: 'i32',
    output: 'i32',
    scale: 'i32',
    bias: 'i32',
    blocks: 'i32',
    height: 'i32',
    width: 'i32',
    inputPlane: 'i32',
    inputRow: 'i32',
    outputPlane: 'i32',
    outputRow: 'i32',
    epsilon: 'f32',
    rms: 'i32',
  },
  ({ body, begin, end, args }) =>
    body.loop(begin, end, 1, (unit) => {
      const item = body.i32(unit.div(args.height).mul(args.blocks));
      const y = body.i32(unit.rem(args.height));
      const source = body.i32(args.input.add(item.mul(args.inputPlane)).add(y.mul(args.inputRow)));
      const target = body.i32(args.output.add(item.mul(args.outputPlane)).add(y.mul(args.outputRow)));
      const share = body.v128(float(1).div(args.blocks.mul(BLOCK).toFloat()).splat());
      const epsilon = body.v128(args.epsilon.splat());
      body.loop(0, args.width, 1, () => {
        const sumOfBlocks = (fn: (x: V128) => V128): V128 => {
          const sums = [body.v128(splat(0)), body.v128(splat(0))] as const;
          const at = body.i32(source);
          body.loop(0, args.blocks, 1, () => {
            for (const [half, sum] of sums.entries()) {
              body.set(sum, sum.add(fn(body.v128(at.loadVector(half * 16)))));
            }
            body.increase(at, args.inputPlane);
          });
          return body.v128(total(body.v128(sums[0].add(sums[1]))).splat());
        };
        const mean = body.v128(splat(0));
        body.if(args.rms.isZero(), () => body.set(mean, sumOfBlocks((x) => x).mul(share)));
        const squares = sumOfBlocks((x) => {
          const distance = body.v128(x.sub(mean));
          return distance.mul(distance);
        });
        const factor = body.v128(splat(1).div(squares.mul(share).add(epsilon).sqrt()));
        const [from, to, parameters] = [body.i32(source), body.i32(target), body.i32(0)];
        body.loop(0, args.blocks, 1, () => {
          for (const half of [0, 16]) {
            const scaled = from.loadVector(half).sub(mean).mul(factor).mul(args.scale.add(parameters).loadVector(half));
            body.storeVector(to, scaled.add(args.bias.add(parameters).loadVector(half)), half);
          }
          body.increase(from, args.inputPlane);
          body.increase(to, args.outputPlane);
          body.increase(parameters, PIXEL_BYTES);
        });
        body.increase(source, PIXEL_BYTES);
        body.increase(target, PIXEL_BYTES);
      });
    }),
);
