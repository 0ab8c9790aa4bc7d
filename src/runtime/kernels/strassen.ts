/**
 * The sums of Strassen's matrix product in Winograd's form (15 sums; Winograd, On multiplication of 2 × 2 matrices, 1971),
 * around seven products that the matrix kernel computes. Both matrices of activations, pixels by channels, are cut into
 * four: pixels into upper and lower ones, of which there may be fewer, channels into left and right ones.
 */
import type { FunctionBody, Local } from '../wasm/function-body.ts';
import { type I32, int, splat, type V128 } from '../wasm/values.ts';
import { defineKernel, NO_ACTIVATION, PIXEL_BYTES } from './kernel.ts';
import { overSpans } from './spans.ts';

/** Where the two halves of the pixels are, by their index in the image; temporary matrices begin with the first of theirs. */
const HALVES = {
  width: 'i32',
  firstPixel: 'i32',
  /** Pixels of the upper half, and of the lower one: there are as many zeroes in place of those that it lacks. */
  upper: 'i32',
  lower: 'i32',
  /** Blocks of the left channels; there are as many right ones. */
  blocks: 'i32',
} as const;

/** The place of a pixel relative to the image's first. */
interface Walk {
  readonly offset: Local<I32>;
  readonly x: Local<I32>;
}

function walkFrom(body: FunctionBody, first: I32, width: I32, row: I32): Walk {
  const x = body.i32(first.rem(width));
  return { x, offset: body.i32(first.div(width).mul(row).add(x.mul(PIXEL_BYTES))) };
}

function advance(body: FunctionBody, { offset, x }: Walk, width: I32, row: I32): void {
  body.increase(offset, PIXEL_BYTES);
  body.increase(x, 1);
  body.if(x.eq(width), () => {
    body.set(x, 0);
    body.increase(offset, row.sub(width.mul(PIXEL_BYTES)));
  });
}

/** S₁ = A₂₁ + A₂₂, S₂ = S₁ − A₁₁, S₃ = A₁₁ − A₂₁, S₄ = A₁₂ − S₂. A unit is one block of the left channels. */
export const strassenInput = defineKernel(
  {
    ...HALVES,
    /** The image's first pixel. */
    input: 'i32',
    inputRow: 'i32',
    inputPlane: 'i32',
    /** S₁ to S₄, each [block][pixel][8]. */
    output: 'i32',
    matrix: 'i32',
  },
  ({ body, begin, end, args }) =>
    body.loop(begin, end, 1, (unit) => {
      const left = body.i32(args.input.add(unit.mul(args.inputPlane)));
      const right = body.i32(left.add(args.blocks.mul(args.inputPlane)));
      const target = body.i32(args.output.add(unit.mul(args.upper).mul(PIXEL_BYTES)));
      const above = walkFrom(body, args.firstPixel, args.width, args.inputRow);
      const below = walkFrom(body, args.firstPixel.add(args.upper), args.width, args.inputRow);
      const overPixels = (from: I32 | number, to: I32, hasLower: boolean): void =>
        body.loop(from, to, 1, () => {
          for (const half of [0, 16]) {
            const load = (side: I32, { offset }: Walk): V128 => side.add(offset).loadVector(half);
            const a11 = body.v128(load(left, above));
            const a21 = body.v128(hasLower ? load(left, below) : splat(0));
            const s1 = body.v128(hasLower ? a21.add(load(right, below)) : splat(0));
            const s2 = body.v128(s1.sub(a11));
            const s3 = a11.sub(a21);
            const s4 = load(right, above).sub(s2);
            for (const [index, sum] of [s1, s2, s3, s4].entries()) {
              body.storeVector(target.add(args.matrix.mul(index)), sum, half);
            }
          }
          body.increase(target, PIXEL_BYTES);
          advance(body, above, args.width, args.inputRow);
          if (hasLower) advance(body, below, args.width, args.inputRow);
        });
      overPixels(0, args.lower, true);
      overPixels(args.lower, args.upper, false);
    }),
);

