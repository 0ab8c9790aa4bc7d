import type { FunctionBody, Local } from '../wasm/function-body.ts';
import type { I32, V128 } from '../wasm/values.ts';
import { defineKernel, indices, type KernelContext, NO_ACTIVATION, PIXEL_BYTES } from './kernel.ts';

/**
 * Depthwise convolution: each channel with its own filter,
 * y[c, y, x] = act(bias[c] + Σ_ky Σ_kx x[c / multiplier, y·s + ky·d, x·s + kx·d] · w[c, ky, kx]).
 * Windows may reach over the edge: the plan puts zeroes around the input. A unit is one output row of one plane.
 */
const DEPTHWISE_ARGUMENTS = {
  /** Address of the first window's first tap. */
  input: 'i32',
  output: 'i32',
  /** [output block][ky][kx][8]. */
  weights: 'i32',
  bias: 'i32',
  /** Output planes of one batch item. */
  blocks: 'i32',
  height: 'i32',
  width: 'i32',
  /** Pixels at the start of each row that wide tiles compute; narrow ones compute the rest. */
  wideWidth: 'i32',
  kernelHeight: 'i32',
  kernelWidth: 'i32',
  /** Strides in bytes: from one output row or pixel to the next, and from one tap to the next. */
  inputRow: 'i32',
  inputPixel: 'i32',
  tapRow: 'i32',
  tapColumn: 'i32',
  inputPlane: 'i32',
  outputPlane: 'i32',
  outputRow: 'i32',
  /** Output channels an input channel. */
  multiplier: 'i32',
  low: 'f32',
  high: 'f32',
  activation: 'i32',
  alpha: 'f32',
  beta: 'f32',
} as const;

type Context = KernelContext<typeof DEPTHWISE_ARGUMENTS>;

/** A square window without dilation, known when the code is written: taps are unrolled. */
export interface FixedWindow {
  readonly extent: number;
  readonly stride: number;
}

/** Pixels of a tile: 7 sums leave registers for the taps of a row, and most networks' rows are multiples of 7. */
export const WIDE = 7;
export const NARROW = 4;

/** What a pixel of a narrow tile costs, by one of a wide tile. */
const NARROW_COST = 1.25;

/** The pixels of a row that wide tiles should compute: a last tile that does not fit is moved back over finished pixels. */
export function wideWidthOf(width: number): number {
  let best = { tiles: 0, cost: Number.POSITIVE_INFINITY };
  for (let tiles = 0; tiles * WIDE <= width; tiles++) {
    const narrow = Math.ceil((width - tiles * WIDE) / NARROW) * NARROW;
    const cost = tiles * WIDE + narrow * NARROW_COST;
    if (cost < best.cost) best = { tiles, cost };
  }
  return best.tiles * WIDE;
}

/** The kernel for one window and stride, or for any where `fixed` is null. */
export function depthwiseKernel(fixed: FixedWindow | null) {
  return defineKernel(DEPTHWISE_ARGUMENTS, (context) => {
    const { body, args, begin, end } = context;
    overRows(context, begin, end, (row) => {
      writeRow(context, row, fixed);
      body.if(args.activation.ne(NO_ACTIVATION), () =>
        body.call(
          context.shared.mapSpan,
          row.output,
          row.output,
          args.width.shl(1),
          args.activation,
          args.alpha.splat(),
          args.beta.splat(),
        ),
      );
    });
  });
}

/** Visits rows `begin` up to `end`, counted through all planes. Divisions, which take as long as a short row, once a plane. */
function overRows({ body, args }: Context, begin: I32, end: I32, visit: (row: Row) => void): void {
  const filterBytes = body.i32(args.kernelHeight.mul(args.kernelWidth).mul(PIXEL_BYTES));
  const unit = body.i32(begin);
  body.whileTrue(unit.lt(end), () => {
    const plane = body.i32(unit.div(args.height));
    const y = unit.sub(plane.mul(args.height));
    const block = body.i32(plane.rem(args.blocks));
    const row: Row = {
      input: body.i32(args.input.add(plane.mul(args.inputPlane)).add(y.mul(args.inputRow))),
      output: body.i32(args.output.add(plane.mul(args.outputPlane)).add(y.mul(args.outputRow))),
      weights: body.i32(args.weights.add(block.mul(filterBytes))),
      bias: body.i32(args.bias.add(block.mul(PIXEL_BYTES))),
    };
    const last = body.i32(plane.add(1).mul(args.height).min(end));
    body.whileTrue(unit.lt(last), () => {
      visit(row);
      body.increase(row.input, args.inputRow);
      body.increase(row.output, args.outputRow);
      body.increase(unit, 1);
    });
  });
}

interface Row {
  readonly input: Local<I32>;
  readonly output: Local<I32>;
  readonly weights: Local<I32>;
  readonly bias: Local<I32>;
}

