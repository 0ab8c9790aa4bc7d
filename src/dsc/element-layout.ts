import type { ConvLayer } from './conv-layer.ts';

/** Where an element lies among an item's. */
export interface Layout {
  readonly channels: number;
  channelOf(index: number, length: number): number;
  at(channel: number, position: number, positions: number): number;
}

export const layoutOf = ({ channelsLast }: ConvLayer, channels: number): Layout =>
  channelsLast
    ? {
        channels,
        channelOf: (index) => index % channels,
        at: (channel, position) => position * channels + channel,
      }
    : {
        channels,
        channelOf: (index, length) => Math.floor((index * channels) / length),
        at: (channel, position, positions) => channel * positions + position,
      };