/**
 * With the sums P₁, U₂ = P₁ + P₆, U₃ = U₂ + P₇ and the product P₅: C₂₂ = act(U₃ + P₅ + bias), and U₄ = U₂ + P₅ in place of
 * P₅. What is added to the result is added to what becomes the other three quarters. A unit is one block of the left channels.
 */
export const strassenOutput = defineKernel(
  {
    ...HALVES,
    /** P₁, U₂, U₃ and P₅, each [block][pixel][8]. */
    sums: 'i32',
    matrix: 'i32',
    /** The image's first pixel in the first block of the right channels. */
    output: 'i32',
    outputRow: 'i32',
    outputPlane: 'i32',
    /** Of the right channels. */
    bias: 'i32',
    /** The first pixel in the first block of the left channels of a tensor to add; or 0. */
    residual: 'i32',
    residualRow: 'i32',
    residualPlane: 'i32',
    low: 'f32',
    high: 'f32',
    activation: 'i32',
    alpha: 'f32',
    beta: 'f32',
  },
  ({ body, begin, end, args, shared }) =>
    body.loop(begin, end, 1, (unit) => {
      const [p1, u2, u3, p5] = [0, 1, 2, 3].map((index) =>
        body.i32(args.sums.add(args.matrix.mul(index)).add(unit.mul(args.upper).mul(PIXEL_BYTES))),
      );
      if (!p1 || !u2 || !u3 || !p5) return;
      const target = body.i32(args.output.add(unit.mul(args.outputPlane)));
      const bias = body.i32(args.bias.add(unit.mul(PIXEL_BYTES)));
      const hasResidual = body.i32(args.residual.ne(0));
      const left = body.i32(args.residual.add(unit.mul(args.residualPlane)));
      const right = body.i32(left.add(args.blocks.mul(args.residualPlane)));
      const firstBelow = body.i32(args.firstPixel.add(args.upper));
      const place = walkFrom(body, firstBelow, args.width, args.outputRow);
      const above = walkFrom(body, args.firstPixel, args.width, args.residualRow);
      const below = walkFrom(body, firstBelow, args.width, args.residualRow);
      const increase = (at: I32, value: V128, half: number): void =>
        body.storeVector(at, at.loadVector(half).add(value), half);
      const overPixels = (from: I32 | number, to: I32, hasLower: boolean): void =>
        body.loop(from, to, 1, () => {
          for (const half of [0, 16]) {
            const last = body.v128(p5.loadVector(half));
            body.storeVector(p5, last.add(u2.loadVector(half)), half);
            const sum = body.v128(hasLower ? last.add(u3.loadVector(half)).add(bias.loadVector(half)) : last);
            body.if(hasResidual, () => {
              increase(p1, left.add(above.offset).loadVector(half), half);
              increase(p5, right.add(above.offset).loadVector(half), half);
              if (!hasLower) return;
              increase(u3, left.add(below.offset).loadVector(half), half);
              body.set(sum, sum.add(right.add(below.offset).loadVector(half)));
            });
            if (!hasLower) continue;
            body.storeVector(target.add(place.offset), sum.max(args.low.splat()).min(args.high.splat()), half);
          }
          for (const at of [p1, u2, u3, p5]) body.increase(at, PIXEL_BYTES);
          body.if(hasResidual, () => {
            advance(body, above, args.width, args.residualRow);
            if (hasLower) advance(body, below, args.width, args.residualRow);
          });
          if (hasLower) advance(body, place, args.width, args.outputRow);
        });
      overPixels(0, args.lower, true);
      overPixels(args.lower, args.upper, false);
      body.if(args.activation.ne(NO_ACTIVATION), () =>
        overSpans(
          body,
          { ...args, outputPixel: int(PIXEL_BYTES) },
          firstBelow,
          firstBelow.add(args.lower),
          (offset, pixels) => {
            const at = body.i32(target.add(offset));
            body.call(shared.mapSpan, at, at, pixels.shl(1), args.activation, args.alpha.splat(), args.beta.splat());
          },
        ),
      );
    }),
);