/** Half a block of channels at a time, or both where they are joined. */
function writeRow(context: Context, row: Row, fixed: FixedWindow | null): void {
  const { body, variant } = context;
  if (variant.joinHalves) writeTiles(context, { row, halves: [0, 16], half: null }, fixed);
  else body.loop(0, PIXEL_BYTES, 16, (half) => writeTiles(context, { row, halves: [0], half }, fixed));
}

/** Wide tiles, then narrow ones (the last one moved back over pixels that are done), or single pixels in narrow rows. */
function writeTiles(context: Context, span: Span, fixed: FixedWindow | null): void {
  const { body, args } = context;
  const x = body.i32(0);
  const tile = (pixels: number) => (): void => {
    const source = body.i32(span.row.input.add(x.mul(args.inputPixel)));
    const target = body.i32(span.row.output.add(x.mul(PIXEL_BYTES)));
    if (fixed) writeFixed(context, fixed, { ...span, source, target, pixels });
    else writeGeneric(context, { ...span, source, target, pixels });
    body.increase(x, pixels);
  };
  if (fixed) body.whileTrue(x.lt(args.wideWidth), tile(WIDE));
  body.if(
    args.width.lt(NARROW),
    () => body.whileTrue(x.lt(args.width), tile(1)),
    () =>
      body.whileTrue(x.lt(args.width), () => {
        body.set(x, x.min(args.width.sub(NARROW)));
        tile(NARROW)();
      }),
  );
}

/** The vectors of a row that are computed together. */
interface Span {
  readonly row: Row;
  /** Byte offsets of the vectors within a block. */
  readonly halves: readonly number[];
  /** Offset that a loop adds to them. */
  readonly half: I32 | null;
}

interface Tile extends Span {
  readonly source: I32;
  readonly target: I32;
  readonly pixels: number;
}

const shifted = (address: I32, half: I32 | null): I32 => (half ? address.add(half) : address);

function startFromBias({ body }: Context, { row, halves, half, pixels }: Tile): readonly (readonly Local<V128>[])[] {
  const bias = body.i32(shifted(row.bias, half));
  return halves.map((offset) => {
    const first = body.v128(bias.loadVector(offset));
    return [first, ...indices(pixels - 1).map(() => body.v128(first))];
  });
}

function storeTile(
  { body, args }: Context,
  { target, halves, half }: Tile,
  sums: readonly (readonly Local<V128>[])[],
): void {
  const low = body.v128(args.low.splat());
  const high = body.v128(args.high.splat());
  const address = body.i32(shifted(target, half));
  for (const i of indices(sums[0]?.length ?? 0)) {
    for (const [h, offset] of halves.entries()) {
      const sum = sums[h]?.[i];
      if (sum) body.storeVector(address, sum.max(low).min(high), i * PIXEL_BYTES + offset);
    }
  }
}

function writeFixed(context: Context, { extent, stride }: FixedWindow, tile: Tile): void {
  const { body, args, variant } = context;
  const columns = (tile.pixels - 1) * stride + extent;
  const locals: FixedLocals = {
    source: body.i32(shifted(tile.source, tile.half)),
    weights: body.i32(shifted(tile.row.weights, tile.half)),
    sums: startFromBias(context, tile),
    taps: tile.halves.map(() => indices(extent).map(() => body.v128())),
    inputs: tile.halves.map(() => body.v128()),
  };
  body.block(() => {
    for (const ky of indices(extent)) {
      loadTaps(body, tile, locals, ky * extent);
      for (const column of indices(columns)) {
        multiplyColumn(context, tile, locals, column, stride);
        // Never taken: no address is that small. Each compares with another value, or V8 would see that one decides all.
        const isGuarded = variant.guardSteps && column % (stride + 1) === stride;
        if (isGuarded) body.exitIf(locals.source.eq(ky * columns + column), 0);
      }
      body.increase(locals.source, args.tapRow);
    }
  });
  storeTile(context, tile, locals.sums);
}

/** All by half of the block. */
interface FixedLocals {
  readonly source: Local<I32>;
  readonly weights: Local<I32>;
  readonly sums: readonly (readonly Local<V128>[])[];
  /** A row of the window. */
  readonly taps: readonly (readonly Local<V128>[])[];
  readonly inputs: readonly Local<V128>[];
}

function loadTaps(body: FunctionBody, { halves }: Tile, { weights, taps }: FixedLocals, first: number): void {
  for (const [h, offset] of halves.entries()) {
    for (const [kx, tap] of (taps[h] ?? []).entries()) {
      body.set(tap, weights.loadVector((first + kx) * PIXEL_BYTES + offset));
    }
  }
}

