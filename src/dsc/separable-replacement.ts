import type { ConvLayer } from './conv-layer.ts';
import type { Replacement } from './projected-model.ts';
import type { Closing, ConvShape, HalfConv, NewConv, ReplacementForm, Strategy } from './strategies/strategy.ts';

/** A convolution and its two halves, as a graph can be projected with them; null for what is no plain one. */
export function separableReplacement(
  layer: Pick<ConvLayer, 'node'> & ConvShape,
  strategy: Strategy,
  { rank, between }: Pick<ReplacementForm, 'rank' | 'between'>,
): Replacement | null {
  const { node, kernel } = layer;
  if (node.kind !== 'conv') return null;
  const [first, last] = strategy.halves(layer, rank);
  return {
    replaced: [{ node, affine: [], activation: [] }],
    kernel,
    window: node.attrs,
    weightType: 'float32',
    convs: [newConv(first, between), newConv(last, 'as-last')],
  };
}

const newConv = ({ outChannels, inPerGroup, groups, isSpatial }: HalfConv, closing: Closing): NewConv => ({
  part: isSpatial ? 'depthwise' : 'pointwise',
  inChannels: inPerGroup * groups,
  outChannels,
  groups,
  isSpatial,
  closing,
});
