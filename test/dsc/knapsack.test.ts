import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leastLoss, mostSaving, type Option } from '../../src/dsc/knapsack.ts';

const option = fc.record({
  saving: fc.integer({ min: 0, max: 1000 }),
  loss: fc.double({ min: 0, max: 1, noNaN: true }),
});
const items = fc.array(fc.array(option, { maxLength: 4 }), { maxLength: 6 });

/** Tries everything. */
function bruteForce(all: readonly (readonly Option[])[], needed: number): number | null {
  const [first, ...rest] = all;
  if (first === undefined) return needed <= 0 ? 0 : null;
  const losses = [{ saving: 0, loss: 0 }, ...first].flatMap(({ saving, loss }) => {
    const others = bruteForce(rest, needed - saving);
    return others === null ? [] : [loss + others];
  });
  return losses.length === 0 ? null : Math.min(...losses);
}

describe('the least loss', () => {
  it('is that of trying everything, within the excess that is told', () => {
    fc.assert(
      fc.property(items, fc.integer({ min: 0, max: 4000 }), (all, needed) => {
        const expected = bruteForce(all, needed);
        const found = leastLoss(all, needed);
        expect(found === null).toBe(expected === null);
        if (expected === null || found === null) return;
        expect(found.saving).toBeGreaterThanOrEqual(needed);
        expect(found.loss).toBeGreaterThanOrEqual(expected - 1e-9);
        expect(found.loss).toBeLessThanOrEqual(expected + found.excess + 1e-9);
        expect(found.excess).toBeLessThanOrEqual(1e-3);
      }),
      { numRuns: 150 },
    );
  });

  it('is found where taking the best ratio first is not the best', () => {
    const all = [[{ saving: 60, loss: 0.1 }], [{ saving: 100, loss: 0.2 }], [{ saving: 120, loss: 0.3 }]];
    expect(leastLoss(all, 120)?.loss).toBeCloseTo(0.3, 6);
    expect(leastLoss(all, 160)?.taken.map((taken) => taken?.saving)).toEqual([60, 100, undefined]);
  });

  it('is the most saving at the limit, and nothing beyond', () => {
    const all = [
      [
        { saving: 5, loss: 0.1 },
        { saving: 9, loss: 0.9 },
      ],
      [{ saving: 4, loss: 0.2 }],
    ];
    expect(mostSaving(all)).toMatchObject({ saving: 13 });
    expect(leastLoss(all, 13)).toMatchObject({ saving: 13 });
    expect(leastLoss(all, 14)).toBeNull();
  });
});
