import { positionsOf } from './positions.ts';
import type { Strategy } from './strategy.ts';

/**
 * One k×k convolution from M to N channels becomes a depthwise k×k convolution (M·r·∏k weights) and a pointwise one
 * (N·M·r weights) that keeps the bias: at r = 1, 1/N + 1/∏k of the MACs (MobileNetV1, 1704.04861, section 3.1). With r
 * depthwise filters a channel it holds the r largest terms of each input channel's slice (Network Decoupling,
 * 1808.05517).
 */
export const depthwiseSeparable: Strategy = {
  name: 'depthwise-separable',
  replaces: 'convolution',
  halves: ({ inChannels, outChannels, groups }, rank) => [
    { outChannels: inChannels * rank, inPerGroup: 1, groups: inChannels, isSpatial: true },
    { outChannels, inPerGroup: (inChannels / groups) * rank, groups, isSpatial: false },
  ],
  // W[:, m] of the m-th input channel: a row for each output channel of its group.
  slices: ({ inChannels, outChannels, kernel, groups }) => {
    const positions = positionsOf(kernel);
    const perGroup = inChannels / groups;
    const rows = outChannels / groups;
    return {
      count: inChannels,
      rows,
      positions,
      rowStride: perGroup * positions,
      start: (channel) => (Math.floor(channel / perGroup) * rows * perGroup + (channel % perGroup)) * positions,
    };
  },
  assemble: ({ inChannels, outChannels, groups }, { rank, kernels, columns }) => {
    const rows = outChannels / groups;
    const width = (inChannels / groups) * rank;
    const pointwise = new Float64Array(outChannels * width);
    for (let term = 0; term < inChannels * rank; term++) {
      const group = Math.floor(term / width);
      for (let row = 0; row < rows; row++) {
        pointwise[(group * rows + row) * width + (term % width)] = columns[term * rows + row] ?? 0;
      }
    }
    return [kernels, pointwise];
  },
};
