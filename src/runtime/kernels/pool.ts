import type { Local } from '../wasm/function-body.ts';
import type { I32, V128 } from '../wasm/values.ts';
import { float, splat } from '../wasm/values.ts';
import { defineKernel, type KernelContext, PIXEL_BYTES } from './kernel.ts';

const POOL_ARGUMENTS = {
  input: 'i32',
  output: 'i32',
  height: 'i32',
  width: 'i32',
  inputHeight: 'i32',
  inputWidth: 'i32',
  kernelHeight: 'i32',
  kernelWidth: 'i32',
  strideY: 'i32',
  strideX: 'i32',
  dilationY: 'i32',
  dilationX: 'i32',
  padTop: 'i32',
  padLeft: 'i32',
  inputPlane: 'i32',
  inputRow: 'i32',
  outputPlane: 'i32',
  outputRow: 'i32',
  /** For averages: bottom and right edge up to which padding counts as elements; the input's own where it does not. */
  countTop: 'i32',
  countLeft: 'i32',
  countBottom: 'i32',
  countRight: 'i32',
} as const;

type Context = KernelContext<typeof POOL_ARGUMENTS>;

interface PoolKind {
  readonly start: number;
  readonly join: (sum: V128, x: V128) => V128;
  readonly average: boolean;
}

/** Windows are cut at the input's edge. A unit is one output row of one plane. */
const poolKernel = (kind: PoolKind) =>
  defineKernel(POOL_ARGUMENTS, (context) => {
    const { body, args, begin, end } = context;
    body.loop(begin, end, 1, (unit) => {
      const plane = body.i32(unit.div(args.height));
      const y = body.i32(unit.rem(args.height));
      const source = body.i32(args.input.add(plane.mul(args.inputPlane)));
      const target = body.i32(args.output.add(plane.mul(args.outputPlane)).add(y.mul(args.outputRow)));
      const top = body.i32(y.mul(args.strideY).sub(args.padTop));
      body.loop(0, args.width, 1, (x) => {
        const left = body.i32(x.mul(args.strideX).sub(args.padLeft));
        writeWindow(context, kind, source, target, top, left);
        body.increase(target, PIXEL_BYTES);
      });
    });
  });

function writeWindow(context: Context, kind: PoolKind, source: I32, target: I32, top: I32, left: I32): void {
  const { body, args } = context;
  const sums: readonly [Local<V128>, Local<V128>] = [body.v128(splat(kind.start)), body.v128(splat(kind.start))];
  const inside = (at: I32, extent: I32): I32 => at.ge(0).and(at.lt(extent));
  body.loop(0, args.kernelHeight, 1, (ky) => {
    const y = body.i32(top.add(ky.mul(args.dilationY)));
    body.if(inside(y, args.inputHeight), () =>
      body.loop(0, args.kernelWidth, 1, (kx) => {
        const x = body.i32(left.add(kx.mul(args.dilationX)));
        body.if(inside(x, args.inputWidth), () => {
          const tap = body.i32(source.add(y.mul(args.inputRow)).add(x.mul(PIXEL_BYTES)));
          for (const [half, sum] of sums.entries()) body.set(sum, kind.join(sum, tap.loadVector(half * 16)));
        });
      }),
    );
  });
  if (kind.average) {
    const rows = countInside(context, top, args.kernelHeight, args.dilationY, args.countTop, args.countBottom);
    const columns = countInside(context, left, args.kernelWidth, args.dilationX, args.countLeft, args.countRight);
    const share = body.v128(float(1).div(rows.mul(columns).toFloat()).splat());
    for (const sum of sums) body.set(sum, sum.mul(share));
  }
  for (const [half, sum] of sums.entries()) body.storeVector(target, sum, half * 16);
}

/** How many of the taps `first + k·dilation` lie in [from, to). */
function countInside({ body }: Context, first: I32, taps: I32, dilation: I32, from: I32, to: I32): I32 {
  const count = body.i32(0);
  body.loop(0, taps, 1, (k) => {
    const at = body.i32(first.add(k.mul(dilation)));
    body.increase(count, at.ge(from).and(at.lt(to)));
  });
  return count;
}

/** A window in which there is nothing gives the least float, not −∞: 0 · ∞ behind it would be no number. */
const LEAST = -3.4028234663852886e38;

export const maxPool = poolKernel({ start: LEAST, join: (sum, x) => sum.max(x), average: false });

export const averagePool = poolKernel({ start: 0, join: (sum, x) => sum.add(x), average: true });
