import fc from 'fast-check';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { beforeAll, describe, expect, it } from 'vitest';
import { energyByRank, exactRank, factorise } from '../../src/dsc/factorisation.ts';
import { type LinearAlgebra, loadLinearAlgebra } from '../../src/dsc/linear-algebra.ts';
import { STRATEGIES } from '../../src/dsc/strategies/index.ts';
import type { ConvShape, Strategy } from '../../src/dsc/strategies/strategy.ts';
import { randomFloats } from '../runtime/random.ts';

let algebra: LinearAlgebra;

beforeAll(async () => {
  algebra = await loadLinearAlgebra();
});

/** Any convolution, plain or grouped, with few or many filters for its kernel. */
const conv: fc.Arbitrary<ConvShape> = fc
  .record({
    groups: fc.integer({ min: 1, max: 3 }),
    inPerGroup: fc.integer({ min: 1, max: 4 }),
    outPerGroup: fc.integer({ min: 1, max: 12 }),
    kernel: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
  })
  .map(({ groups, inPerGroup, outPerGroup, kernel }) => ({
    groups,
    inChannels: groups * inPerGroup,
    outChannels: groups * outPerGroup,
    kernel,
  }));

const weightsOf = ({ inChannels, outChannels, groups, kernel }: ConvShape, seed: number): Float32Array =>
  randomFloats(seed, (outChannels * inChannels * kernel.reduce((a, b) => a * b, 1)) / groups);

/** The weights of the one convolution that the two halves are together: W[n, m] = Σ P[n, c] · D[c], or D[n] · P[n, m]. */
function composed(shape: ConvShape, strategy: Strategy, rank: number, weights: Float32Array): Float64Array {
  const { inChannels, outChannels, groups } = shape;
  const positions = shape.kernel.reduce((a, b) => a * b, 1);
  const perGroup = inChannels / groups;
  const rows = outChannels / groups;
  const [first, second] = strategy.assemble(shape, factorise(weights, strategy.slices(shape), rank, algebra));
  const isDepthwiseFirst = strategy.halves(shape, rank)[0].isSpatial;
  const whole = new Float64Array(outChannels * perGroup * positions);
  for (let n = 0; n < outChannels; n++) {
    for (let m = 0; m < perGroup; m++) {
      for (let i = 0; i < rank; i++) {
        for (let k = 0; k < positions; k++) {
          const channel = Math.floor(n / rows) * perGroup + m;
          const product = isDepthwiseFirst
            ? (second[(n * perGroup + m) * rank + i] ?? 0) * (first[(channel * rank + i) * positions + k] ?? 0)
            : (first[(n * rank + i) * perGroup + m] ?? 0) * (second[(n * rank + i) * positions + k] ?? 0);
          const at = (n * perGroup + m) * positions + k;
          whole[at] = (whole[at] ?? 0) + product;
        }
      }
    }
  }
  return whole;
}

const squaredNorm = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value * value, 0);

describe.each(STRATEGIES)('factorisation for $name', (strategy) => {
  it('is exact at full rank', () => {
    fc.assert(
      fc.property(conv, fc.nat(), (shape, seed) => {
        const weights = weightsOf(shape, seed);
        const whole = composed(shape, strategy, exactRank(strategy.slices(shape)), weights);
        for (const [index, value] of whole.entries()) expect(value).toBeCloseTo(weights[index] ?? 0, 5);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the energy that it says it keeps, more with every rank', () => {
    fc.assert(
      fc.property(conv, fc.nat(), (shape, seed) => {
        const weights = weightsOf(shape, seed);
        const slices = strategy.slices(shape);
        const energies = energyByRank(weights, slices, algebra) ?? [];
        expect(energies).toHaveLength(slices.positions);
        expect(energies.at(-1)).toBe(1);
        for (let rank = 1; rank <= exactRank(slices); rank++) {
          const energy = energies[rank - 1] ?? 0;
          expect(energy).toBeGreaterThanOrEqual(energies[rank - 2] ?? 0);
          const lost = composed(shape, strategy, rank, weights).map((value, i) => value - (weights[i] ?? 0));
          expect(1 - squaredNorm(lost) / squaredNorm(weights)).toBeCloseTo(energy, 6);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('keeps as much as a singular value decomposition of every slice', () => {
    fc.assert(
      fc.property(conv, fc.nat(), (shape, seed) => {
        const weights = weightsOf(shape, seed);
        const slices = strategy.slices(shape);
        const kept = new Array<number>(slices.positions).fill(0);
        for (let slice = 0; slice < slices.count; slice++) {
          const rows = Array.from({ length: slices.rows }, (_, row) => {
            const start = slices.start(slice) + row * slices.rowStride;
            return Array.from(weights.subarray(start, start + slices.positions));
          });
          const { diagonal } = new SingularValueDecomposition(new Matrix(rows), { autoTranspose: true });
          for (const [term, value] of diagonal.entries())
            if (term < kept.length) kept[term] = (kept[term] ?? 0) + value * value;
        }
        let sum = 0;
        const total = squaredNorm(weights);
        const expected = kept.map((value) => {
          sum += value;
          return sum / total;
        });
        for (const [index, energy] of (energyByRank(weights, slices, algebra) ?? []).entries()) {
          expect(energy).toBeCloseTo(expected[index] ?? 0, 6);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('says nothing of weights that are not finite', () => {
    const shape: ConvShape = { groups: 1, inChannels: 2, outChannels: 4, kernel: [3, 3] };
    const weights = weightsOf(shape, 1);
    weights[5] = Number.NaN;
    expect(energyByRank(weights, strategy.slices(shape), algebra)).toBeNull();
  });

  it('takes weights of zero as they are', () => {
    const shape: ConvShape = { groups: 1, inChannels: 2, outChannels: 4, kernel: [3] };
    const weights = new Float32Array(24);
    expect(energyByRank(weights, strategy.slices(shape), algebra)).toEqual([1, 1, 1]);
    expect(squaredNorm(composed(shape, strategy, 2, weights))).toBe(0);
  });
});

describe('eigenvalues', () => {
  it('come largest first, with their vectors', () => {
    const { values, vectors } = algebra.symmetricEigen(Float64Array.from([2, 1, 1, 2]), 2);
    expect(Array.from(values)).toEqual([3, 1].map((value) => expect.closeTo(value, 12)));
    expect(Math.abs((vectors[0] ?? 0) * (vectors[1] ?? 0))).toBeCloseTo(0.5, 12);
  });
});
