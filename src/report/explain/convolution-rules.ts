import type { ConvSection, Layer } from '../../audit/report.ts';
import type { Attempt, FigureRules } from './explanation.ts';
import { type Expression, literal, named, product, quotient, sum } from './expression.ts';
import { elementsOf, kernelPositions, positionsOf } from './shapes.ts';

/** M / g, or M where there is one group. */
function over(symbol: string, channels: number, groups: number): Expression {
  const all = named(symbol, channels);
  return groups === 1 ? all : quotient(all, named('g', groups));
}

/** Output elements × C_in/groups × ∏k; of a transposed convolution input elements × C_out/groups × ∏k. */
function convolutionMacs({ kind, inputShapes, outputShapes }: Layer, conv: ConvSection): Expression | null {
  const { inChannels, outChannels, groups, kernel } = conv;
  const isTransposed = kind === 'conv-transpose';
  const positions = isTransposed
    ? positionsOf(inputShapes[0], inChannels, 'in')
    : positionsOf(outputShapes[0], outChannels);
  if (positions === null) return null;
  if (kind === 'depthwise-conv') return product(...positions, named('N', outChannels), kernelPositions(kernel));
  const channels = isTransposed
    ? [named('M', inChannels), over('N', outChannels, groups)]
    : [over('M', inChannels, groups), named('N', outChannels)];
  const isPointwise = kernel.every((extent) => extent === 1);
  return product(...positions, ...channels, ...(isPointwise ? [] : [kernelPositions(kernel)]));
}

/** N × M/groups × ∏k, without the bias. */
function convolutionWeights(kind: Layer['kind'], conv: ConvSection): Expression {
  const { inChannels, outChannels, groups, kernel } = conv;
  if (kind === 'depthwise-conv') return product(named('N', outChannels), kernelPositions(kernel));
  const channels = [over('M', inChannels, groups), named('N', outChannels)];
  const isPointwise = kernel.every((extent) => extent === 1);
  return product(...channels, ...(isPointwise ? [] : [kernelPositions(kernel)]));
}

/** What follows the products: bias, residual, fused activation. */
function epilogues({ outputShapes }: Layer, { bias }: ConvSection): readonly Attempt[] {
  const outputs = elementsOf(outputShapes[0]);
  if (outputs === null) return [{ formula: literal(0) }];
  const elements = named('output elements', outputs);
  const told = bias ? 'The bias is 1 for each output element' : 'It has no bias';
  return [
    { formula: bias ? elements : literal(0), note: `${told}.` },
    { formula: product(literal(bias ? 2 : 1), elements), note: `${told}; what is fused to it is 1 more.` },
    { formula: product(literal(bias ? 3 : 2), elements), note: `${told}; residual and activation 1 more each.` },
    { formula: literal(0) },
  ];
}

/** A layer of two convolutions, as Keras has it: the depthwise one that the report shows, and a pointwise one. */
function separable(layer: Layer, conv: ConvSection): { macs: Expression; weights: Expression; bias: number } | null {
  const shape = layer.outputShapes[0];
  const filters = shape?.at(-1);
  if (typeof filters !== 'number') return null;
  const positions = positionsOf(shape, filters);
  if (positions === null) return null;
  const inner = named('M', conv.outChannels);
  const halves = sum(product(inner, kernelPositions(conv.kernel)), product(inner, named('N', filters)));
  return { macs: product(...positions, halves), weights: halves, bias: filters };
}

export function convolutionRules(layer: Layer): FigureRules {
  const { conv, kind } = layer;
  if (conv === null) return { macs: [], params: [], otherFlops: [] };
  const weights = convolutionWeights(kind, conv);
  const macs = convolutionMacs(layer, conv);
  const both = kind === 'depthwise-conv' ? separable(layer, conv) : null;
  const note = NOTES[kind] ?? null;
  const together = 'One layer of the file, two convolutions: depthwise and pointwise.';
  const withBias = (formula: Expression, channels: number) => sum(formula, named('N', channels));
  return {
    macs: [...(macs ? [{ formula: macs, note }] : []), ...(both ? [{ formula: both.macs, note: together }] : [])],
    params: [
      ...(conv.bias ? [{ formula: withBias(weights, conv.outChannels), note: 'The last N is the bias.' }] : []),
      { formula: weights },
      ...(both
        ? [
            { formula: withBias(both.weights, both.bias), note: together },
            { formula: both.weights, note: together },
          ]
        : []),
      { formula: named('N', conv.outChannels), note: 'The bias; its weights are shared, or no constant.' },
    ],
    otherFlops: epilogues(layer, conv),
  };
}

const NOTES: Readonly<Partial<Record<Layer['kind'], string>>> = {
  'pointwise-conv': 'k = 1: every position mixes its channels, and nothing else.',
  'depthwise-conv': 'M / groups = 1: every channel has filters of its own.',
  'grouped-conv': 'Each output channel sees M / g input channels.',
  'conv-transpose': 'Over the input: every input element meets every tap once, whatever the stride.',
};
