import { describe, expect, it } from 'vitest';
import { type Run, steadyRuns, steadyWatch, timedRuns, usualMs } from '../../src/latency/steady.ts';

const runs = (...workloads: readonly number[]): readonly Run[] =>
  workloads.map((workloadMs) => ({ times: [], workloadMs }));

/** A clock that only the workload moves: by these times, and by 1 once they are used up. */
function watched(...left: number[]) {
  let time = 0;
  return steadyWatch(
    () => {
      time += left.shift() ?? 1;
    },
    () => time,
  );
}

describe('the runs that count', () => {
  it('are those of good moments, though most were slow, and whatever it began with', () => {
    const slow = new Array<number>(20).fill(3);
    const all = runs(...slow, 1, 1.01, 1, 1.04, 1.2);
    expect(steadyRuns(all, usualMs(all)).map(({ workloadMs }) => workloadMs)).toEqual([1, 1.01, 1, 1.04]);
  });

  it('may be a little slower where else too few are left', () => {
    expect(steadyRuns(runs(1, 1.09, 1.2), 1)).toHaveLength(2);
  });

  it('are all of a machine that does nothing else', () => {
    const calm = runs(1, 1.02, 1.01, 1.03);
    expect(steadyRuns(calm, usualMs(calm))).toEqual(calm);
  });

  it('are none of a network that never had a good moment', () => {
    expect(steadyRuns(runs(2, 3), 1)).toEqual([]);
  });
});

describe('the watch over a machine', () => {
  it('waits for a good moment', async () => {
    const watch = watched(1, 1, 1, 1, 1, 5, 1, 5, 1, 1);
    for (let turn = 0; turn < 2; turn++) await watch.time();
    expect(await watch.settle()).toBe(1);
  });

  it('goes on when none comes', async () => {
    const watch = watched(1, 1, ...new Array<number>(100).fill(50));
    await watch.time();
    expect(await watch.settle()).toBe(50);
  });

  it('gives each run the slower of the moments before and after it', async () => {
    const timed = await timedRuns(1, async () => [[7], [8]], watched(1, 1, 1, 5));
    expect(timed).toEqual([
      { times: [7], workloadMs: 5 },
      { times: [8], workloadMs: 5 },
    ]);
  });
});
