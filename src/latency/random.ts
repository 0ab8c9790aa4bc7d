/** Evenly distributed numbers from 0 to 1, the same for the same seed (Mulberry32, public domain). */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Choices for a sweep. */
export interface Chance {
  /** From 0 to 1. */
  next(): number;
  /** Whole, both ends included, evenly over the logarithm. */
  spread(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
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
      return item as (typeof items)[number];
    },
  };
}
