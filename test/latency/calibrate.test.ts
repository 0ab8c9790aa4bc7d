import { describe, expect, it } from 'vitest';
import type { Backend, PlannedWork } from '../../src/latency/backends/backend.ts';
import { builtin } from '../../src/latency/backends/builtin.ts';
import { calibrate } from '../../src/latency/calibrate.ts';
import { fitCostModel } from '../../src/latency/fit-cost-model.ts';
import type { Machine } from '../../src/latency/profile.ts';
import { KERNEL_NAMES } from '../../src/runtime/kernels/index.ts';
import type { AnalysedModel } from '../../src/runtime/network/analysed-model.ts';

const MACHINE: Machine = { cpu: 'test', cores: 1, arch: 'x', platform: 'x', node: '20.0.0' };

/** Runs nothing: every step takes what its work would cost on a machine whose costs are known. */
function machineOf(cost: (terms: Readonly<Record<string, number>>) => number): Backend {
  const plans = new Map<AnalysedModel, PlannedWork>();
  return {
    ...builtin,
    open: async () => ({
      variant: 'simd128',
      version: 'test',
      load: async (model, threads) => {
        const planned = plans.get(model) ?? builtin.plan(model, { variant: 'simd128', threads });
        plans.set(model, planned);
        const times = planned.steps.map(({ terms }) => cost(terms));
        return { ...planned, time: () => times, close: async () => undefined };
      },
      roofline: async (threads) => ({ flopsPerSecond: threads * 5e10, bytesPerSecond: 1e10 }),
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
  leftOut: () => undefined,
  signal,
});

describe('a calibration', () => {
  const COSTS: Readonly<Record<string, number>> = { multiplyAdds: 5e-8, tiles: 1e-5, units: 1e-5 };

  /** Kernels that run as one cost what each of them would: their terms are named by position. */
  const cost = (terms: Readonly<Record<string, number>>): number =>
    Object.entries(terms).reduce(
      (sum, [term, amount]) => sum + amount * (COSTS[term.replace(/^\d+\./, '')] ?? 0),
      0.002,
    );

  it('finds the costs of a machine that the model describes', async () => {
    const options = { backend: machineOf(cost), threads: [1], quick: false };
    const profile = await calibrate(options, context(new AbortController().signal));
    expect(profile).toMatchObject({
      backend: 'builtin',
      variant: 'simd128',
      machine: MACHINE,
      calibratedAt: '2026-01-02T03:04:05.000Z',
    });
    const error = profile.fits[0]?.error;
    expect(error?.heldOut).toBeGreaterThan(2000);
    expect(error?.medianPercent).toBeLessThan(0.1);
    expect(error?.within10Percent).toBeGreaterThan(0.99);
  }, 180_000);

  it.each([
    ['whole', builtin.effort.networks.full],
    ['quick', builtin.effort.networks.quick],
    ['cut short', 12],
  ])('meets every kernel of the runtime, %s', async (_, networks) => {
    const planned = (await builtin.sweep(1, networks)).map((model) =>
      builtin.plan(model, { variant: 'simd128', threads: 1 }),
    );
    const met = new Set(
      planned.flatMap(({ steps }) => steps.flatMap(({ group }) => group.replace(/ \(.*\)$/, '').split(' + '))),
    );
    // A sequence goes by the names of its kernels.
    expect(KERNEL_NAMES.filter((name) => !met.has(name))).toEqual(['sequence']);
  });

  it('leaves the costs of a kernel open that a sweep never met', () => {
    expect(fitCostModel([])).toEqual({ groups: {}, functions: {} });
  });

  it('has a fit for each number of threads', async () => {
    const options = { backend: machineOf(cost), threads: [1, 2], quick: true };
    const { fits } = await calibrate(options, context(new AbortController().signal));
    expect(fits.map(({ threads }) => threads)).toEqual([1, 2]);
    expect(fits.map(({ roofline }) => roofline?.flopsPerSecond)).toEqual([5e10, 1e11]);
  }, 180_000);

  it('stops when it is told to', async () => {
    const abort = new AbortController();
    abort.abort();
    const options = { backend: machineOf(cost), threads: [1], quick: true };
    await expect(calibrate(options, context(abort.signal))).rejects.toMatchObject({ code: 'interrupted' });
  });
});
