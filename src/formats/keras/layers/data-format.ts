import type { LayerCall } from '../layer-call.ts';

/** Whether the channels are the last axis, as Keras has them unless told otherwise. */
export function channelsLast({ config }: LayerCall): boolean {
  return config.choice('data_format', ['channels_last', 'channels_first'], 'channels_last') === 'channels_last';
}

/** Extents of the spatial axes and the channel axis of an input of `axes` spatial axes. */
export const channelAxis = (last: boolean): number => (last ? -1 : 1);

/** The spatial axes of a tensor. */
export function spatialAxes(axes: number, last: boolean): readonly number[] {
  return Array.from({ length: axes }, (_, axis) => axis + (last ? 1 : 2));
}
