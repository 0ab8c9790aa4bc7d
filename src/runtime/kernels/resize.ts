import type { I32, V128 } from '../wasm/values.ts';
import { float } from '../wasm/values.ts';
import { defineKernel, PIXEL_BYTES } from './kernel.ts';

/**
 * Resamples height and width between two input rows and columns each: nearest is the case where the second weighs 0.
 * Tables hold three words an output row (and column): byte offset of the first, of the second, and the second's weight.
 * A unit is one output row of one plane.
 */
export const resize = defineKernel(
  {
    input: 'i32',
    output: 'i32',
    height: 'i32',
    width: 'i32',
    inputPlane: 'i32',
    outputPlane: 'i32',
    outputRow: 'i32',
    rowTable: 'i32',
    columnTable: 'i32',
  },
  ({ body, begin, end, args }) =>
    body.loop(begin, end, 1, (unit) => {
      const plane = body.i32(unit.div(args.height));
      const y = body.i32(unit.rem(args.height));
      const rows = body.i32(args.rowTable.add(y.mul(12)));
      const source = body.i32(args.input.add(plane.mul(args.inputPlane)));
      const upper = body.i32(source.add(rows.loadI32()));
      const lower = body.i32(source.add(rows.loadI32(4)));
      const down = body.v128(rows.loadF32(8).splat());
      const up = body.v128(float(1).sub(rows.loadF32(8)).splat());
      const target = body.i32(args.output.add(plane.mul(args.outputPlane)).add(y.mul(args.outputRow)));
      const columns = body.i32(args.columnTable);
      body.loop(0, args.width, 1, () => {
        const left = body.i32(columns.loadI32());
        const right = body.i32(columns.loadI32(4));
        const toRight = body.v128(columns.loadF32(8).splat());
        const toLeft = body.v128(float(1).sub(columns.loadF32(8)).splat());
        const across = (row: I32, half: number): V128 =>
          row.add(left).loadVector(half).mul(toLeft).add(row.add(right).loadVector(half).mul(toRight));
        for (const half of [0, 16]) {
          body.storeVector(target, across(upper, half).mul(up).add(across(lower, half).mul(down)), half);
        }
        body.increase(target, PIXEL_BYTES);
        body.increase(columns, 12);
      });
    }),
);
