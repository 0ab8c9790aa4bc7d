import type { ConvAttrs, ResultType } from '../../../ir/operators.ts';
import type { OnnxNode } from '../onnx-node.ts';
import type { Lowering, Rows } from './row.ts';
import { windowOf } from './window.ts';

export function convAttrs(
  node: OnnxNode,
  result: ResultType = 'same',
  channelsLast = false,
  weightChannelsLast = false,
): ConvAttrs {
  const activation = node.string('activation', '') || null;
  return { groups: node.count('group', 1), channelsLast, weightChannelsLast, activation, result, ...windowOf(node) };
}

const lowerConv: Lowering = (node) => ({ kind: 'conv', attrs: convAttrs(node) });

// x, scale, zero, w, scale, zero, y scale, y zero, bias → x, w, bias, no residual, the rest; y's zero point is the 10th.
const lowerQLinearConv: Lowering = (node) => ({
  kind: 'conv',
  attrs: convAttrs(node, { likeInput: 9 }, node.flag('channels_last')),
  inputs: node.reorder(0, 3, 8, null),
});

export const convolutionRows: Rows = {
  Conv: lowerConv,
  // x, w, x zero point, w zero point → x, w, no bias, no residual, zero points.
  ConvInteger: (node) => ({ kind: 'conv', attrs: convAttrs(node, 'int32'), inputs: node.reorder(0, 1, null, null) }),
  QLinearConv: lowerQLinearConv,
  ConvTranspose: (node) => ({
    kind: 'convTranspose',
    attrs: {
      ...windowOf(node),
      groups: node.count('group', 1),
      channelsLast: false,
      activation: null,
      outputPadding: node.extents('output_padding'),
      outputShape: node.optionalExtents('output_shape'),
    },
  }),
  DeformConv: (node) => ({
    kind: 'deformConv',
    attrs: { ...windowOf(node), groups: node.count('group', 1) },
  }),
  CausalConvWithState: (node) => ({
    kind: 'causalConv',
    attrs: { activation: node.string('activation', 'none') === 'none' ? null : node.string('activation', 'none') },
  }),
};

export const microsoftConvolutionRows: Rows = {
  FusedConv: lowerConv,
  // The one form whose weights have their channels last too.
  NhwcConv: (node) => ({ kind: 'conv', attrs: convAttrs(node, 'same', true, true) }),
  NhwcFusedConv: (node) => ({ kind: 'conv', attrs: convAttrs(node, 'same', true) }),
  QLinearConv: lowerQLinearConv,
};
