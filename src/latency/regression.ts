/** Least squares for costs: coefficients of work that are never negative. */
import { fcnnlsVector } from 'ml-fcnnls';
import { Matrix } from 'ml-matrix';

/** Residuals beyond this share count linearly instead of squared: a disturbed measurement must not bend the fit. */
const HUBER_SHARE = 0.1;

const REWEIGHTINGS = 3;

/**
 * Coefficients c ≥ 0 that minimise Σ ((X c − y) / (y + floor))²: least squares in relative error. `floor` is what a
 * measurement of nothing would be off by.
 */
export function fitRelative(
  rows: readonly (readonly number[])[],
  y: readonly number[],
  floor: number,
): readonly number[] {
  const columns = rows[0]?.length ?? 0;
  if (columns === 0) return [];
  const weights = y.map((value) => 1 / (value + floor));
  const scales = Array.from({ length: columns }, (_, column) => {
    const sum = rows.reduce((total, row, index) => total + ((row[column] ?? 0) * (weights[index] ?? 0)) ** 2, 0);
    return Math.sqrt(sum) || 1;
  });
  let coefficients: readonly number[] = new Array<number>(columns).fill(0);
  let trust = y.map(() => 1);
  for (let turn = 0; turn <= REWEIGHTINGS; turn++) {
    const scaled = rows.map((row, index) =>
      row.map((value, column) => (value / (scales[column] ?? 1)) * (weights[index] ?? 0) * (trust[index] ?? 0)),
    );
    const target = y.map((value, index) => value * (weights[index] ?? 0) * (trust[index] ?? 0));
    coefficients = nonNegative(scaled, target).map((value, column) => value / (scales[column] ?? 1));
    trust = rows.map((row, index) => {
      const residual = Math.abs(dot(row, coefficients) - (y[index] ?? 0)) * (weights[index] ?? 0);
      return Math.sqrt(1 / Math.max(1, residual / HUBER_SHARE));
    });
  }
  return coefficients;
}

/** Added to the diagonal, as a share: terms that always come together share their cost instead of taking turns. */
const RIDGE = 1e-6;

function nonNegative(rows: readonly (readonly number[])[], y: readonly number[]): readonly number[] {
  const columns = rows[0]?.length ?? 0;
  const ridge = Array.from({ length: columns }, (_, at) =>
    Array.from({ length: columns }, (__, column) => (at === column ? Math.sqrt(RIDGE) : 0)),
  );
  const matrix = new Matrix([...rows, ...ridge].map((row) => [...row]));
  return fcnnlsVector(matrix, [...y, ...ridge.map(() => 0)])
    .K.to1DArray()
    .map((value) => Math.max(0, value));
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}
