import type { CountedLayer } from '../passes/count-layers.ts';
import type { Between, SettledBetween } from './strategies/strategy.ts';

/** A model without BatchNorm has it folded: so would its replacements. */
export function settledBetween(between: Between, layers: readonly CountedLayer[]): SettledBetween {
  const hasNorm = layers.some(({ parts }) => parts.some(({ node }) => node.kind === 'batchNorm'));
  return between === 'bn-relu' && !hasNorm ? 'bias-relu' : between;
}
