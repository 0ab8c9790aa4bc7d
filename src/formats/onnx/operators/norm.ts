import type { OnnxNode } from '../onnx-node.ts';
import { always, type Lowering, type Rows } from './row.ts';

/** Added to a variance. */
const epsilonOf = (node: OnnxNode): number => node.optionalFloat('epsilon') ?? 1e-5;

const layerNorm =
  (rms: boolean): Lowering =>
  (node) => ({ kind: 'layerNorm', attrs: { axis: node.int('axis', -1), rms, epsilon: epsilonOf(node) } });

export const normRows: Rows = {
  BatchNormalization: (node) => ({
    kind: 'batchNorm',
    // Before operator set 14 training was told by its further outputs.
    attrs: {
      channelAxis: 1,
      training: node.opset < 14 ? node.outputs > 1 : node.flag('training_mode'),
      epsilon: epsilonOf(node),
    },
  }),
  InstanceNormalization: (node) => ({ kind: 'instanceNorm', attrs: { epsilon: epsilonOf(node) } }),
  GroupNormalization: (node) => ({
    kind: 'groupNorm',
    attrs: { groups: node.requiredCount('num_groups'), activation: false, epsilon: epsilonOf(node) },
  }),
  LayerNormalization: layerNorm(false),
  RMSNormalization: layerNorm(true),
  // Written into the default domain by onnxruntime's optimiser.
  SimplifiedLayerNormalization: layerNorm(true),
  LRN: (node) => ({
    kind: 'lrn',
    attrs: {
      size: node.requiredCount('size'),
      alpha: node.optionalFloat('alpha') ?? 1e-4,
      beta: node.optionalFloat('beta') ?? 0.75,
      bias: node.optionalFloat('bias') ?? 1,
    },
  }),
  LpNormalization: (node) => ({ kind: 'lpNorm', attrs: { axis: node.int('axis', -1) } }),
  MeanVarianceNormalization: (node) => ({
    kind: 'meanVarianceNorm',
    attrs: { axes: node.optionalInts('axes') ?? [0, 2, 3] },
  }),
  // Before operator set 13 all axes from `axis` on were one.
  Softmax: (node) => ({
    kind: 'softmax',
    attrs: { axis: node.int('axis', node.opset < 13 ? 1 : -1), coerces: node.opset < 13, log: false },
  }),
  LogSoftmax: (node) => ({
    kind: 'softmax',
    attrs: { axis: node.int('axis', node.opset < 13 ? 1 : -1), coerces: node.opset < 13, log: true },
  }),
  Hardmax: (node) => ({ kind: 'hardmax', attrs: { axis: node.int('axis', node.opset < 13 ? 1 : -1) } }),
};

export const microsoftNormRows: Rows = {
  LayerNormalization: layerNorm(false),
  SimplifiedLayerNormalization: layerNorm(true),
  // x, residual, scale, bias?, second bias?.
  SkipLayerNormalization: always('skipLayerNorm', { rms: false }),
  // x, residual, scale, second bias?: it has no bias of its own.
  SkipSimplifiedLayerNormalization: (node) => ({
    kind: 'skipLayerNorm',
    attrs: { rms: true },
    inputs: node.reorder(0, 1, 2, null, 3),
  }),
  EmbedLayerNormalization: always('embedLayerNorm', {}),
  GroupNorm: (node) => ({
    kind: 'groupNorm',
    attrs: { groups: node.requiredCount('groups'), activation: node.flag('activation'), epsilon: epsilonOf(node) },
  }),
  QLinearSoftmax: (node) => ({
    kind: 'softmax',
    attrs: { axis: node.int('axis', -1), coerces: node.int('opset', 13) < 13, log: false },
  }),
  BiasSoftmax: (node) => ({
    kind: 'softmax',
    attrs: { axis: node.int('axis', 1), coerces: true, log: false },
  }),
};
