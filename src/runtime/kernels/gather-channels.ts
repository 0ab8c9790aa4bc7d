import { float } from '../wasm/values.ts';
import { BLOCK, defineKernel, indices, PIXEL_BYTES } from './kernel.ts';

/** In the table: the channel is left as it is, or set to 0. */
export const KEEP_CHANNEL = -1;
export const ZERO_CHANNEL = -2;

/**
 * Takes each output channel from a channel that a table names: concat, split, slice and shuffle of channels in blocks.
 * The table holds, for each output lane, the byte offset of its input channel from `input`, or one of the two codes.
 * A unit is one row of one output block of one batch item.
 */
export const gatherChannels = defineKernel(
  {
    input: 'i32',
    inputItem: 'i32',
    inputRow: 'i32',
    output: 'i32',
    outputItem: 'i32',
    outputPlane: 'i32',
    outputRow: 'i32',
    blocks: 'i32',
    height: 'i32',
    width: 'i32',
    table: 'i32',
  },
  ({ body, begin, end, args }) =>
    body.loop(begin, end, 1, (unit) => {
      const plane = body.i32(unit.div(args.height));
      const y = body.i32(unit.rem(args.height));
      const block = body.i32(plane.rem(args.blocks));
      const item = body.i32(plane.div(args.blocks));
      const input = body.i32(args.input.add(item.mul(args.inputItem)).add(y.mul(args.inputRow)));
      const output = body.i32(
        args.output.add(item.mul(args.outputItem)).add(block.mul(args.outputPlane)).add(y.mul(args.outputRow)),
      );
      const table = body.i32(args.table.add(block.mul(PIXEL_BYTES)));
      const first = body.i32(table.loadI32());
      const sideBySide = body.i32(first.ge(0).and(first.rem(PIXEL_BYTES).isZero()));
      for (const lane of indices(BLOCK)) {
        body.set(sideBySide, sideBySide.and(table.loadI32(lane * 4).eq(first.add(lane * 4))));
      }
      body.if(
        sideBySide,
        () =>
          body.loop(0, args.width.mul(PIXEL_BYTES), 16, (at) =>
            body.storeVector(output.add(at), input.add(first).add(at).loadVector()),
          ),
        () =>
          body.loop(0, BLOCK, 1, (lane) => {
            const offset = body.i32(table.add(lane.shl(2)).loadI32());
            const source = body.i32(input.add(offset));
            const target = body.i32(output.add(lane.shl(2)));
            body.if(offset.ne(KEEP_CHANNEL), () =>
              body.loop(0, args.width, 1, () => {
                body.if(
                  offset.eq(ZERO_CHANNEL),
                  () => body.storeF32(target, float(0)),
                  () => body.storeF32(target, source.loadF32()),
                );
                body.increase(source, PIXEL_BYTES);
                body.increase(target, PIXEL_BYTES);
              }),
            );
          }),
      );
    }),
);
