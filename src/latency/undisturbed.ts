/** What a measurement would be without what else a machine does. */

/**
 * What a run takes that nothing disturbs: the lower quartile of its times. Whatever disturbs adds, often whole time slices of
 * the system's scheduler; the least of all times is an exception too.
 */
export const undisturbed = (times: readonly number[]): number =>
  [...times].sort((a, b) => a - b)[Math.floor((times.length - 1) / 4)] ?? Number.NaN;

/** The middle one of the values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
