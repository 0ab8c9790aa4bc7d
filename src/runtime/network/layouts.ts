/** How the axes of a shape map to items, channels, height and width. */
import type { ChannelAxis } from '../plan/repacking.ts';
import type { Extents } from '../plan/tensor.ts';

/** Null where the shape has too few or too many axes. 1-D images have height 1, vectors are images of one pixel. */
export function extentsOf(shape: readonly number[], axis: ChannelAxis): Extents | null {
  const [items = 1, ...rest] = shape;
  if (shape.length < 2 || shape.length > 4) return null;
  const channels = axis === 'first' ? rest[0] : rest.at(-1);
  const spatial = axis === 'first' ? rest.slice(1) : rest.slice(0, -1);
  const width = spatial.at(-1) ?? 1;
  const height = spatial.length > 1 ? spatial[0] : 1;
  return { items, channels: channels ?? 1, height: height ?? 1, width };
}

/** The same, but the slices of a volume count as items, those of one item one behind the other. */
export function slicedExtentsOf(shape: readonly number[], axis: ChannelAxis): Extents | null {
  const [items = 1, ...rest] = shape;
  if (shape.length !== 5) return extentsOf(shape, axis);
  const [channels = 1, depth = 1, height = 1, width = 1] = axis === 'first' ? rest : [rest[3] ?? 1, ...rest];
  return { items: items * depth, channels, height, width };
}

/** Height and width of a list by spatial axis; the only axis of a 1-D list is the width. */
export function heightAndWidth(
  values: readonly number[],
  axes: number,
  otherwise: number,
): readonly [height: number, width: number] {
  const [first = otherwise, second = otherwise] = values;
  return axes === 1 ? [otherwise, first] : [first, second];
}

/** The position of the channels in a shape of this rank. */
export const channelPosition = (rank: number, axis: ChannelAxis): number => (axis === 'first' ? 1 : rank - 1);

export const isPixel = ({ height, width }: Extents): boolean => height === 1 && width === 1;

export const normaliseAxis = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
