import { splat } from '../wasm/values.ts';
import { defineKernel, PIXEL_BYTES } from './kernel.ts';

/** Zeroes the pixels around each plane, so that windows may reach over the edge. A unit is a plane. */
export const fillHalo = defineKernel(
  {
    /** The first plane, halo included. */
    output: 'i32',
    plane: 'i32',
    row: 'i32',
    top: 'i32',
    height: 'i32',
    bottom: 'i32',
    left: 'i32',
    width: 'i32',
    right: 'i32',
  },
  ({ body, begin, end, args }) => {
    const zero = splat(0);
    const at = body.i32();
    const fill = (pixels: Parameters<typeof body.loop>[1]): void =>
      body.loop(0, pixels, 1, () => {
        body.storeVector(at, zero);
        body.storeVector(at, zero, 16);
        body.increase(at, PIXEL_BYTES);
      });
    body.loop(begin, end, 1, (plane) => {
      body.set(at, args.output.add(plane.mul(args.plane)));
      fill(args.row.div(PIXEL_BYTES).mul(args.top));
      body.loop(0, args.height, 1, () => {
        fill(args.left);
        body.increase(at, args.width.mul(PIXEL_BYTES));
        fill(args.right);
      });
      fill(args.row.div(PIXEL_BYTES).mul(args.bottom));
    });
  },
);
