/**
 * Tells undisturbed moments of a machine from others: on shared machines a process runs at half its speed for milliseconds or
 * for minutes, as its neighbours on the core, in the caches and on the memory come and go. A short workload that is always the
 * same is timed before and after every run. Before a run a better moment is waited for, though not long; which runs count is
 * decided at the end, when it is known what the workload takes in this machine's good moments.
 */

/** One run, and the longer of the workload's times before and after it. */
export interface Run {
  /** Milliseconds, by step. */
  readonly times: readonly number[];
  readonly workloadMs: number;
}

/** What the workload takes in good moments: a tenth of its times were shorter. As long as there are none, any moment is good. */
const goodMs = (times: readonly number[]): number =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length / 10)] ?? Number.POSITIVE_INFINITY;

/** Slower than in good moments by these factors is a disturbance: by the first, and by the second where else too little is left. */
const [TOLERATED, AT_MOST] = [1.05, 1.1] as const;

/** Fewer runs than this are too little. */
const ENOUGH = 3;

/** What the workload takes around the good ones of the runs. */
export const usualMs = (runs: readonly Run[]): number => goodMs(runs.map(({ workloadMs }) => workloadMs));

/** The runs in good moments; none where there was no such moment. */
export function steadyRuns(runs: readonly Run[], usual: number): readonly Run[] {
  const strict = runs.filter(({ workloadMs }) => workloadMs <= TOLERATED * usual);
  return strict.length >= ENOUGH ? strict : runs.filter(({ workloadMs }) => workloadMs <= AT_MOST * usual);
}

export interface SteadyWatch {
  /** Times the workload. */
  time(): Promise<number>;
  /** The same, again and again until the moment is a good one or patience is over. */
  settle(): Promise<number>;
}

/** How long a better moment is waited for before one turn. */
const PATIENCE_MS = 150;

/** Good moments are told from the latest so many times of the workload. */
const REMEMBERED = 1000;

export function steadyWatch(workload: () => void | Promise<void>, now: () => number): SteadyWatch {
  const times: number[] = [];
  const time = async (): Promise<number> => {
    // Whatever ran before has taken the caches: the first turn brings the workload's own data back.
    await workload();
    const start = now();
    await workload();
    const latest = now() - start;
    times.push(latest);
    if (times.length > REMEMBERED) times.shift();
    return latest;
  };
  return {
    time,
    settle: async () => {
      const until = now() + PATIENCE_MS;
      const good = TOLERATED * goodMs(times);
      let latest = await time();
      while (latest > good && now() < until) latest = await time();
      return latest;
    },
  };
}

/** So many turns of runs, each in as good a moment as there is. */
export async function timedRuns(
  turns: number,
  turn: () => Promise<readonly (readonly number[])[]>,
  watch: SteadyWatch,
): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (let index = 0; index < turns; index++) {
    const before = await watch.settle();
    const timed = await turn();
    const after = await watch.time();
    runs.push(...timed.map((times) => ({ times, workloadMs: Math.max(before, after) })));
  }
  return runs;
}
