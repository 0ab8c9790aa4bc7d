/**
 * Tells undisturbed moments of a machine from others: on shared machines a process runs at half its speed for seconds, and
 * whatever is timed then is worth nothing. A short workload that is always the same is timed around every measurement.
 */

export interface SteadyWatch {
  /** Runs the workload; true where it took no longer than it usually does. */
  isSteady(): Promise<boolean>;
}

/** Slower than the usual by this factor is a disturbance. */
const TOLERATED = 1.1;

/** The usual is the lower quartile of the latest so many: minutes of them, as a slow phase may take one. */
const REMEMBERED = 5000;

export function steadyWatch(workload: () => void | Promise<void>, now: () => number): SteadyWatch {
  const times: number[] = [];
  return {
    isSteady: async () => {
      // Whatever ran before has taken the caches: the first turn brings the workload's own data back.
      await workload();
      const start = now();
      await workload();
      const time = now() - start;
      times.push(time);
      if (times.length > REMEMBERED) times.shift();
      const sorted = [...times].sort((a, b) => a - b);
      return time <= TOLERATED * (sorted[Math.floor(sorted.length / 4)] ?? time);
    },
  };
}

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
