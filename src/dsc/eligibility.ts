import type { ConvLayer } from './conv-layer.ts';

/** Why a convolution is no candidate. */
export type RejectionReason =
  | 'pointwise'
  | 'depthwise'
  | 'grouped'
  | 'stem'
  | 'no-saving'
  | 'transposed'
  | 'dynamic-weights'
  | 'excluded'
  | 'no-block'
  | 'in-block';

/** What the user says of layers: excluded ones are left alone, included ones are looked at whatever the defaults say. */
export interface LayerChoice {
  isIncluded(layer: ConvLayer): boolean;
  isExcluded(layer: ConvLayer): boolean;
}

/** Channels of an image, at most: grey, colour, colour with depth or transparency. */
const MAX_IMAGE_CHANNELS = 4;

interface Rule {
  readonly reason: RejectionReason;
  rejects(layer: ConvLayer, choice: LayerChoice): boolean;
}

/** Operators that are no plain sum over a fixed kernel: its taps are computed from data, or it lies in an order for one machine. */
const NOT_PLAIN: ReadonlySet<ConvLayer['operator']> = new Set(['deformConv', 'blockedConv']);

/** In order of precedence: the first that rejects names the reason. */
const RULES: readonly Rule[] = [
  { reason: 'transposed', rejects: ({ operator }) => operator === 'convTranspose' },
  { reason: 'depthwise', rejects: ({ kind }) => kind === 'depthwise-conv' },
  {
    reason: 'grouped',
    rejects: (layer, choice) => layer.kind === 'grouped-conv' && !choice.isIncluded(layer),
  },
  { reason: 'pointwise', rejects: ({ kind }) => kind === 'pointwise-conv' },
  { reason: 'dynamic-weights', rejects: ({ operator, fixedWeight }) => NOT_PLAIN.has(operator) || !fixedWeight },
  { reason: 'excluded', rejects: (layer, choice) => choice.isExcluded(layer) && !choice.isIncluded(layer) },
  {
    reason: 'stem',
    rejects: (layer, choice) => layer.isFirst && layer.inChannels <= MAX_IMAGE_CHANNELS && !choice.isIncluded(layer),
  },
];

/** The reason why a convolution cannot or should not be replaced, before any saving is worked out; else null. */
export function rejectionOf(layer: ConvLayer, choice: LayerChoice): RejectionReason | null {
  return RULES.find((rule) => rule.rejects(layer, choice))?.reason ?? null;
}
