import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dot, fitRelative } from '../../src/latency/regression.ts';

describe('least squares in relative error', () => {
  const rows = fc.array(fc.array(fc.double({ min: 0.1, max: 1000, noNaN: true }), { minLength: 3, maxLength: 3 }), {
    minLength: 12,
    maxLength: 40,
  });
  const costs = fc.array(fc.double({ min: 0.01, max: 10, noNaN: true }), { minLength: 3, maxLength: 3 });

  it('finds costs that explain every measurement', () => {
    fc.assert(
      fc.property(rows, costs, (work, truth) => {
        const times = work.map((row) => dot(row, truth));
        const found = fitRelative(work, times, 0);
        for (const [index, row] of work.entries()) {
          expect(Math.abs(dot(row, found) / (times[index] ?? 0) - 1)).toBeLessThan(0.02);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('never gives a cost below 0', () => {
    // The second term goes along with less time, not with more.
    const found = fitRelative(
      [
        [1, 3],
        [2, 2],
        [3, 1],
        [4, 0.5],
      ],
      [1, 3, 5, 8],
      0,
    );
    for (const cost of found) expect(cost).toBeGreaterThanOrEqual(0);
  });

  it('is not bent by one disturbed measurement', () => {
    const work = Array.from({ length: 30 }, (_, index) => [1, index + 1]);
    const times = work.map(([, amount = 0], index) => (index === 7 ? 40 : 1) * (0.5 + 2 * amount));
    expect(fitRelative(work, times, 0)[1]).toBeCloseTo(2, 1);
  });
});
