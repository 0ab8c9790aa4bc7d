import { describe, expect, it } from 'vitest';
import { fitCostModel, type Sample } from '../../src/latency/fit-cost-model.ts';

/** Steps of one kernel, each with its terms and its time. */
const samplesOf = (steps: readonly (readonly [Readonly<Record<string, number>>, number])[]): readonly Sample[] =>
  steps.map(([terms, latencyMs], network) => ({ work: { group: 'pool', terms }, latencyMs, network, layer: 0 }));

const costs = (samples: readonly Sample[]) => fitCostModel(samples).groups.pool?.coefficients ?? {};

describe('costs of bytes', () => {
  it('are found where they tell', () => {
    const steps = [8192, 65_536, 1e6].map((bytes) => [{ inputFrom32KB: bytes }, 0.01 + bytes * 1e-7] as const);
    expect(costs(samplesOf(steps)).inputFrom32KB).toBeCloseTo(1e-7, 9);
  });

  it('are none of fewer than a page of them, whatever else a disturbed call took', () => {
    const steps = [10, 20, 158].map((bytes) => [{ outputFrom8192KB: bytes }, 0.01 + bytes * 1e-3] as const);
    const { coefficients, measuredUpTo } = fitCostModel(samplesOf(steps)).groups.pool ?? {};
    expect(coefficients).not.toHaveProperty('outputFrom8192KB');
    expect(measuredUpTo).toMatchObject({ outputFrom8192KB: 158 });
  });

  it('are none above what memory can cost: other terms have to tell such times', () => {
    const steps = [5000, 6000, 9000].map((bytes) => [{ inputFrom8192KB: bytes, units: bytes / 100 }, bytes] as const);
    expect(costs(samplesOf(steps))).not.toHaveProperty('inputFrom8192KB');
    expect(costs(samplesOf(steps)).units).toBeCloseTo(100, 0);
  });
});
