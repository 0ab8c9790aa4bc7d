/** Steps that take channels from where they are: concat, split, slice and shuffle without leaving blocks. */

import { KEEP_CHANNEL, ZERO_CHANNEL } from '../kernels/gather-channels.ts';
import { BLOCK } from '../kernels/kernel.ts';
import { at, type ProgramBuilder } from './program.ts';
import { type Blocked, blocksOf, itemBytes, pixelPlace, planeBytes, rowBytes } from './tensor.ts';

/**
 * Writes channels `first` up to `first + sources.length` of y, channel i from channel `sources[i]` of x. Lanes behind the
 * last channel of y become 0; other channels stay as they are.
 */
export function planGather(
  builder: ProgramBuilder,
  x: Blocked,
  y: Blocked,
  first: number,
  sources: readonly number[],
): void {
  const firstBlock = Math.floor(first / BLOCK);
  const endBlock = blocksOf(first + sources.length);
  const table = Array.from({ length: (endBlock - firstBlock) * BLOCK }, (_, lane) => {
    const channel = firstBlock * BLOCK + lane;
    if (channel >= y.channels) return ZERO_CHANNEL;
    const source = sources[channel - first];
    return source === undefined ? KEEP_CHANNEL : Math.floor(source / BLOCK) * planeBytes(x) + (source % BLOCK) * 4;
  });
  const blocks = endBlock - firstBlock;
  builder.step('gatherChannels', y.items * blocks * y.height, {
    input: pixelPlace(x, 0, 0),
    inputItem: itemBytes(x),
    inputRow: rowBytes(x),
    output: at(pixelPlace(y, 0, 0), firstBlock * planeBytes(y)),
    outputItem: itemBytes(y),
    outputPlane: planeBytes(y),
    outputRow: rowBytes(y),
    blocks,
    height: y.height,
    width: y.width,
    table: builder.constant(table.length, () => Int32Array.from(table)),
  });
}

/** `count` channels from `first` on. */
export const channelRange = (first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => first + index);