/** A loaded pixel is multiplied for all windows that it is in. */
function multiplyColumn({ body, variant }: Context, tile: Tile, locals: FixedLocals, column: number, stride: number) {
  for (const [h, input] of locals.inputs.entries()) {
    body.set(input, locals.source.loadVector(column * PIXEL_BYTES + (tile.halves[h] ?? 0)));
    for (const [i, sum] of (locals.sums[h] ?? []).entries()) {
      const tap = locals.taps[h]?.[column - i * stride];
      if (tap) body.set(sum, variant.multiplyAdd(input, tap, sum));
    }
  }
}

function writeGeneric(context: Context, tile: Tile): void {
  const { body, args, variant } = context;
  const sums = startFromBias(context, tile);
  const source = body.i32(shifted(tile.source, tile.half));
  const weights = body.i32(shifted(tile.row.weights, tile.half));
  const pixels = indices(tile.pixels).map(() => body.i32());
  body.loop(0, args.kernelHeight, 1, () => {
    for (const [i, pixel] of pixels.entries()) body.set(pixel, source.add(args.inputPixel.mul(i)));
    body.loop(0, args.kernelWidth, 1, () => {
      for (const [h, offset] of tile.halves.entries()) {
        const tap = body.v128(weights.loadVector(offset));
        for (const [i, pixel] of pixels.entries()) {
          const sum = sums[h]?.[i];
          if (sum) body.set(sum, variant.multiplyAdd(pixel.loadVector(offset), tap, sum));
        }
      }
      for (const pixel of pixels) body.increase(pixel, args.tapColumn);
      body.increase(weights, PIXEL_BYTES);
    });
    body.increase(source, args.tapRow);
  });
  storeTile(context, tile, sums);
}

/**
 * Depthwise convolution with a depth multiplier: four output channels read four lanes of one input vector, since output
 * vector v belongs to input vector ⌊v / multiplier⌋ whatever the multiplier is.
 */
export const depthwiseMultiplier = defineKernel(DEPTHWISE_ARGUMENTS, (context) => {
  const { body, args, begin, end } = context;
  body.loop(begin, end, 1, (unit) => {
    const plane = body.i32(unit.div(args.height));
    const y = body.i32(unit.rem(args.height));
    const block = body.i32(plane.rem(args.blocks));
    const item = body.i32(plane.div(args.blocks));
    const inputBlocks = args.blocks.add(args.multiplier).sub(1).div(args.multiplier);
    const output = body.i32(args.output.add(plane.mul(args.outputPlane)).add(y.mul(args.outputRow)));
    body.loop(0, 2, 1, (half) => {
      const vector = body.i32(block.shl(1).add(half));
      const inputVector = body.i32(vector.div(args.multiplier));
      const inputPlane = body.i32(item.mul(inputBlocks).add(inputVector.shr(1)));
      const input = body.i32(
        args.input.add(inputPlane.mul(args.inputPlane)).add(y.mul(args.inputRow)).add(inputVector.and(1).shl(4)),
      );
      const lanes = body.v128(lanesOf(context, vector));
      body.loop(0, args.width, 1, (x) => {
        const source = body.i32(input.add(x.mul(args.inputPixel)));
        const sum = body.v128(args.bias.add(vector.shl(4)).loadVector());
        const weights = body.i32(
          args.weights.add(block.mul(args.kernelHeight.mul(args.kernelWidth).mul(PIXEL_BYTES))).add(half.shl(4)),
        );
        body.loop(0, args.kernelHeight, 1, () => {
          const tap = body.i32(source);
          body.loop(0, args.kernelWidth, 1, () => {
            body.set(sum, context.variant.multiplyAdd(tap.loadVector().swizzle(lanes), weights.loadVector(), sum));
            body.increase(tap, args.tapColumn);
            body.increase(weights, PIXEL_BYTES);
          });
          body.increase(source, args.tapRow);
        });
        const clamped = sum.max(args.low.splat()).min(args.high.splat());
        body.storeVector(output.add(x.mul(PIXEL_BYTES)).add(half.shl(4)), clamped);
      });
    });
    body.if(args.activation.ne(NO_ACTIVATION), () =>
      body.call(
        context.shared.mapSpan,
        output,
        output,
        args.width.shl(1),
        args.activation,
        args.alpha.splat(),
        args.beta.splat(),
      ),
    );
  });
});

/** Byte indices of the four input lanes of an output vector: lane l reads channel ⌊(4·vector + l) / multiplier⌋ mod 4. */
function lanesOf({ body, args }: Context, vector: I32): V128 {
  const first = body.i32(vector.shl(2));
  const word = (lane: number): V128 => {
    const channel = first.add(lane).div(args.multiplier).and(3);
    // The four byte indices 4c, 4c + 1, 4c + 2, 4c + 3 as one word.
    return channel.mul(0x04040404).add(0x03020100).splat();
  };
  const even = body.v128(word(0).shuffle(word(1), [0, 4, 0, 4]));
  const odd = body.v128(word(2).shuffle(word(3), [0, 4, 0, 4]));
  return even.shuffle(odd, [0, 1, 4, 5]);
}
