/**
 * Convolution weights as sums of products: a slice of R rows by K kernel positions is, by its singular value
 * decomposition, a sum of up to min(R, K) products of a column and a kernel, and its first r terms are the best sum of r
 * products in the least-squares sense (Eckart-Young; for convolutions Network Decoupling, 1808.05517, section 3.2).
 */
import type { LinearAlgebra, SymmetricEigen } from './linear-algebra.ts';

/** How the weights of a convolution fall into slices. A kernel's positions lie side by side in each row. */
export interface Slices {
  readonly count: number;
  readonly rows: number;
  /** K = ∏k. */
  readonly positions: number;
  /** Where a slice's first row begins, and how far apart its rows are, in elements. */
  start(slice: number): number;
  readonly rowStride: number;
}

/** Each slice as a sum of `rank` products, each of a kernel and a factor for every row. */
export interface Factors {
  readonly rank: number;
  /** [slice][term][position] */
  readonly kernels: Float64Array;
  /** [slice][term][row] */
  readonly columns: Float64Array;
}

/** Terms beyond this many change nothing. */
export const exactRank = ({ rows, positions }: Slices): number => Math.min(rows, positions);

/**
 * Share of the weights' squared norm that the best r terms of every slice keep, for r = 1 … K. Null where the weights
 * are not finite.
 */
export function energyByRank(weights: Float32Array, slices: Slices, algebra: LinearAlgebra): readonly number[] | null {
  const { count, positions } = slices;
  const kept = new Float64Array(positions);
  for (let slice = 0; slice < count; slice++) {
    const { values } = decompose(weights, slices, slice, algebra);
    for (const [term, value] of values.entries()) kept[term] = (kept[term] ?? 0) + value;
  }
  const total = kept.reduce((sum, value) => sum + value, 0);
  if (!Number.isFinite(total)) return null;
  let sum = 0;
  return Array.from(kept, (value, term) => {
    sum += value;
    return total === 0 || term + 1 >= exactRank(slices) ? 1 : Math.min(1, sum / total);
  });
}

/** The best `rank` terms of every slice. Kernel and column of a term have the same norm. */
export function factorise(weights: Float32Array, slices: Slices, rank: number, algebra: LinearAlgebra): Factors {
  const { count, rows, positions } = slices;
  const kernels = new Float64Array(count * rank * positions);
  const columns = new Float64Array(count * rank * rows);
  for (let slice = 0; slice < count; slice++) {
    const { values, vectors } = decompose(weights, slices, slice, algebra);
    for (let term = 0; term < Math.min(rank, exactRank(slices)); term++) {
      const scale = (values[term] ?? 0) ** (1 / 4);
      const at = slice * rank + term;
      const kernel = kernels.subarray(at * positions, (at + 1) * positions);
      const column = columns.subarray(at * rows, (at + 1) * rows);
      const [known, sought] = isTall(slices) ? [kernel, column] : [column, kernel];
      const order = known.length;
      for (let index = 0; index < order; index++) known[index] = scale * (vectors[term * order + index] ?? 0);
      if (scale > 0) project(weights, slices, slice, known, sought, scale * scale);
    }
  }
  return { rank, kernels, columns };
}

/** The smaller Gram matrix is decomposed: AᵀA over positions, or AAᵀ over rows. */
const isTall = ({ rows, positions }: Slices): boolean => positions <= rows;

/** Squared singular values of a slice and the singular vectors on its shorter side. */
function decompose(weights: Float32Array, slices: Slices, slice: number, algebra: LinearAlgebra): SymmetricEigen {
  const order = exactRank(slices);
  const gram = isTall(slices) ? gramOfPositions(weights, slices, slice) : gramOfRows(weights, slices, slice);
  if (!gram.every(Number.isFinite)) {
    return { values: new Float64Array(order).fill(Number.NaN), vectors: new Float64Array(order * order) };
  }
  return algebra.symmetricEigen(gram, order);
}

function gramOfPositions(weights: Float32Array, slices: Slices, slice: number): Float64Array {
  const { rows, positions, rowStride } = slices;
  const gram = new Float64Array(positions * positions);
  for (let row = 0, at = slices.start(slice); row < rows; row++, at += rowStride) {
    for (let i = 0; i < positions; i++) {
      const left = weights[at + i] ?? 0;
      for (let j = 0; j <= i; j++)
        gram[i * positions + j] = (gram[i * positions + j] ?? 0) + left * (weights[at + j] ?? 0);
    }
  }
  mirror(gram, positions);
  return gram;
}

function gramOfRows(weights: Float32Array, slices: Slices, slice: number): Float64Array {
  const { rows, positions, rowStride } = slices;
  const gram = new Float64Array(rows * rows);
  const start = slices.start(slice);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < positions; k++) {
        sum += (weights[start + i * rowStride + k] ?? 0) * (weights[start + j * rowStride + k] ?? 0);
      }
      gram[i * rows + j] = sum;
    }
  }
  mirror(gram, rows);
  return gram;
}

/** Copies the lower triangle to the upper one. */
function mirror(matrix: Float64Array, order: number): void {
  for (let i = 0; i < order; i++) for (let j = 0; j < i; j++) matrix[j * order + i] = matrix[i * order + j] ?? 0;
}

/** The other half of a term: the slice times the half that is known, divided by that one's squared norm. */
function project(
  weights: Float32Array,
  slices: Slices,
  slice: number,
  known: Float64Array,
  sought: Float64Array,
  squaredNorm: number,
): void {
  const { rows, positions, rowStride } = slices;
  const ofPositions = isTall(slices);
  for (let row = 0, at = slices.start(slice); row < rows; row++, at += rowStride) {
    for (let k = 0; k < positions; k++) {
      const [from, to] = ofPositions ? [k, row] : [row, k];
      sought[to] = (sought[to] ?? 0) + ((weights[at + k] ?? 0) * (known[from] ?? 0)) / squaredNorm;
    }
  }
}
