/** For so long: the optimising compiler has replaced the first code before. */
const MEASURED_MS = 120;
const MIN_RUNS = 20;

/** Milliseconds of the fastest of many runs: what a machine can do, other programs aside. */
export function shortestRun(run: () => void, now: () => number): number {
  let shortest = Number.POSITIVE_INFINITY;
  const begin = now();
  for (let runs = 0; runs < MIN_RUNS || now() - begin < MEASURED_MS; runs++) {
    const start = now();
    run();
    shortest = Math.min(shortest, now() - start);
  }
  return shortest;
}
