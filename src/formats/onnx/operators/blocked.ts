import { convAttrs } from './convolution.ts';
import { lowerPool } from './pool.ts';
import { resizeBy } from './resample.ts';
import { always, type Rows } from './row.ts';

/** What onnxruntime's optimiser writes at its highest level: channels in blocks of 8 or 16. */
export const blockedRows: Rows = {
  Conv: (node) => ({ kind: 'blockedConv', attrs: convAttrs(node) }),
  MaxPool: (node) => lowerPool(node, 'max'),
  AveragePool: (node) => lowerPool(node, 'average'),
  GlobalMaxPool: always('globalPool', { fn: 'max', channelsLast: false }),
  GlobalAveragePool: always('globalPool', { fn: 'average', channelsLast: false }),
  Upsample: (node) => resizeBy(node, node.numbers(node.ints('scales'))),
  ReorderInput: (node) => ({
    kind: 'blockChannels',
    attrs: { block: node.channelBlock, channelsLast: node.flag('channels_last') },
  }),
  ReorderOutput: (node) => ({
    kind: 'unblockChannels',
    attrs: { channels: node.requiredCount('channels'), channelsLast: node.flag('channels_last') },
  }),
};
