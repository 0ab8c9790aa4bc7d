import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FittedHalves, fitSlices } from '../../src/dsc/fit-slices.ts';
import { Moments } from '../../src/dsc/moments.ts';
import { randomFloats } from '../runtime/random.ts';
import { sharedAlgebra } from '../support/rewriting.ts';

const ROWS = 400;
const shape = fc.record({
  channels: fc.integer({ min: 1, max: 4 }),
  rank: fc.integer({ min: 1, max: 3 }),
  positions: fc.integer({ min: 3, max: 5 }),
  outputs: fc.integer({ min: 1, max: 6 }),
});

type Shape = Omit<FittedHalves, 'kernels' | 'columns'>;

const halvesOf = (seed: number, { channels, rank, positions, outputs, ...rest }: Shape): FittedHalves => ({
  ...rest,
  channels,
  rank,
  positions,
  outputs,
  kernels: Float64Array.from(randomFloats(seed, channels * rank * positions)),
  columns: Float64Array.from(randomFloats(seed + 1, outputs * channels * rank)),
});

/** What a separable convolution makes of the taps at one place. */
function outputOf({ channels, rank, positions, kernels, columns }: FittedHalves, taps: Float32Array, output: number) {
  let sum = 0;
  for (let term = 0; term < channels * rank; term++) {
    const factor = columns[output * channels * rank + term] ?? 0;
    for (let k = 0; k < positions; k++) {
      const tap = taps[Math.floor(term / rank) * positions + k] ?? 0;
      sum += factor * (kernels[term * positions + k] ?? 0) * tap;
    }
  }
  return sum;
}

/** Taps that go along with one another, as those of images do. */
function tapsOf(seed: number, length: number): readonly Float32Array[] {
  return Array.from({ length: ROWS }, (_, row) => {
    const [base = 0, ...own] = randomFloats(seed + row, length + 1);
    return Float32Array.from(own, (value) => base / 2 + value + 0.3);
  });
}

function momentsOf(rows: readonly Float32Array[], outputs: number, target: (taps: Float32Array, n: number) => number) {
  const moments = new Moments(rows[0]?.length ?? 0, outputs);
  for (const taps of rows) {
    moments.add(
      (index) => taps[index] ?? 0,
      (n) => target(taps, n),
    );
  }
  return moments;
}

const errorOf = (
  halves: FittedHalves & { readonly bias?: Float64Array },
  rows: readonly Float32Array[],
  target: (taps: Float32Array, n: number) => number,
): number => {
  let sum = 0;
  for (const taps of rows) {
    for (let n = 0; n < halves.outputs; n++) {
      sum += (outputOf(halves, taps, n) + (halves.bias?.[n] ?? 0) - target(taps, n)) ** 2;
    }
  }
  return sum;
};

describe('fitting both halves of a separable convolution', () => {
  it('finds the one that outputs come from, whatever it starts from, where each slice is as free as its rank', async () => {
    const algebra = await sharedAlgebra();
    fc.assert(
      fc.property(shape, fc.nat({ max: 1e6 }), ({ rank: _, ...full }, seed) => {
        const shapeOfAll = { ...full, rank: Math.min(full.positions, full.outputs) };
        const truth = halvesOf(seed, shapeOfAll);
        const rows = tapsOf(seed + 2, full.channels * full.positions);
        const target = (taps: Float32Array, n: number) => outputOf(truth, taps, n) + n;
        const moments = momentsOf(rows, full.outputs, target);
        const fitted = fitSlices(moments, halvesOf(seed + 7, shapeOfAll), algebra);
        const size = errorOf({ ...truth, columns: truth.columns.map(() => 0) }, rows, target);
        expect(errorOf(fitted, rows, target)).toBeLessThan(0.02 * size);
      }),
      { numRuns: 30 },
    );
  });

  it('is never further from the outputs than what it starts from', async () => {
    const algebra = await sharedAlgebra();
    fc.assert(
      fc.property(shape, fc.nat({ max: 1e6 }), (of, seed) => {
        const start = halvesOf(seed, of);
        const rows = tapsOf(seed + 2, of.channels * of.positions);
        const free = randomFloats(seed + 3, of.outputs * of.channels * of.positions);
        const target = (taps: Float32Array, n: number) =>
          taps.reduce((sum, tap, index) => sum + tap * (free[n * taps.length + index] ?? 0), 0);
        const fitted = fitSlices(momentsOf(rows, of.outputs, target), start, algebra);
        expect(errorOf(fitted, rows, target)).toBeLessThanOrEqual(errorOf(start, rows, target) * (1 + 1e-6));
      }),
      { numRuns: 30 },
    );
  });

  it('stays where it is where the channels hold nothing', async () => {
    const start = halvesOf(1, { channels: 2, rank: 1, positions: 3, outputs: 2 });
    const rows = Array.from({ length: ROWS }, () => new Float32Array(6));
    const moments = momentsOf(rows, 2, () => 5);
    const fitted = fitSlices(moments, start, await sharedAlgebra());
    for (const tap of [0, 4]) {
      const taps = new Float32Array(6);
      taps[tap] = 1;
      for (const n of [0, 1]) expect(outputOf(fitted, taps, n)).toBeCloseTo(outputOf(start, taps, n), 6);
    }
    expect(Array.from(fitted.bias)).toEqual([5, 5]);
  });

  it.each([
    ['one row', 1],
    ['rows that are all alike', ROWS],
  ])('finds the bias alone in %s', async (_, count) => {
    const start = halvesOf(1, { channels: 4, rank: 2, positions: 9, outputs: 3 });
    const [row = new Float32Array(36)] = tapsOf(3, 36);
    const rows = Array.from({ length: count }, () => row);
    const fitted = fitSlices(
      momentsOf(rows, 3, (_taps, n) => n),
      start,
      await sharedAlgebra(),
    );
    expect(fitted.kernels).toEqual(start.kernels);
    expect(fitted.columns).toEqual(start.columns);
    for (const n of [0, 1, 2]) expect(outputOf(fitted, row, n) + (fitted.bias[n] ?? 0)).toBeCloseTo(n, 6);
  });

  it('takes channels that hold nothing, and weights of zero', async () => {
    const algebra = await sharedAlgebra();
    const of = { channels: 3, rank: 2, positions: 9, outputs: 4 };
    const start = halvesOf(1, of);
    const rows = tapsOf(3, 27).map((taps) => taps.map((tap, index) => (index < 9 ? 0 : tap)));
    const target = (taps: Float32Array, n: number) => outputOf(halvesOf(5, of), taps, n);
    for (const columns of [start.columns, start.columns.map(() => 0)]) {
      const fitted = fitSlices(momentsOf(rows, 4, target), { ...start, columns }, algebra);
      expect([...fitted.kernels, ...fitted.columns, ...fitted.bias].every(Number.isFinite)).toBe(true);
      expect(errorOf(fitted, rows, target)).toBeLessThanOrEqual(errorOf({ ...start, columns }, rows, target));
    }
  });
});
