/**
 * Winograd's minimal filtering F(4×4, 3×3) (Lavin and Gray, arXiv:1509.09308): Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A over tiles
 * of 4×4 outputs. The products are 36 matrix products, which the matrix kernel computes as one batch.
 */
import type { FunctionBody, Local } from '../wasm/function-body.ts';
import { type I32, splat, type V128 } from '../wasm/values.ts';
import { defineKernel, indices, type KernelContext, NO_ACTIVATION, PIXEL_BYTES } from './kernel.ts';

/** Bᵀ and Aᵀ; rows of the filter's transform G are in the plan, which applies it to the weights. */
const INPUT_TRANSFORM = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
] as const;

const OUTPUT_TRANSFORM = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
] as const;

export const WINOGRAD_TILE = 4;
const WINDOW = 6;

const INPUT_ARGUMENTS = {
  /** Address of the first tile's first pixel; tiles may reach over the edge, into zeroes. */
  input: 'i32',
  /** [36][block][tile][8]. */
  output: 'i32',
  /** The range of tiles within the image, and how many there are in a row of it. */
  firstTile: 'i32',
  tiles: 'i32',
  tilesPerRow: 'i32',
  inputRow: 'i32',
  inputPlane: 'i32',
  /** Bytes from one of the 36 matrices to the next. */
  matrix: 'i32',
} as const;

/** Tiles of one block of channels that lie side by side in a row. */
interface TileRun {
  readonly block: I32;
  /** Row and column of the next tile, in tiles. */
  readonly y: I32;
  readonly x: Local<I32>;
}

/** Visits tiles `begin` up to `end`, counted through all blocks of channels. Divisions take place once a run. */
function overTiles(
  body: FunctionBody,
  begin: I32,
  end: I32,
  { firstTile, tiles, tilesPerRow }: Readonly<Record<'firstTile' | 'tiles' | 'tilesPerRow', I32>>,
  enter: (run: TileRun, unit: I32) => () => void,
): void {
  const unit = body.i32(begin);
  body.whileTrue(unit.lt(end), () => {
    const block = body.i32(unit.div(tiles));
    const tile = body.i32(unit.sub(block.mul(tiles)).add(firstTile));
    const y = body.i32(tile.div(tilesPerRow));
    const x = body.i32(tile.sub(y.mul(tilesPerRow)));
    const lastOfBlock = block.add(1).mul(tiles);
    const last = body.i32(unit.add(tilesPerRow).sub(x).min(lastOfBlock.min(end)));
    const visit = enter({ block, y, x }, unit);
    body.whileTrue(unit.lt(last), () => {
      visit();
      body.increase(x, 1);
      body.increase(unit, 1);
    });
  });
}

/** Bᵀ d B of every tile. A unit is one tile of one block of channels, tiles fastest. */
export const winogradInput = defineKernel(INPUT_ARGUMENTS, (context) => {
  const { body, begin, end, args } = context;
  const window = indices(WINDOW * WINDOW).map(() => body.v128());
  overTiles(body, begin, end, args, ({ block, y, x }, unit) => {
    const row = args.inputRow
      .mul(y)
      .mul(WINOGRAD_TILE)
      .add(x.mul(WINOGRAD_TILE * PIXEL_BYTES));
    const corner = body.i32(args.input.add(block.mul(args.inputPlane)).add(row));
    const target = body.i32(args.output.add(unit.mul(PIXEL_BYTES)));
    return () => {
      body.loop(0, PIXEL_BYTES, 16, (half) => {
        transformRows(context, window, body.i32(corner.add(half)));
        storeColumns(context, window, body.i32(target.add(half)));
      });
      body.increase(corner, WINOGRAD_TILE * PIXEL_BYTES);
      body.increase(target, PIXEL_BYTES);
    };
  });
});

/** window = d B. */
function transformRows(
  { body, args }: KernelContext<typeof INPUT_ARGUMENTS>,
  window: readonly Local<V128>[],
  source: Local<I32>,
): void {
  for (const y of indices(WINDOW)) {
    const pixels = indices(WINDOW).map((x) => body.v128(source.loadVector(x * PIXEL_BYTES)));
    assign(body, every(window, y * WINDOW, 1), transform(body, INPUT_TRANSFORM, pixels));
    body.increase(source, args.inputRow);
  }
}

/** Stores Bᵀ window, an element a matrix. */
function storeColumns(
  { body, args }: KernelContext<typeof INPUT_ARGUMENTS>,
  window: readonly Local<V128>[],
  matrices: Local<I32>,
): void {
  for (const x of indices(WINDOW)) {
    const column = body.i32(matrices);
    for (const value of transform(body, INPUT_TRANSFORM, every(window, x, WINDOW))) {
      body.storeVector(column, value);
      body.increase(column, args.matrix.mul(WINDOW));
    }
    body.increase(matrices, args.matrix);
  }
}

const OUTPUT_ARGUMENTS = {
  input: 'i32',
  output: 'i32',
  bias: 'i32',
  firstTile: 'i32',
  tiles: 'i32',
  tilesPerRow: 'i32',
  matrix: 'i32',
  outputRow: 'i32',
  outputPlane: 'i32',
  height: 'i32',
  width: 'i32',
  residual: 'i32',
  residualRow: 'i32',
  residualPlane: 'i32',
  low: 'f32',
  high: 'f32',
  activation: 'i32',
  alpha: 'f32',
  beta: 'f32',
} as const;

type OutputContext = KernelContext<typeof OUTPUT_ARGUMENTS>;

