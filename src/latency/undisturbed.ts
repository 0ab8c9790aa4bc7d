/**
 * What a run takes that nothing disturbs. On a shared machine whatever else runs takes time slices, caches and memory: it only
 * ever adds, often for seconds. So many runs are spread over the whole time, and of each step the low ones count: a disturbance
 * that lasts takes some runs of all, not all of some.
 */

/** A tenth of the times lie below: with few the least, with many no longer what was lucky once. */
export const undisturbed = (times: readonly number[]): number =>
  [...times].sort((a, b) => a - b)[Math.floor((times.length - 1) / 10)] ?? Number.NaN;

/** The middle one of the values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
