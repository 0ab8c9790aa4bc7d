import type { Lowered, OnnxNode } from '../onnx-node.ts';
import { always, type Lowering, type Rows } from './row.ts';
import { windowOf } from './window.ts';

type PoolFunction = 'average' | 'lp' | 'max';

export function lowerPool(node: OnnxNode, fn: PoolFunction, channelsLast = false): Lowered {
  const countsPadding = node.flag('count_include_pad');
  return { kind: 'pool', attrs: { ...windowOf(node), fn, ceil: node.flag('ceil_mode'), channelsLast, countsPadding } };
}

const pool =
  (fn: PoolFunction): Lowering =>
  (node) =>
    lowerPool(node, fn);

const globalPool = (fn: PoolFunction) => always('globalPool', { fn, channelsLast: false });

export const poolRows: Rows = {
  AveragePool: pool('average'),
  LpPool: pool('lp'),
  MaxPool: pool('max'),
  GlobalAveragePool: globalPool('average'),
  GlobalLpPool: globalPool('lp'),
  GlobalMaxPool: globalPool('max'),
  MaxUnpool: (node) => ({ kind: 'maxUnpool', attrs: windowOf(node) }),
  MaxRoiPool: (node) => ({ kind: 'roiPool', attrs: { pooled: node.extents('pooled_shape') } }),
  RoiAlign: (node) => ({
    kind: 'roiAlign',
    attrs: {
      height: node.count('output_height', 1),
      width: node.count('output_width', 1),
      samples: node.int('sampling_ratio', 0),
    },
  }),
};

export const microsoftPoolRows: Rows = {
  NhwcMaxPool: (node) => lowerPool(node, 'max', true),
  QLinearAveragePool: (node) => lowerPool(node, 'average', node.flag('channels_last')),
  QLinearGlobalAveragePool: (node) => ({
    kind: 'globalPool',
    attrs: { fn: 'average', channelsLast: node.flag('channels_last') },
  }),
};
