import { randomSource } from '../runtime/random.ts';

/** Choices for a sweep. */
export interface Chance {
  /** From 0 to 1. */
  next(): number;
  /** Whole, both ends included, evenly over the logarithm. */
  spread(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
  /** The items in any order (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): readonly T[];
}

export function chanceOf(seed: number): Chance {
  const next = randomSource(seed);
  return {
    next,
    spread: (low, high) => {
      const most = Math.max(low, Math.floor(high));
      return Math.min(most, Math.floor(low * ((most + 1) / low) ** next()));
    },
    pick: (items) => {
      const item = items[Math.floor(next() * items.length)];
      if (item === undefined) throw new Error('There is nothing to pick from.');
      return item;
    },
    shuffle: (items) => {
      const left = [...items];
      return items.flatMap(() => left.splice(Math.floor(next() * left.length), 1));
    },
  };
}
