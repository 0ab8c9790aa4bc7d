import type { ConvFigures } from '../dsc/strategies/strategy.ts';
import { addExact } from '../ir/exact.ts';
import type { CountedLayer } from '../passes/count-layers.ts';

/** What a model's layers cost together, as far as it is known; a weight that several of them read counts once. */
export function knownFigures(layers: readonly CountedLayer[]): ConvFigures & { macs: number; flops: number } {
  const weights = layers.flatMap(({ ownWeights }) => ownWeights);
  return {
    params: sum(weights.map(({ elements }) => elements)),
    macs: sum(layers.map(({ macs }) => macs)),
    flops: sum(layers.map(({ flops }) => flops)),
    weightBytes: sum(weights.map(({ bytes }) => bytes)),
  };
}

/** What is not known adds nothing. */
export const sum = (figures: readonly (number | null)[]): number =>
  figures.reduce<number>((total, figure) => addExact(total, figure ?? 0), 0);
