import { describe, expect, it } from 'vitest';
import { errorShare, interval, spreadOf } from '../../src/latency/intervals.ts';
import { randomSource } from '../../src/runtime/random.ts';

/** Errors of a skewed distribution. */
function errors(seed: number, count: number): readonly number[] {
  const next = randomSource(seed);
  return Array.from({ length: count }, () => (next() - 0.4) * next() * 0.3);
}

describe('an interval from held-out errors', () => {
  it('holds nine of ten new measurements, whatever their distribution', () => {
    let held = 0;
    let all = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const spread = spreadOf(errors(seed, 60));
      for (const error of errors(1000 + seed, 60)) {
        all += 1;
        if (error >= spread.low && error <= spread.high) held += 1;
      }
    }
    expect(held / all).toBeGreaterThan(0.85);
    expect(held / all).toBeLessThan(0.95);
  });

  it('holds the prediction itself, and nothing below 0', () => {
    const { low, high } = interval(0.001, { low: -3, high: -0.1 }, false);
    expect(low).toBe(0);
    expect(high).toBe(0.001);
  });

  it('is wider for a shape far outside the sweep', () => {
    const spread = { low: -0.1, high: 0.1 };
    const [near, far] = [interval(10, spread, false), interval(10, spread, true)];
    expect(far.high - far.low).toBeCloseTo(2 * (near.high - near.low), 6);
  });

  it('measures an error in shares of the prediction', () => {
    expect(errorShare(11, 10)).toBeCloseTo(0.1, 3);
  });
});
