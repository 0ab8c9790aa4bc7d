/** Steps between row-major tensors and blocks of channels. */
import type { ProgramBuilder } from './program.ts';
import { type Blocked, blocksOf, type Plain, pixelPlace, planeBytes, rowBytes } from './tensor.ts';

/** Which axis of a row-major tensor holds the channels: the second one, or the last. */
export type ChannelAxis = 'first' | 'last';

/** The arguments of `pack` and `unpack` between a tensor in blocks and one with the same extents. */
function repackArguments(blocked: Blocked, plain: Plain, axis: ChannelAxis) {
  const { channels, height, width } = blocked;
  const pixel = axis === 'last' ? channels : 1;
  return {
    plain: plain.place,
    plainItem: channels * height * width * 4,
    plainChannel: (axis === 'last' ? 1 : height * width) * 4,
    plainRow: width * pixel * 4,
    plainPixel: pixel * 4,
    blocked: pixelPlace(blocked, 0, 0),
    blockedPlane: planeBytes(blocked),
    blockedRow: rowBytes(blocked),
    channels,
    height,
    width,
  };
}

const rowsOf = ({ items, channels, height }: Blocked): number => items * blocksOf(channels) * height;

export function planPack(builder: ProgramBuilder, from: Plain, to: Blocked, axis: ChannelAxis): void {
  builder.step('pack', rowsOf(to), repackArguments(to, from, axis));
}

export function planUnpack(builder: ProgramBuilder, from: Blocked, to: Plain, axis: ChannelAxis): void {
  builder.step('unpack', rowsOf(from), repackArguments(from, to, axis));
}
