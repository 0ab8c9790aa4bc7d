/** What a measurement would be without what else a machine does. */

/**
 * What a run takes that nothing disturbs: the lower quartile of its times. Whatever disturbs adds, often whole time slices of
 * the system's scheduler; the least of all times is an exception too. Null for no times.
 */
export const undisturbed = (times: readonly number[]): number | null =>
  [...times].sort((a, b) => a - b)[Math.floor((times.length - 1) / 4)] ?? null;

/** The middle one of the values; null where there is none. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
