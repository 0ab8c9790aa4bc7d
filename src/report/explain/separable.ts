import type { Candidate, ConvSection, Layer } from '../../audit/report.ts';
import { provenStep, type Step, step } from './explanation.ts';
import { type Expression, literal, named, product, quotient, sum } from './expression.ts';
import { kernelPositions, positionsOf } from './shapes.ts';

/** What a DSC in place of a convolution is made of. */
export interface SeparableForm {
  readonly positions: readonly Expression[];
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: readonly number[];
}

/** Positions × (M × ∏k + M × N): both halves run at the output's positions, the depthwise one has the stride. */
export function separableMacs({ positions, ...weights }: SeparableForm): Expression {
  return product(...positions, separableWeights(weights));
}

/** M × ∏k of the depthwise half and M × N of the pointwise one. */
export function separableWeights({ inChannels, outChannels, kernel }: Omit<SeparableForm, 'positions'>): Expression {
  const inner = named('M', inChannels);
  return sum(product(inner, kernelPositions(kernel)), product(inner, named('N', outChannels)));
}

/** 1/N + 1/∏k: what is left, of MACs and of weights alike. */
export const separableShare = (outChannels: number, kernel: readonly number[]): Expression =>
  sum(quotient(literal(1), named('N', outChannels)), quotient(literal(1), kernelPositions(kernel)));

/** Where 1/N + 1/k² comes from. */
export const SHARE_SENTENCES: readonly string[] = [
  'A standard convolution costs positions × M × N × k². A depthwise one costs positions × M × k², a pointwise one positions × M × N.',
  'Divide their sum by the first: the depthwise half leaves 1/N, as its N filters have become one a channel; the pointwise half leaves 1/k², as its window has become one position.',
];

/** The layer as a DSC: both halves and what is left. The audit's own figures are held against them. */
export function separableSteps(layer: Layer, conv: ConvSection, candidate: Candidate | null): readonly Step[] {
  const { inChannels, outChannels, kernel, bias } = conv;
  const positions = positionsOf(layer.outputShapes[0], outChannels);
  const share = step('Share left', separableShare(outChannels, kernel), 'share');
  if (positions === null) return [share];
  const runs = layer.repeats === 1 ? [] : [named('runs', layer.repeats)];
  const form = { positions: [...runs, ...positions], inChannels, outChannels, kernel };
  const inner = named('M', inChannels);
  const macs = separableMacs(form);
  const weights = separableWeights(form);
  const params = bias ? sum(weights, named('N', outChannels)) : weights;
  const told = { otherwise: 'This is the figure of the audit; the formula above it gives another.' };
  return [
    step('Depthwise', product(...form.positions, inner, kernelPositions(kernel)), 'count', 'MACs of the first half.'),
    step('Pointwise', product(...form.positions, inner, named('N', outChannels)), 'count', 'MACs of the second half.'),
    candidate ? provenStep('MACs as DSC', candidate.after.macs, [{ formula: macs }], told) : step('MACs as DSC', macs),
    candidate
      ? provenStep('Params', candidate.after.params, [{ formula: params }, { formula: weights }], told)
      : step('Params', params),
    share,
  ];
}
