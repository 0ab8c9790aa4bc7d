import { distance } from 'fastest-levenshtein';

/** Longest word that is compared: what a person mistypes is short. */
const MAX_LENGTH = 200;

/** The word that was most likely meant: at most three typing errors away, and not mostly other letters. Null for none. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (word.length > MAX_LENGTH) return null;
  let best: string | null = null;
  let least = Math.min(4, Math.ceil(word.length * 0.6));
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const errors = distance(word.toLowerCase(), candidate.toLowerCase());
    if (errors < least) [best, least] = [candidate, errors];
  }
  return best;
}
