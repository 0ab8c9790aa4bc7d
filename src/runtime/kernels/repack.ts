/** Between row-major tensors and blocks of 8 channels. */
import type { Local } from '../wasm/function-body.ts';
import { float, type I32 } from '../wasm/values.ts';
import { BLOCK, defineKernel, indices, type KernelContext, PIXEL_BYTES } from './kernel.ts';

const REPACK_ARGUMENTS = {
  /** The row-major tensor, its strides in bytes whatever the order of its axes. */
  plain: 'i32',
  plainItem: 'i32',
  plainChannel: 'i32',
  plainRow: 'i32',
  plainPixel: 'i32',
  blocked: 'i32',
  blockedPlane: 'i32',
  blockedRow: 'i32',
  channels: 'i32',
  height: 'i32',
  width: 'i32',
} as const;

interface Row {
  readonly plain: Local<I32>;
  readonly blocked: Local<I32>;
  /** Channels of the block that the tensor has. */
  readonly lanes: Local<I32>;
}

/** Visits the pixels of one row of one block of channels; both addresses move on. A unit is such a row. */
function overPixels(
  { body, begin, end, args }: KernelContext<typeof REPACK_ARGUMENTS>,
  visit: (row: Row) => void,
): void {
  body.loop(begin, end, 1, (unit) => {
    const blocks = args.channels.add(BLOCK - 1).div(BLOCK);
    const plane = body.i32(unit.div(args.height));
    const y = body.i32(unit.rem(args.height));
    const block = body.i32(plane.rem(blocks));
    const item = plane.div(blocks).mul(args.plainItem);
    const channel = block.mul(BLOCK).mul(args.plainChannel);
    const row: Row = {
      plain: body.i32(args.plain.add(item).add(channel).add(y.mul(args.plainRow))),
      blocked: body.i32(args.blocked.add(plane.mul(args.blockedPlane)).add(y.mul(args.blockedRow))),
      lanes: body.i32(args.channels.sub(block.mul(BLOCK)).min(BLOCK)),
    };
    body.loop(0, args.width, 1, () => {
      visit(row);
      body.increase(row.plain, args.plainPixel);
      body.increase(row.blocked, PIXEL_BYTES);
    });
  });
}

/** Row-major to blocks; lanes without a channel become 0. */
export const pack = defineKernel(REPACK_ARGUMENTS, (context) => {
  const { body, args } = context;
  overPixels(context, ({ plain, blocked, lanes }) =>
    body.if(
      args.plainChannel.eq(4).and(lanes.eq(BLOCK)),
      () => {
        for (const half of [0, 16]) body.storeVector(blocked, plain.loadVector(half), half);
      },
      () => {
        for (const lane of indices(BLOCK)) {
          body.if(
            lanes.gt(lane),
            () => body.storeF32(blocked, plain.add(args.plainChannel.mul(lane)).loadF32(), lane * 4),
            () => body.storeF32(blocked, float(0), lane * 4),
          );
        }
      },
    ),
  );
});

/** Blocks to row-major. */
export const unpack = defineKernel(REPACK_ARGUMENTS, (context) => {
  const { body, args } = context;
  overPixels(context, ({ plain, blocked, lanes }) =>
    body.if(
      args.plainChannel.eq(4).and(lanes.eq(BLOCK)),
      () => {
        for (const half of [0, 16]) body.storeVector(plain, blocked.loadVector(half), half);
      },
      () => {
        for (const lane of indices(BLOCK)) {
          body.if(lanes.gt(lane), () =>
            body.storeF32(plain.add(args.plainChannel.mul(lane)), blocked.loadF32(lane * 4)),
          );
        }
      },
    ),
  );
});
