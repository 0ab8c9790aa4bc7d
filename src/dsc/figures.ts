import { byteSize } from '../ir/dtype.ts';
import { addExact, addKnown, multiplyExact } from '../ir/exact.ts';
import type { ConvLayer } from './conv-layer.ts';
import { positionsOf } from './strategies/positions.ts';
import type { ConvFigures, HalfConv, ReplacementForm, SettledBetween, Strategy } from './strategies/strategy.ts';

/** N·M/groups·∏k weights and the bias. */
export function figuresOf(layer: ConvLayer): ConvFigures {
  const { inChannels, outChannels, kernel, groups, bias, biasBytes, macs, flops, weightType } = layer;
  const weights = multiplyExact(inChannels / groups, outChannels, ...kernel);
  return {
    params: addExact(weights, bias ? outChannels : 0),
    macs,
    flops,
    weightBytes: addExact(byteSize(weightType ?? 'float32', weights), biasBytes),
  };
}

/** Parameters and FLOPs a channel, and FLOPs an element, of what stands between the halves. */
const COST_BETWEEN: Readonly<Record<SettledBetween, { readonly params: number; readonly flops: number }>> = {
  none: { params: 0, flops: 0 },
  relu: { params: 0, flops: 1 },
  // Scale, shift, mean and variance; as inference runs it, one scale and one shift.
  'bn-relu': { params: 4, flops: 3 },
  'bias-relu': { params: 1, flops: 2 },
};

/** What the two halves cost together, with the bias and what stands between them. */
export function replacementFigures(layer: ConvLayer, strategy: Strategy, form: ReplacementForm): ConvFigures {
  const halves = strategy.halves(layer, form.rank);
  const [first] = halves;
  const weightsOf = ({ outChannels, inPerGroup, isSpatial }: HalfConv): number =>
    multiplyExact(outChannels, inPerGroup, isSpatial ? positionsOf(layer.kernel) : 1);
  // A pointwise half in front runs at the input's extent; everything else at the output's.
  const firstPositions = first.isSpatial ? layer.outputPositions : layer.inputPositions;
  const between = COST_BETWEEN[form.between];
  const addedBias = form.bias && !layer.bias ? layer.outChannels : 0;
  const added = addExact(multiplyExact(between.params, first.outChannels), addedBias);
  const weights = addExact(...halves.map(weightsOf), added);
  const macs = addKnown([
    productOf(firstPositions, weightsOf(first)),
    productOf(layer.outputPositions, weightsOf(halves[1])),
  ]);
  return {
    params: addExact(weights, layer.bias ? layer.outChannels : 0),
    macs,
    flops: addKnown([
      productOf(macs, 2),
      // What follows the multiply-adds (bias, fused activation) stays as it is.
      layer.flops === null || layer.macs === null ? null : layer.flops - 2 * layer.macs,
      productOf(layer.outputPositions, addedBias),
      productOf(firstPositions, multiplyExact(between.flops, first.outChannels)),
    ]),
    weightBytes: addExact(byteSize(layer.weightType ?? 'float32', weights), layer.biasBytes),
  };
}

/** Elements that a replacement of rank 1 writes and reads again between its halves; null where an extent is not known. */
export function elementsBetween(layer: ConvLayer, strategy: Strategy): number | null {
  const [first] = strategy.halves(layer, 1);
  return productOf(first.isSpatial ? layer.outputPositions : layer.inputPositions, first.outChannels);
}

const productOf = (factor: number | null, other: number): number | null =>
  factor === null ? null : multiplyExact(factor, other);
