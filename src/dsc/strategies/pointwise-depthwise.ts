import { positionsOf } from './positions.ts';
import type { Strategy } from './strategy.ts';

/**
 * The other order: a pointwise convolution (N·r·M weights) at the input's extent, then a depthwise one with r inputs a
 * filter (N·r·∏k weights) that keeps stride and bias ("blueprint separable", BSConv-U, 2003.13549, section 3.2). At
 * stride 2 its pointwise half costs four times that of the other order.
 */
export const pointwiseDepthwise: Strategy = {
  name: 'pointwise-depthwise',
  replaces: 'convolution',
  halves: ({ inChannels, outChannels, groups }, rank) => [
    { outChannels: outChannels * rank, inPerGroup: inChannels / groups, groups, isSpatial: false },
    { outChannels, inPerGroup: rank, groups: outChannels, isSpatial: true },
  ],
  // W[n] of the n-th output channel: a row for each input channel of its group.
  slices: ({ inChannels, outChannels, kernel, groups }) => {
    const positions = positionsOf(kernel);
    const rows = inChannels / groups;
    return {
      count: outChannels,
      rows,
      positions,
      rowStride: positions,
      start: (channel) => channel * rows * positions,
    };
  },
  assemble: (_, { kernels, columns }) => [columns, kernels],
};
