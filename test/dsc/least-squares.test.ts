import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { solveLeastSquares } from '../../src/dsc/least-squares.ts';
import { Moments } from '../../src/dsc/moments.ts';
import { randomFloats } from '../runtime/random.ts';
import { sharedAlgebra } from '../support/rewriting.ts';

describe('least squares', () => {
  it('finds the map and the bias that rows come from', async () => {
    const algebra = await sharedAlgebra();
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(),
        (features, targets, seed) => {
          const map = randomFloats(seed, targets * features);
          const bias = randomFloats(seed + 1, targets);
          const rows = randomFloats(seed + 2, 300 * features);
          const moments = new Moments(features, targets);
          for (let row = 0; row < 300; row++) {
            const feature = (index: number) => rows[row * features + index] ?? 0;
            moments.add(feature, (target) => {
              let sum = bias[target] ?? 0;
              for (let index = 0; index < features; index++)
                sum += (map[target * features + index] ?? 0) * feature(index);
              return sum;
            });
          }
          const found = solveLeastSquares(moments, new Float64Array(targets * (features + 1)), algebra);
          for (let target = 0; target < targets; target++) {
            const row = found.subarray(target * (features + 1), (target + 1) * (features + 1));
            for (let index = 0; index < features; index++) {
              expect(row[index]).toBeCloseTo(map[target * features + index] ?? 0, 2);
            }
            expect(row[features]).toBeCloseTo(bias[target] ?? 0, 2);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('has no solution where something is not finite', async () => {
    const { solvePositive } = await sharedAlgebra();
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(solvePositive(Float64Array.of(1, odd, odd, 1), 2, Float64Array.of(1, 1), 1)).toBeNull();
      expect(solvePositive(Float64Array.of(1, 0, 0, 1), 2, Float64Array.of(1, odd), 1)).toBeNull();
    }
  });

  it('stays at its prior where the rows tell nothing', async () => {
    const moments = new Moments(2, 1);
    for (let row = 0; row < 50; row++) {
      moments.add(
        (index) => (index === 0 ? row : 0),
        () => 3 * row + 1,
      );
    }
    const [first, second, bias] = solveLeastSquares(moments, Float64Array.of(2, 7, 0), await sharedAlgebra());
    expect(first).toBeCloseTo(3, 2);
    expect(second).toBeCloseTo(7, 6);
    expect(bias).toBeCloseTo(1, 1);
  });
});