/** A tile within the image: its first pixel, and how much of it is there. */
interface OutputTile {
  readonly output: Local<I32>;
  readonly residual: Local<I32>;
  readonly bias: Local<I32>;
  readonly rows: Local<I32>;
  readonly width: Local<I32>;
}

/** Aᵀ m A, bias, residual and activation of every tile. A unit is one tile of one block of channels, tiles fastest. */
export const winogradOutput = defineKernel(OUTPUT_ARGUMENTS, (context) => {
  const { body, begin, end, args } = context;
  const columns = indices(WINDOW * WINOGRAD_TILE).map(() => body.v128());
  overTiles(body, begin, end, args, ({ block, y, x }, unit) => {
    const first = (base: I32, plane: I32, row: I32): Local<I32> =>
      body.i32(
        base
          .add(block.mul(plane))
          .add(y.mul(row).mul(WINOGRAD_TILE))
          .add(x.mul(WINOGRAD_TILE * PIXEL_BYTES)),
      );
    const tile = {
      output: first(args.output, args.outputPlane, args.outputRow),
      residual: first(args.residual, args.residualPlane, args.residualRow),
      bias: body.i32(args.bias.add(block.mul(PIXEL_BYTES))),
      rows: body.i32(args.height.sub(y.mul(WINOGRAD_TILE)).min(WINOGRAD_TILE)),
      width: body.i32(),
    };
    const source = body.i32(args.input.add(unit.mul(PIXEL_BYTES)));
    return () => {
      body.set(tile.width, args.width.sub(x.mul(WINOGRAD_TILE)).min(WINOGRAD_TILE));
      body.loop(0, PIXEL_BYTES, 16, (half) => {
        loadProducts(context, columns, body.i32(source.add(half)));
        storeTile(context, columns, tile, half);
      });
      writeActivation(context, tile);
      for (const corner of [tile.output, tile.residual]) body.increase(corner, WINOGRAD_TILE * PIXEL_BYTES);
      body.increase(source, PIXEL_BYTES);
    };
  });
});

/** columns = m A. */
function loadProducts({ body, args }: OutputContext, columns: readonly Local<V128>[], source: Local<I32>): void {
  for (const r of indices(WINDOW)) {
    const values = indices(WINDOW).map(() => {
      const value = body.v128(source.loadVector());
      body.increase(source, args.matrix);
      return value;
    });
    const row = columns.slice(r * WINOGRAD_TILE, (r + 1) * WINOGRAD_TILE);
    assign(body, row, transform(body, OUTPUT_TRANSFORM, values));
  }
}

/** Stores Aᵀ columns with all that is added, as much of it as lies in the image. */
function storeTile(context: OutputContext, columns: readonly Local<V128>[], tile: OutputTile, half: I32): void {
  const { body, args } = context;
  const bias = body.v128(tile.bias.add(half).loadVector());
  const low = body.v128(args.low.splat());
  const high = body.v128(args.high.splat());
  for (const c of indices(WINOGRAD_TILE)) {
    const column = indices(WINDOW).flatMap((r) => columns.slice(r * WINOGRAD_TILE + c, r * WINOGRAD_TILE + c + 1));
    body.if(tile.width.gt(c), () => {
      const target = body.i32(tile.output.add(half));
      const residual = body.i32(tile.residual.add(half));
      for (const [r, value] of transform(body, OUTPUT_TRANSFORM, column).entries()) {
        body.if(tile.rows.gt(r), () => {
          const sum = body.v128(value.add(bias));
          body.if(args.residual.ne(0), () => body.set(sum, sum.add(residual.loadVector(c * PIXEL_BYTES))));
          body.storeVector(target, sum.max(low).min(high), c * PIXEL_BYTES);
        });
        body.increase(target, args.outputRow);
        body.increase(residual, args.residualRow);
      }
    });
  }
}

function writeActivation({ body, args, shared }: OutputContext, { output, rows, width }: OutputTile): void {
  body.if(args.activation.ne(NO_ACTIVATION), () =>
    body.loop(0, rows, 1, (r) => {
      const row = body.i32(output.add(r.mul(args.outputRow)));
      const [alpha, beta] = [args.alpha.splat(), args.beta.splat()];
      body.call(shared.mapSpan, row, row, width.shl(1), args.activation, alpha, beta);
    }),
  );
}

const every = (values: readonly Local<V128>[], first: number, step: number): readonly Local<V128>[] =>
  indices(WINDOW).flatMap((i) => values.slice(first + i * step, first + i * step + 1));

function assign(body: FunctionBody, targets: readonly Local<V128>[], values: readonly V128[]): void {
  for (const [i, target] of targets.entries()) {
    const value = values[i];
    if (value) body.set(target, value);
  }
}

/** The matrix times the vector, without the zeroes and without multiplying by one. */
function transform(
  body: FunctionBody,
  matrix: readonly (readonly number[])[],
  vector: readonly V128[],
): readonly V128[] {
  return matrix.map((row) => {
    const terms = row.flatMap((factor, i) => {
      const value = vector[i];
      return factor === 0 || !value ? [] : [{ factor, value }];
    });
    terms.sort((a, b) => Number(b.factor > 0) - Number(a.factor > 0));
    const sum = terms.reduce<V128 | null>((left, { factor, value }) => {
      const magnitude = Math.abs(factor) === 1 ? value : value.mul(splat(Math.abs(factor)));
      if (left === null) return magnitude;
      return factor > 0 ? left.add(magnitude) : left.sub(magnitude);
    }, null);
    return body.v128(sum ?? splat(0));
  });
}
