import type { BetweenHalves, ConvHalf, ConvReplacement, Norm } from '../formats/conv-replacement.ts';
import { isWeightType } from '../ir/elements.ts';
import type { ConvLayer } from './conv-layer.ts';
import { factorise } from './factorisation.ts';
import type { LinearAlgebra } from './linear-algebra.ts';
import type { ConvShape, HalfConv, ReplacementForm, SettledBetween, Strategy } from './strategies/strategy.ts';

/** What stands between the halves before anything is known of the activations: nothing is scaled or shifted. */
const BETWEEN_HALVES: Readonly<Record<SettledBetween, (channels: number) => BetweenHalves>> = {
  none: () => ({ bias: null, norm: null, relu: false }),
  relu: () => ({ bias: null, norm: null, relu: true }),
  'bn-relu': (channels) => ({ bias: null, norm: plainNorm(channels), relu: true }),
  'bias-relu': (channels) => ({ bias: new Float64Array(channels), norm: null, relu: true }),
};

/** Batch normalisation that changes nothing to speak of. */
export const plainNorm = (channels: number): Norm => ({
  scale: new Float64Array(channels).fill(1),
  shift: new Float64Array(channels),
  mean: new Float64Array(channels),
  variance: new Float64Array(channels).fill(1),
  epsilon: 1e-5,
});

/** The halves of a convolution's replacement. */
function halvesOf(conv: ConvShape, strategy: Strategy, rank: number): readonly [ConvHalf, ConvHalf] {
  const half = ({ outChannels, inPerGroup, groups, isSpatial }: HalfConv): ConvHalf => ({
    part: isSpatial ? 'depthwise' : 'pointwise',
    weightShape: [outChannels, inPerGroup, ...conv.kernel.map((extent) => (isSpatial ? extent : 1))],
    groups,
    isSpatial,
  });
  const [first, last] = strategy.halves(conv, rank);
  return [half(first), half(last)];
}

/** A replacement without weights: what a model that has none gets. */
export function shapedReplacement(layer: ConvLayer, strategy: Strategy, form: ReplacementForm): ConvReplacement {
  const { node, weightType } = layer;
  if (node.kind !== 'conv' || !isWeightType(weightType)) throw new Error(`${layer.name} cannot be replaced.`);
  const halves = halvesOf(layer, strategy, form.rank);
  return {
    node,
    halves,
    between: BETWEEN_HALVES[form.between](halves[0].weightShape[0] ?? 1),
    dtype: weightType,
    bias: form.bias ? new Float64Array(layer.outChannels) : null,
    weightKey: replacementKey(layer, form),
    weights: null,
  };
}

/**
 * The replacement of a convolution whose weights follow from the original's alone. `readWeights` is asked when the
 * replacement is written.
 */
export function factorisedReplacement(
  layer: ConvLayer,
  strategy: Strategy,
  form: ReplacementForm,
  readWeights: () => Float32Array,
  algebra: LinearAlgebra,
): ConvReplacement {
  const weights = () => strategy.assemble(layer, factorise(readWeights(), strategy.slices(layer), form.rank, algebra));
  return { ...shapedReplacement(layer, strategy, form), weights: remembered(weights) };
}

/** Convolutions that share a weight share what replaces it, as long as nothing of that is fitted to their inputs. */
export function replacementKey({ weightId, groups, index }: ConvLayer, { bias, between }: ReplacementForm): string {
  return bias || between !== 'none' ? `layer ${index}` : `weight ${weightId}/${groups}`;
}

/** Both halves are asked for one after the other; what was computed is let go with the second. */
function remembered<T>(compute: () => T): () => T {
  let known: T | null = null;
  return () => {
    const value = known ?? compute();
    known = known === null ? value : null;
    return value;
  };
}
