/** Channels that are taken apart, put in another order and joined again: one gather, wherever it stands in a network. */
import type { ValueId } from '../../ir/graph.ts';
import { channelRange, planGather } from '../plan/channels.ts';
import { planPermuted } from '../plan/strided.ts';
import { elementsOf } from '../plan/tensor.ts';
import type { NetworkValues } from './values.ts';

/** From [N, C, H, W] in blocks to [N, C₁, …, Cₖ, H, W]. False where the reshape does something else. */
export function takeApart(values: NetworkValues, input: ValueId, output: ValueId): boolean {
  const axis = values.blockedAxis(input);
  const [items, channels = 1, ...spatial] = values.shape(input);
  const [outItems, ...rest] = values.shape(output);
  const extents = rest.slice(0, rest.length - spatial.length);
  const isApart =
    axis === 'first' &&
    spatial.length > 0 &&
    extents.length > 1 &&
    items === outItems &&
    elementsOf(extents) === channels &&
    rest.slice(extents.length).join() === spatial.join();
  if (!isApart) return false;
  const toPlain = () => ({ ...values.plain(input), shape: values.shape(output) });
  const tensor = values.blocked(input, axis);
  values.setSplit(output, { tensor, axis, extents, order: channelRange(0, channels), toPlain });
  return true;
}

/** Puts axes that channels were taken apart into in another order. False where other axes move. */
export function reorder(
  values: NetworkValues,
  input: ValueId,
  output: ValueId,
  permutation: readonly number[],
): boolean {
  const split = values.splitChannels(input);
  if (split === null) return false;
  const count = split.extents.length;
  const stays = permutation.every((from, to) => (from >= 1 && from <= count) || from === to);
  if (!stays) return false;
  const moved = permutation.slice(1, count + 1).map((axis) => axis - 1);
  const extents = moved.map((axis) => split.extents[axis] ?? 1);
  const strides = moved.map((axis) => elementsOf(split.extents.slice(axis + 1)));
  const order = Array.from({ length: split.order.length }, (_, channel) => {
    let rest = channel;
    let source = 0;
    for (let axis = count - 1; axis >= 0; axis--) {
      const extent = extents[axis] ?? 1;
      source += (rest % extent) * (strides[axis] ?? 0);
      rest = Math.floor(rest / extent);
    }
    return split.order[source] ?? 0;
  });
  const toPlain = () => planPermuted(values.builder, values.plain(input), permutation);
  values.setSplit(output, { ...split, extents, order, toPlain });
  return true;
}

/** Joins axes that channels were taken apart into; the gather happens here. False where the reshape does something else. */
export function join(values: NetworkValues, input: ValueId, output: ValueId): boolean {
  const split = values.splitChannels(input);
  if (split === null) return false;
  const { items, channels, height, width } = split.tensor;
  const shape = values.shape(output);
  const spatial = values.shape(input).slice(1 + split.extents.length);
  if (shape.join() !== [items, channels, ...spatial].join() || elementsOf(spatial) !== height * width) return false;
  planGather(values.builder, split.tensor, values.newBlocked(output, split.axis), 0, split.order);
  return true;
}
