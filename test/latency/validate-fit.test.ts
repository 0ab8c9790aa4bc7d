import { describe, expect, it } from 'vitest';
import type { Sample } from '../../src/latency/fit-cost-model.ts';
import { errorsOf, heldOutLayers, threadFit } from '../../src/latency/validate-fit.ts';

const step = (group: string, network: number, layer: number, latencyMs: number): Sample => ({
  work: { group, terms: { call: 1 } },
  latencyMs,
  network,
  layer,
});

describe('layers that no fit has seen', () => {
  it('are sums of steps, under the group that takes most', () => {
    const samples = [step('pack', 0, 0, 1), step('gemm', 0, 0, 4), step('gemm', 1, 0, 3)];
    const held = heldOutLayers(
      samples,
      () =>
        ({ group }) =>
          group === 'gemm' ? 3 : 1,
    );
    expect(held).toEqual([
      { network: 0, group: 'gemm', predictedMs: 4, measuredMs: 5 },
      { network: 1, group: 'gemm', predictedMs: 3, measuredMs: 3 },
    ]);
  });

  it('are left out with a step that other networks do not tell of: unknown is not nothing', () => {
    const steps = [step('gemm', 0, 0, 2), step('rare', 0, 0, 2), step('gemm', 0, 0, 2), step('gemm', 0, 1, 2)];
    const others = Array.from({ length: 20 }, (_, network) => step('gemm', network + 1, 0, 2));
    const held = heldOutLayers([...steps, ...others]).filter(({ network }) => network === 0);
    expect(held).toHaveLength(1);
    expect(held[0]?.measuredMs).toBe(2);
    expect(held[0]?.predictedMs).toBeCloseTo(2, 3);
  });
});

describe('a fit', () => {
  it('is refused where nothing could be timed: errors of no layers are not known', () => {
    expect(() => threadFit(1, [], [], null)).toThrow(/Too little could be timed/);
    expect(() => errorsOf([])).toThrow(/Too little could be timed/);
  });
});
