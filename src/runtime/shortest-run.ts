/** Long enough for the optimising compiler to have replaced the first code before. */
export const SHORT_MS = 120;
const MIN_RUNS = 20;

/** Milliseconds of the fastest of many runs, for `forMs` at least: what a machine can do, other programs aside. */
export function shortestRun(run: () => void, now: () => number, forMs: number): number {
  let shortest = Number.POSITIVE_INFINITY;
  const begin = now();
  for (let runs = 0; runs < MIN_RUNS || now() - begin < forMs; runs++) {
    const start = now();
    run();
    shortest = Math.min(shortest, now() - start);
  }
  return shortest;
}
