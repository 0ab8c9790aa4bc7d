import type { FunctionBody, Local } from '../wasm/function-body.ts';
import { type F32, float, type I32, splat, type V128 } from '../wasm/values.ts';
import { defineKernel, indices } from './kernel.ts';

/** Rows and columns of one turn: 8 sums, two vectors of b and one of a fit the registers. */
export const MATMUL_ROWS = 4;
export const MATMUL_COLUMNS = 8;

/**
 * y = alpha · a · b for row-major matrices that are both computed while the network runs. `table` holds, for each matrix of
 * the batch, the byte offsets of a's and of b's. A unit is four rows of one matrix; at the end of a matrix the last row is
 * computed again in place of those that are not there, and so are its last columns.
 */
export const matmul = defineKernel(
  {
    a: 'i32',
    b: 'i32',
    output: 'i32',
    table: 'i32',
    rows: 'i32',
    inner: 'i32',
    columns: 'i32',
    /** Units a matrix. */
    groups: 'i32',
    alpha: 'f32',
  },
  ({ body, begin, end, args }) =>
    body.loop(begin, end, 1, (unit) => {
      const matrix = body.i32(unit.div(args.groups));
      const first = body.i32(unit.rem(args.groups).mul(MATMUL_ROWS));
      const entry = body.i32(args.table.add(matrix.shl(3)));
      const a = body.i32(args.a.add(entry.loadI32()));
      const b = body.i32(args.b.add(entry.loadI32(4)));
      const innerBytes = body.i32(args.inner.shl(2));
      const rowBytes = body.i32(args.columns.shl(2));
      const output = body.i32(args.output.add(matrix.mul(args.rows).mul(rowBytes)));
      const rows = indices(MATMUL_ROWS).map((offset) => body.i32(first.add(offset).min(args.rows.sub(1))));
      const operands: Operands = {
        sources: rows.map((row) => body.i32(a.add(row.mul(innerBytes)))),
        targets: rows.map((row) => body.i32(output.add(row.mul(rowBytes)))),
        b,
        rowBytes,
        innerBytes,
        alpha: args.alpha,
      };
      body.if(
        args.columns.lt(MATMUL_COLUMNS),
        () => body.loop(0, rowBytes, 4, (column) => oneColumn(body, operands, column)),
        () => {
          const lastColumn = body.i32(rowBytes.sub(MATMUL_COLUMNS * 4));
          body.loop(0, rowBytes, MATMUL_COLUMNS * 4, (column) =>
            eightColumns(body, operands, body.i32(column.min(lastColumn))),
          );
        },
      );
    }),
);

interface Operands {
  readonly sources: readonly Local<I32>[];
  readonly targets: readonly Local<I32>[];
  readonly b: Local<I32>;
  readonly rowBytes: Local<I32>;
  readonly innerBytes: Local<I32>;
  readonly alpha: F32;
}

function eightColumns(body: FunctionBody, operands: Operands, column: Local<I32>): void {
  const { sources, targets, b, rowBytes, innerBytes, alpha } = operands;
  const sums = sources.map((): readonly [Local<V128>, Local<V128>] => [body.v128(splat(0)), body.v128(splat(0))]);
  const panel = body.i32(b.add(column));
  body.loop(0, innerBytes, 4, (k) => {
    const [left, right] = [body.v128(panel.loadVector()), body.v128(panel.loadVector(16))];
    for (const [row, [first, second]] of sums.entries()) {
      const factor = body.v128((sources[row] ?? panel).add(k).loadSplat());
      body.set(first, first.add(factor.mul(left)));
      body.set(second, second.add(factor.mul(right)));
    }
    body.increase(panel, rowBytes);
  });
  for (const [row, halves] of sums.entries()) {
    for (const [half, sum] of halves.entries()) {
      body.storeVector((targets[row] ?? panel).add(column), sum.mul(alpha.splat()), half * 16);
    }
  }
}

function oneColumn(body: FunctionBody, operands: Operands, column: Local<I32>): void {
  const { sources, targets, b, rowBytes, innerBytes, alpha } = operands;
  const sums = sources.map(() => body.f32(float(0)));
  const element = body.i32(b.add(column));
  body.loop(0, innerBytes, 4, (k) => {
    const value = body.f32(element.loadF32());
    for (const [row, sum] of sums.entries()) {
      body.set(sum, sum.add((sources[row] ?? element).add(k).loadF32().mul(value)));
    }
    body.increase(element, rowBytes);
  });
  for (const [row, sum] of sums.entries()) body.storeF32((targets[row] ?? element).add(column), sum.mul(alpha));
}
