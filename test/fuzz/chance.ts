import { randomSource } from '../../src/runtime/random.ts';

/** Seeded choices: what was found once is found again. */
export interface Chance {
  /** Whole, from 0 up to but without `end`. */
  below(end: number): number;
  /** True once in so many times. */
  oneIn(count: number): boolean;
  /** Throws for an empty list. */
  pick<T>(items: readonly T[]): T;
}

/** Choices for the input of a number, in the run of a seed. */
export function chanceOf(seed: number, input: number): Chance {
  const next = randomSource(Math.imul(seed, 0x9e3779b1) ^ Math.imul(input, 0x85ebca6b));
  const below = (end: number): number => Math.floor(next() * end);
  return {
    below,
    oneIn: (count) => below(count) === 0,
    pick(items) {
      const [first] = items;
      if (first === undefined) throw new Error('There is nothing to choose from.');
      return items[below(items.length)] ?? first;
    },
  };
}
