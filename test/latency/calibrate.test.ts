import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/latency/backends/backend.ts';
import { builtin } from '../../src/latency/backends/builtin.ts';
import { calibrate } from '../../src/latency/calibrate.ts';
import type { Machine } from '../../src/latency/profile.ts';

const MACHINE: Machine = { cpu: 'test', cores: 1, arch: 'x', platform: 'x', node: '20.0.0' };

/** Runs nothing: every step takes what its work would cost on a machine whose costs are known. */
function machineOf(cost: (terms: Readonly<Record<string, number>>) => number): Backend {
  return {
    ...builtin,
    open: async () => ({
      variant: 'simd128',
      version: 'test',
      load: async (model, threads) => {
        const planned = builtin.plan(model, { variant: 'simd128', threads });
        return { ...planned, time: () => planned.steps.map(({ terms }) => cost(terms)), close: async () => undefined };
      },
    }),
  };
}

/** A clock that goes on by a tenth of a millisecond whenever it is looked at. */
function clock(): () => number {
  let time = 0;
  return () => {
    time += 0.1;
    return time;
  };
}

const context = (signal: AbortSignal) => ({
  now: clock(),
  date: () => new Date('2026-01-02T03:04:05Z'),
  machine: MACHINE,
  progress: () => undefined,
  signal,
});

describe('a calibration', () => {
  const cost = (terms: Readonly<Record<string, number>>): number => {
    const { multiplyAdds = 0, tiles = 0, units = 0 } = terms;
    return 0.002 + 5e-8 * multiplyAdds + 1e-5 * tiles + 1e-5 * units;
  };

  it('finds the costs of a machine that the model describes', async () => {
    const options = { backend: machineOf(cost), threads: [1], quick: true };
    const profile = await calibrate(options, context(new AbortController().signal));
    expect(profile).toMatchObject({
      backend: 'builtin',
      variant: 'simd128',
      machine: MACHINE,
      calibratedAt: '2026-01-02T03:04:05.000Z',
    });
    const error = profile.fits[0]?.error;
    expect(error?.heldOut).toBeGreaterThan(200);
    expect(error?.medianPercent).toBeLessThan(1);
    expect(error?.within10Percent).toBeGreaterThan(0.95);
  });

  it('has a fit for each number of threads', async () => {
    const options = { backend: machineOf(cost), threads: [1, 2], quick: true };
    const { fits } = await calibrate(options, context(new AbortController().signal));
    expect(fits.map(({ threads }) => threads)).toEqual([1, 2]);
  });

  it('stops when it is told to', async () => {
    const abort = new AbortController();
    abort.abort();
    const options = { backend: machineOf(cost), threads: [1], quick: true };
    await expect(calibrate(options, context(abort.signal))).rejects.toMatchObject({ code: 'interrupted' });
  });
});
