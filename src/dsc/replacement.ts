import type { BetweenHalves, ConvHalf, ConvReplacement } from '../formats/conv-replacement.ts';
import { isWeightType } from '../ir/elements.ts';
import type { ConvLayer } from './conv-layer.ts';
import { factorise } from './factorisation.ts';
import type { CountedForm } from './figures.ts';
import type { LinearAlgebra } from './linear-algebra.ts';
import type { Between, ReplacementForm, Strategy } from './strategies/strategy.ts';

/** What stands between the halves before anything is known of the activations: nothing is scaled or shifted. */
const BETWEEN_HALVES: Readonly<Record<Between, (channels: number) => BetweenHalves>> = {
  none: () => ({ norm: null, relu: false }),
  relu: () => ({ norm: null, relu: true }),
  'bn-relu': (channels) => ({
    norm: {
      scale: new Float64Array(channels).fill(1),
      shift: new Float64Array(channels),
      mean: new Float64Array(channels),
      variance: new Float64Array(channels).fill(1),
      epsilon: 1e-5,
    },
    relu: true,
  }),
};

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
  const { node, weightType } = layer;
  if (node.kind !== 'conv' || !isWeightType(weightType)) throw new Error(`${layer.name} cannot be replaced.`);
  const [first, last] = strategy.halves(layer, form.rank);
  const half = ({ outChannels, inPerGroup, groups, isSpatial }: typeof first): ConvHalf => ({
    part: isSpatial ? 'depthwise' : 'pointwise',
    weightShape: [outChannels, inPerGroup, ...layer.kernel.map((extent) => (isSpatial ? extent : 1))],
    groups,
    isSpatial,
  });
  return {
    node,
    halves: [half(first), half(last)],
    between: BETWEEN_HALVES[form.between](first.outChannels),
    dtype: weightType,
    bias: form.bias ? new Float64Array(layer.outChannels) : null,
    weightKey: replacementKey(layer, form),
    weights: remembered(() =>
      strategy.assemble(layer, factorise(readWeights(), strategy.slices(layer), form.rank, algebra)),
    ),
  };
}

/** Convolutions that share a weight share what replaces it, as long as nothing of that is fitted to their inputs. */
export function replacementKey({ weightId, groups, index }: ConvLayer, { bias, between }: CountedForm): string {
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
