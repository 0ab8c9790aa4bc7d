/** Steps between row-major tensors and blocks of channels. */
import { at, type ProgramBuilder } from './program.ts';
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

/** A step between the two, or one an item where the slices of a volume lie within its channels. */
function planRepack(
  builder: ProgramBuilder,
  kernel: 'pack' | 'unpack',
  blocked: Blocked,
  plain: Plain,
  axis: ChannelAxis,
): void {
  const { items, channels, height, width } = blocked;
  const args = repackArguments(blocked, plain, axis);
  const depth = axis === 'first' && plain.shape.length === 5 ? (plain.shape[2] ?? 1) : 1;
  if (depth === 1) {
    builder.step(kernel, items * blocksOf(channels) * height, args);
    return;
  }
  const sliceBytes = height * width * 4;
  for (let item = 0; item < items / depth; item++) {
    builder.step(kernel, depth * blocksOf(channels) * height, {
      ...args,
      plain: at(plain.place, item * channels * depth * sliceBytes),
      plainItem: sliceBytes,
      plainChannel: depth * sliceBytes,
      blocked: pixelPlace(blocked, 0, 0, item * depth),
    });
  }
}

export function planPack(builder: ProgramBuilder, from: Plain, to: Blocked, axis: ChannelAxis): void {
  planRepack(builder, 'pack', to, from, axis);
}

export function planUnpack(builder: ProgramBuilder, from: Blocked, to: Plain, axis: ChannelAxis): void {
  planRepack(builder, 'unpack', from, to, axis);
}
