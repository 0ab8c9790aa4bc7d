import { float, splat, type V128 } from '../wasm/values.ts';
import { defineKernel, PIXEL_BYTES } from './kernel.ts';

const globalPoolKernel = (start: number, join: (sum: V128, x: V128) => V128, average: boolean) =>
  defineKernel(
    {
      input: 'i32',
      output: 'i32',
      height: 'i32',
      width: 'i32',
      inputPlane: 'i32',
      inputRow: 'i32',
      outputPlane: 'i32',
    },
    ({ body, begin, end, args }) =>
      body.loop(begin, end, 1, (plane) => {
        const source = body.i32(args.input.add(plane.mul(args.inputPlane)));
        const sums = [body.v128(splat(start)), body.v128(splat(start))];
        body.loop(0, args.height, 1, () => {
          const rowEnd = body.i32(source.add(args.width.mul(PIXEL_BYTES)));
          const pixel = body.i32(source);
          body.whileTrue(pixel.lt(rowEnd), () => {
            for (const [half, sum] of sums.entries()) body.set(sum, join(sum, pixel.loadVector(half * 16)));
            body.increase(pixel, PIXEL_BYTES);
          });
          body.increase(source, args.inputRow);
        });
        const target = body.i32(args.output.add(plane.mul(args.outputPlane)));
        const count = args.height.mul(args.width).toFloat();
        const share = body.v128(float(1).div(count).splat());
        for (const [half, sum] of sums.entries()) {
          body.storeVector(target, average ? sum.mul(share) : sum, half * 16);
        }
      }),
  );

/** The mean of each channel's pixels. A unit is a plane. */
export const globalAveragePool = globalPoolKernel(0, (sum, x) => sum.add(x), true);

/** The greatest of each channel's pixels. */
export const globalMaxPool = globalPoolKernel(Number.NEGATIVE_INFINITY, (sum, x) => sum.max(x), false);
