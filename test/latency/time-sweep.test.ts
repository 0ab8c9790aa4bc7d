import { describe, expect, it } from 'vitest';
import type { Backend, OpenBackend, PlannedWork } from '../../src/latency/backends/backend.ts';
import { builtin } from '../../src/latency/backends/builtin.ts';
import { halvesOf, samplesOf, timeSweep } from '../../src/latency/time-sweep.ts';
import type { AnalysedModel } from '../../src/runtime/network/analysed-model.ts';

/** Runs nothing; every step of the n-th run over all takes n milliseconds, and so does the clock. */
function machine() {
  let time = 0;
  const plans = new Map<AnalysedModel, PlannedWork>();
  const opened: OpenBackend = {
    variant: 'simd128',
    version: 'test',
    load: async (model, threads) => {
      const planned = plans.get(model) ?? builtin.plan(model, { variant: 'simd128', threads });
      plans.set(model, planned);
      return {
        ...planned,
        time: () => {
          time += 1;
          return planned.steps.map(() => time);
        },
        close: async () => undefined,
      };
    },
    roofline: async () => ({ flopsPerSecond: 1, bytesPerSecond: 1 }),
  };
  return { opened, now: () => time };
}

const backend: Backend = builtin;
const options = { seed: 1, networks: 14, threads: 1 };
const running = () => ({ progress: () => undefined, signal: new AbortController().signal });

describe('timing a sweep', () => {
  it('comes back to every network, pass after pass', async () => {
    const { opened, now } = machine();
    const swept = await timeSweep(
      backend,
      opened,
      { ...options, untilMs: Number.POSITIVE_INFINITY },
      { now, ...running() },
    );
    expect(swept).toHaveLength(14);
    const [first, second] = swept.map(({ runs }) => runs.map(({ times: [step = 0] }) => step));
    expect(first?.length).toBe(second?.length);
    // The second network was run between the first one's passes.
    expect(Math.min(...(second ?? []))).toBeGreaterThan(Math.min(...(first ?? [])));
    expect(Math.min(...(second ?? []))).toBeLessThan(Math.max(...(first ?? [])));
  });

  it('stops when the time is up, but not before a dozen networks', async () => {
    const { opened, now } = machine();
    const swept = await timeSweep(backend, opened, { ...options, untilMs: 0 }, { now, ...running() });
    expect(swept).toHaveLength(12);
    expect(swept.every(({ runs }) => runs.length > 0)).toBe(true);
  });

  it('counts the runs in good moments', () => {
    const steps = [{ group: 'gemm', terms: {}, layer: 0 }];
    const run = (latencyMs: number, workloadMs: number) => ({ times: [latencyMs], workloadMs });
    const usual = [run(2, 1), run(2.2, 1.05), run(2.1, 1.02)];
    const swept = [
      { steps, runs: [...usual, run(9, 3)] },
      { steps, runs: [run(7, 2)] },
    ];
    expect(samplesOf(swept)).toEqual([{ work: { group: 'gemm', terms: {} }, latencyMs: 2, network: 0, layer: 0 }]);
  });

  it('counts the least disturbed of the others where too few had a good moment', () => {
    const steps = [{ group: 'gemm', terms: {}, layer: 0 }];
    const network = (latencyMs: number, workloadMs: number) => ({ steps, runs: [{ times: [latencyMs], workloadMs }] });
    const swept = [network(4, 3), network(1, 1), network(2, 2)];
    const latencies = (fewest: number) => samplesOf(swept, fewest).map(({ latencyMs }) => latencyMs);
    expect(latencies(1)).toEqual([1]);
    expect(latencies(2)).toEqual([1, 2]);
    expect(latencies(3)).toEqual([4, 1, 2]);
  });

  it('is two measurements by its earlier and later runs', async () => {
    const { opened, now } = machine();
    const swept = await timeSweep(backend, opened, { ...options, untilMs: 0 }, { now, ...running() });
    const [earlier, later] = halvesOf(swept);
    expect([...(earlier?.[0]?.runs ?? []), ...(later?.[0]?.runs ?? [])]).toEqual(swept[0]?.runs);
    expect(earlier?.[0]?.runs.length).toBe(later?.[0]?.runs.length);
  });
});
