import type { ConvLayer } from './conv-layer.ts';
import type { CountedBetween } from './figures.ts';
import type { Replacement } from './projected-model.ts';
import type { Closing, HalfConv, NewConv, Strategy } from './strategies/strategy.ts';

/** A convolution and its two halves at rank 1, as a graph can be projected with them; null for what is no plain one. */
export function separableReplacement(
  layer: ConvLayer,
  strategy: Strategy,
  between: CountedBetween,
): Replacement | null {
  const { node, kernel } = layer;
  if (node.kind !== 'conv') return null;
  const [first, last] = strategy.halves(layer, 1);
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
