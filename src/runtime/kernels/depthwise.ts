import type { Local } from '../wasm/function-body.ts';
import type { I32, V128 } from '../wasm/values.ts';
import { defineKernel, indices, type KernelContext, NO_ACTIVATION, PIXEL_BYTES } from './kernel.ts';

/**
 * Depthwise convolution: each channel with its own filter,
 * y[c, y, x] = act(bias[c] + Σ_ky Σ_kx x[c / multiplier, y·s + ky·d, x·s + kx·d] · w[c, ky, kx]).
 * Windows may reach over the edge: the plan puts zeroes around the input. A unit is one output row of one plane.
 */
export const DEPTHWISE_ARGUMENTS = {
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

/** Extents known when the code is written: taps are unrolled, and a loaded pixel serves all windows that it is in. */
export interface FixedWindow {
  readonly kernelWidth: number;
  readonly stride: number;
}

/** The kernel for one kernel width and stride without dilation, or for any window where `fixed` is null. */
export function depthwiseKernel(fixed: FixedWindow | null) {
  return defineKernel(DEPTHWISE_ARGUMENTS, (context) => {
    const { body, args, begin, end } = context;
    body.loop(begin, end, 1, (unit) => {
      const plane = body.i32(unit.div(args.height));
      const y = body.i32(unit.rem(args.height));
      const block = body.i32(plane.rem(args.blocks));
      const row: Row = {
        input: body.i32(args.input.add(plane.mul(args.inputPlane)).add(y.mul(args.inputRow))),
        output: body.i32(args.output.add(plane.mul(args.outputPlane)).add(y.mul(args.outputRow))),
        weights: body.i32(args.weights.add(block.mul(args.kernelHeight.mul(args.kernelWidth).mul(PIXEL_BYTES)))),
        bias: body.i32(args.bias.add(block.mul(PIXEL_BYTES))),
      };
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

interface Row {
  readonly input: Local<I32>;
  readonly output: Local<I32>;
  readonly weights: Local<I32>;
  readonly bias: Local<I32>;
}

/** Tiles of 8 pixels, then of 4 (the last one moved back over pixels that are done), or single pixels in narrow rows. */
function writeRow(context: Context, row: Row, fixed: FixedWindow | null): void {
  const { body, args } = context;
  const x = body.i32(0);
  const tile = (pixels: number) => (): void => {
    writeTile(context, row, fixed, x, pixels);
    body.increase(x, pixels);
  };
  if (fixed) body.whileTrue(x.add(8).le(args.width), tile(8));
  body.if(
    args.width.lt(4),
    () => body.whileTrue(x.lt(args.width), tile(1)),
    () =>
      body.whileTrue(x.lt(args.width), () => {
        body.set(x, x.min(args.width.sub(4)));
        tile(4)();
      }),
  );
}

function writeTile(context: Context, row: Row, fixed: FixedWindow | null, x: I32, pixels: number): void {
  const { body, args, variant } = context;
  const source = body.i32(row.input.add(x.mul(args.inputPixel)));
  const target = body.i32(row.output.add(x.mul(PIXEL_BYTES)));
  const write = fixed
    ? (halves: readonly number[], half: I32 | null) =>
        writeFixed(context, fixed, { source, target, row, halves, half, pixels })
    : (halves: readonly number[], half: I32 | null) =>
        writeGeneric(context, { source, target, row, halves, half, pixels });
  if (variant.joinHalves) write([0, 16], null);
  else body.loop(0, PIXEL_BYTES, 16, (half) => write([0], half));
}

interface Tile {
  readonly source: I32;
  readonly target: I32;
  readonly row: Row;
  /** Byte offsets of the vectors within a block that are computed together. */
  readonly halves: readonly number[];
  /** Offset that a loop adds to them. */
  readonly half: I32 | null;
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

function writeFixed(context: Context, { kernelWidth, stride }: FixedWindow, tile: Tile): void {
  const { body, args, variant } = context;
  const sums = startFromBias(context, tile);
  const source = body.i32(shifted(tile.source, tile.half));
  const weights = body.i32(shifted(tile.row.weights, tile.half));
  const taps = tile.halves.map(() => indices(kernelWidth).map(() => body.v128()));
  const inputs = tile.halves.map(() => body.v128());
  body.loop(0, args.kernelHeight, 1, () => {
    for (const [h, offset] of tile.halves.entries()) {
      for (const [kx, tap] of (taps[h] ?? []).entries()) body.set(tap, weights.loadVector(kx * PIXEL_BYTES + offset));
    }
    for (const column of indices((tile.pixels - 1) * stride + kernelWidth)) {
      for (const [h, offset] of tile.halves.entries()) {
        const input = inputs[h];
        if (!input) continue;
        body.set(input, source.loadVector(column * PIXEL_BYTES + offset));
        for (const [i, sum] of (sums[h] ?? []).entries()) {
          const tap = taps[h]?.[column - i * stride];
          if (tap) body.set(sum, variant.multiplyAdd(input, tap, sum));
        }
      }
    }
    body.increase(source, args.tapRow);
    body.increase(weights, kernelWidth * PIXEL_BYTES);
  });
  storeTile(context, tile, sums);
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
