import { splat, type V128 } from '../wasm/values.ts';
import { defineKernel, indices, PIXEL_BYTES } from './kernel.ts';

/** Input rows (and columns) that an output row is made from. */
const CUBIC_TAPS = 4;

/** Words of a table a position: byte offsets of the taps, then their weights. */
const CUBIC_WORDS = 2 * CUBIC_TAPS;

/**
 * Resamples height and width between four input rows and four columns each, which tables name by output row and column. A
 * unit is one output row of one plane.
 */
export const resizeCubic = defineKernel(
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
      const source = body.i32(args.input.add(plane.mul(args.inputPlane)));
      const target = body.i32(args.output.add(plane.mul(args.outputPlane)).add(y.mul(args.outputRow)));
      const table = body.i32(args.rowTable.add(y.mul(CUBIC_WORDS * 4)));
      const rows = indices(CUBIC_TAPS).map((tap) => ({
        address: body.i32(source.add(table.loadI32(tap * 4))),
        weight: body.v128(table.loadSplat((CUBIC_TAPS + tap) * 4)),
      }));
      const columns = body.i32(args.columnTable);
      body.loop(0, args.width, 1, () => {
        const taps = indices(CUBIC_TAPS).map((tap) => ({
          offset: body.i32(columns.loadI32(tap * 4)),
          weight: body.v128(columns.loadSplat((CUBIC_TAPS + tap) * 4)),
        }));
        for (const half of [0, 16]) {
          const sum = body.v128(splat(0));
          for (const { address, weight } of rows) {
            const across = taps
              .map((tap): V128 => address.add(tap.offset).loadVector(half).mul(tap.weight))
              .reduce((left, right) => left.add(right));
            body.set(sum, sum.add(across.mul(weight)));
          }
          body.storeVector(target, sum, half);
        }
        body.increase(target, PIXEL_BYTES);
        body.increase(columns, CUBIC_WORDS * 4);
      });
    }),
);
