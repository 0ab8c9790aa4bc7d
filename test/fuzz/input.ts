import { type Chance, chanceOf } from './chance.ts';
import type { Target } from './target.ts';

/** The input of a number, and the choices that are left for whoever reads it. */
export interface Input {
  readonly bytes: Uint8Array;
  readonly chance: Chance;
}

export function inputOf(target: Target, seeds: readonly Uint8Array[], seed: number, number: number): Input {
  const chance = chanceOf(seed, number);
  return { bytes: target.mutate(chance.pick(seeds), chance), chance };
}
