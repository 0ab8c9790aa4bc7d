import type { ConvLayer } from './conv-layer.ts';
import type { Replacement } from './projected-model.ts';
import type { Closing, ConvShape, HalfConv, NewConv, ReplacementForm, Strategy } from './strategies/strategy.ts';

/** A convolution and its two halves, as a graph can be projected with them: one for each of its calls, none for what is no plain one. */
export function separableReplacements(
  layer: Pick<ConvLayer, 'calls' | 'weightType'> & ConvShape,
  strategy: Strategy,
  { rank, between }: Pick<ReplacementForm, 'rank' | 'between'>,
): readonly Replacement[] {
  const { calls, kernel, weightType } = layer;
  const [first, last] = strategy.halves(layer, rank);
  const convs = [newConv(first, between), newConv(last, 'as-last')];
  return calls.flatMap((node) =>
    node.kind === 'conv'
      ? [
          {
            replaced: [{ node, affine: [], activation: [] }],
            kernel,
            window: node.attrs,
            weightType: weightType ?? 'float32',
            convs,
          },
        ]
      : [],
  );
}

const newConv = ({ outChannels, inPerGroup, groups, isSpatial }: HalfConv, closing: Closing): NewConv => ({
  part: isSpatial ? 'depthwise' : 'pointwise',
  inChannels: inPerGroup * groups,
  outChannels,
  groups,
  isSpatial,
  closing,
});
