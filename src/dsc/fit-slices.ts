/**
 * Both halves of a depthwise separable convolution at once, for the outputs that it should have: weights W' = P·D that
 * minimise Σ ‖W'·x + b − y‖² + λ ‖W' − W₀‖², where the slice W'ₘ of each input channel m is a sum of r products of a column
 * of P and a kernel of D. All that the rows (x, y) tell is in their second moments A = Σ x·xᵀ and B = Σ y·xᵀ, about the
 * means; λ is added to the first, and λ·W₀ to the second.
 *
 * Two steps take turns, and neither ever makes the sum larger. With all other channels held, the best slice of a channel is
 * Tₘ = W'ₘ + (B − W'A)ₘ·Aₘₘ⁻¹, and of rank r it is the truncated singular value decomposition of Tₘ·S with Aₘₘ = S·Sᵀ: the
 * factorisation of weights, in the measure of what the channel really holds. With all kernels held, P is a plain
 * least-squares problem over all channels together.
 */
import { RIDGE } from './least-squares.ts';
import type { LinearAlgebra } from './linear-algebra.ts';
import type { Moments } from './moments.ts';

/** The halves of one group. */
export interface FittedHalves {
  readonly channels: number;
  readonly rank: number;
  /** ∏k. */
  readonly positions: number;
  readonly outputs: number;
  /** D, [channel][term][position]. */
  readonly kernels: Float64Array;
  /** P, [output][channel][term]. */
  readonly columns: Float64Array;
}

/** Turns, at most: each takes as long as the one before, and gains less. */
const MAX_TURNS = 12;

/** A turn that gains less than this share of what all have gained is the last. */
const ENOUGH = 0.01;

/**
 * `moments` are of the taps of all channels, [channel][position], and of the outputs; all finite. Taps that never vary tell
 * of the bias alone.
 */
export function fitSlices(
  moments: Moments,
  start: FittedHalves,
  algebra: LinearAlgebra,
): FittedHalves & { readonly bias: Float64Array } {
  const problem = problemOf(moments, start);
  if (!problem.varies) return { ...start, bias: problem.biasOf(productOf(start)) };
  let state = stateOf(problem, start);
  let gained = 0;
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const next = stateOf(problem, fitColumns(problem, fitChannels(problem, state, algebra), algebra));
    const gain = state.loss - next.loss;
    if (!(gain > 0)) break;
    state = next;
    gained += gain;
    if (gain < ENOUGH * gained) break;
  }
  return { ...state.halves, bias: problem.biasOf(state.weights) };
}

interface Problem {
  /** F: taps of all channels. */
  readonly taps: number;
  /** Whether any tap does: about the means there is nothing else to fit to. */
  readonly varies: boolean;
  /** A + λI, F×F. */
  readonly gram: Float64Array;
  /** B + λW₀, N×F. */
  readonly cross: Float64Array;
  biasOf(weights: Float64Array): Float64Array;
}

/** A variance below this share of the mean square is rounding. */
const ROUNDING = 1e-12;

/** About the means, where the bias falls out: b = ȳ − W'·x̄. */
function problemOf(moments: Moments, start: FittedHalves): Problem {
  const { features, targets: outputs } = moments;
  const taps = features - 1;
  const [gramOfAll, crossOfAll] = [moments.gram(), moments.cross()];
  const rows = gramOfAll[taps * features + taps] || 1;
  const meanTap = Float64Array.from({ length: taps }, (_, i) => (gramOfAll[taps * features + i] ?? 0) / rows);
  const meanOutput = Float64Array.from({ length: outputs }, (_, n) => (crossOfAll[n * features + taps] ?? 0) / rows);
  const gram = new Float64Array(taps * taps);
  let [trace, squares] = [0, 0];
  for (let i = 0; i < taps; i++) {
    for (let j = 0; j < taps; j++) {
      gram[i * taps + j] = (gramOfAll[i * features + j] ?? 0) - (meanTap[i] ?? 0) * (meanTap[j] ?? 0) * rows;
    }
    trace += gram[i * taps + i] ?? 0;
    squares += gramOfAll[i * features + i] ?? 0;
  }
  const ridge = (RIDGE * trace) / taps;
  const held = productOf(start);
  const cross = held.map((weight, at) => {
    const [n, i] = [Math.floor(at / taps), at % taps];
    return (crossOfAll[n * features + i] ?? 0) - rows * (meanOutput[n] ?? 0) * (meanTap[i] ?? 0) + ridge * weight;
  });
  for (let i = 0; i < taps; i++) gram[i * taps + i] = (gram[i * taps + i] ?? 0) + ridge;
  const biasOf = (weights: Float64Array): Float64Array =>
    meanOutput.map((mean, n) => {
      let bias = mean;
      for (let i = 0; i < taps; i++) bias -= (weights[n * taps + i] ?? 0) * (meanTap[i] ?? 0);
      return bias;
    });
  return { taps, varies: trace > ROUNDING * squares, gram, cross, biasOf };
}

/** W' = P·D, N×F. */
function productOf({ channels, rank, positions, outputs, kernels, columns }: FittedHalves): Float64Array {
  const weights = new Float64Array(outputs * channels * positions);
  for (let n = 0; n < outputs; n++) {
    for (let term = 0; term < channels * rank; term++) {
      const factor = columns[n * channels * rank + term] ?? 0;
      const at = (n * channels + Math.floor(term / rank)) * positions;
      for (let k = 0; k < positions; k++) {
        weights[at + k] = (weights[at + k] ?? 0) + factor * (kernels[term * positions + k] ?? 0);
      }
    }
  }
  return weights;
}

/** B − W'A, N×F. */
function residualOf({ taps, gram, cross }: Problem, weights: Float64Array): Float64Array {
  const residual = cross.slice();
  for (let at = 0; at < weights.length; at += taps) {
    for (let i = 0; i < taps; i++) subtractRow(residual, at, gram, i * taps, taps, weights[at + i] ?? 0);
  }
  return residual;
}

/** to[…] −= factor · from[…] */
function subtractRow(
  to: Float64Array,
  toStart: number,
  from: Float64Array,
  fromStart: number,
  length: number,
  factor: number,
): void {
  if (factor === 0) return;
  for (let j = 0; j < length; j++) to[toStart + j] = (to[toStart + j] ?? 0) - factor * (from[fromStart + j] ?? 0);
}

/** Halves with what follows from them. */
interface State {
  readonly halves: FittedHalves;
  /** W' = P·D and B − W'A, N×F. */
  readonly weights: Float64Array;
  readonly residual: Float64Array;
  /** What is minimised, but for Σ ‖y‖²: tr(W'A W'ᵀ) − 2·tr(W'Bᵀ). */
  readonly loss: number;
}

function stateOf(problem: Problem, halves: FittedHalves): State {
  const weights = productOf(halves);
  const residual = residualOf(problem, weights);
  const loss = -weights.reduce((sum, weight, at) => sum + weight * ((problem.cross[at] ?? 0) + (residual[at] ?? 0)), 0);
  return { halves, weights, residual, loss };
}

/** One channel after the other, each with what the others have become. */
function fitChannels({ taps, gram }: Problem, state: State, algebra: LinearAlgebra): FittedHalves {
  const { halves } = state;
  const { channels, rank, positions, outputs } = halves;
  const kernels = halves.kernels.slice();
  const columns = halves.columns.slice();
  const weights = state.weights.slice();
  const residual = state.residual.slice();
  for (let channel = 0; channel < channels; channel++) {
    const first = channel * positions;
    const own = block(gram, taps, first, positions, first, positions);
    const change = algebra.solvePositive(own, positions, block(residual, taps, 0, outputs, first, positions), outputs);
    if (change === null) continue;
    const old = block(weights, taps, 0, outputs, first, positions);
    const sought = change.map((value, at) => value + (old[at] ?? 0));
    const slice = truncated(sought, own, { rank, positions, outputs }, algebra);
    kernels.set(slice.kernels, channel * rank * positions);
    for (let n = 0; n < outputs; n++) {
      const at = n * taps;
      columns.set(slice.columns.subarray(n * rank, (n + 1) * rank), n * channels * rank + channel * rank);
      for (let k = 0; k < positions; k++) {
        let weight = 0;
        for (let term = 0; term < rank; term++) {
          weight += (slice.columns[n * rank + term] ?? 0) * (slice.kernels[term * positions + k] ?? 0);
        }
        const changed = weight - (old[n * positions + k] ?? 0);
        weights[at + first + k] = weight;
        subtractRow(residual, at, gram, (first + k) * taps, taps, changed);
      }
    }
  }
  return { ...halves, kernels, columns };
}

/** Rows and columns of a matrix. */
function block(
  matrix: Float64Array,
  width: number,
  top: number,
  height: number,
  left: number,
  columns: number,
): Float64Array {
  const result = new Float64Array(height * columns);
  for (let row = 0; row < height; row++) {
    const from = (top + row) * width + left;
    result.set(matrix.subarray(from, from + columns), row * columns);
  }
  return result;
}

/** Directions of a channel below this share of its largest tell rounding alone. */
const NOISE = 1e-12;

/** The slice of rank r next to T, N×K, in the measure of A = S·Sᵀ: (T·S)ᵣ·S⁻¹. */
function truncated(
  sought: Float64Array,
  measure: Float64Array,
  { rank, positions, outputs }: Pick<FittedHalves, 'rank' | 'positions' | 'outputs'>,
  algebra: LinearAlgebra,
) {
  const { values, vectors } = algebra.symmetricEigen(measure, positions);
  const scales = values.map((value) => Math.sqrt(Math.max(value, NOISE * (values[0] ?? 0))));
  // T·S, by directions of the measure.
  const stretched = timesRows(sought, vectors, outputs, positions, positions);
  for (const [at, value] of stretched.entries()) stretched[at] = value * (scales[at % positions] ?? 0);
  const terms = algebra.symmetricEigen(squareOf(stretched, positions), positions);
  const kernels = new Float64Array(rank * positions);
  const columns = new Float64Array(outputs * rank);
  for (let term = 0; term < rank; term++) {
    const known = terms.vectors.subarray(term * positions, (term + 1) * positions);
    for (let direction = 0; direction < positions; direction++) {
      const scale = scales[direction] ?? 0;
      const factor = scale > 0 ? (known[direction] ?? 0) / scale : 0;
      subtractRow(kernels, term * positions, vectors, direction * positions, positions, -factor);
    }
    const column = timesRows(stretched, known, outputs, 1, positions);
    for (let n = 0; n < outputs; n++) columns[n * rank + term] = column[n] ?? 0;
  }
  return balanced(kernels, columns, rank, positions, outputs);
}

/** X·Yᵀ of matrices of so many columns. */
function timesRows(left: Float64Array, right: Float64Array, height: number, width: number, columns: number) {
  const result = new Float64Array(height * width);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += (left[i * columns + k] ?? 0) * (right[j * columns + k] ?? 0);
      result[i * width + j] = sum;
    }
  }
  return result;
}

/** Xᵀ·X of a matrix of so many columns. */
function squareOf(matrix: Float64Array, columns: number): Float64Array {
  const square = new Float64Array(columns * columns);
  for (let at = 0; at < matrix.length; at += columns) {
    for (let i = 0; i < columns; i++) subtractRow(square, i * columns, matrix, at, columns, -(matrix[at + i] ?? 0));
  }
  return square;
}

/** Kernel and column of a term get the same norm. */
function balanced(kernels: Float64Array, columns: Float64Array, rank: number, positions: number, outputs: number) {
  for (let term = 0; term < rank; term++) {
    let [kernel, column] = [0, 0];
    for (let k = 0; k < positions; k++) kernel += (kernels[term * positions + k] ?? 0) ** 2;
    for (let n = 0; n < outputs; n++) column += (columns[n * rank + term] ?? 0) ** 2;
    if (kernel === 0 || column === 0) continue;
    const factor = (column / kernel) ** (1 / 4);
    for (let k = 0; k < positions; k++) {
      kernels[term * positions + k] = (kernels[term * positions + k] ?? 0) * factor;
    }
    for (let n = 0; n < outputs; n++) columns[n * rank + term] = (columns[n * rank + term] ?? 0) / factor;
  }
  return { kernels, columns };
}

/** Diagonal that is added to what least squares over the columns inverts, as a share of its mean: terms may be alike. */
const JITTER = 1e-9;

/** P for these kernels: P·(D A Dᵀ) = B Dᵀ. */
function fitColumns({ taps, gram, cross }: Problem, halves: FittedHalves, algebra: LinearAlgebra): FittedHalves {
  const { channels, rank, positions, outputs, kernels } = halves;
  const order = channels * rank;
  const filtered = timesKernels(gram, taps, halves);
  const inner = new Float64Array(order * order);
  let trace = 0;
  for (let term = 0; term < order; term++) {
    for (let other = 0; other <= term; other++) {
      const first = Math.floor(term / rank) * positions;
      let sum = 0;
      for (let k = 0; k < positions; k++) {
        sum += (kernels[term * positions + k] ?? 0) * (filtered[(first + k) * order + other] ?? 0);
      }
      // The same on both sides, to the last digit.
      inner[term * order + other] = sum;
      inner[other * order + term] = sum;
    }
    trace += inner[term * order + term] ?? 0;
  }
  for (let term = 0; term < order; term++) {
    inner[term * order + term] = (inner[term * order + term] ?? 0) + (JITTER * trace) / order + Number.MIN_VALUE;
  }
  const columns = algebra.solvePositive(inner, order, timesKernels(cross, taps, halves), outputs);
  return columns === null ? halves : { ...halves, columns };
}

/** Rows of taps as rows of terms: X·Dᵀ. */
function timesKernels(rows: Float64Array, taps: number, { channels, rank, positions, kernels }: FittedHalves) {
  const order = channels * rank;
  const result = new Float64Array((rows.length / taps) * order);
  for (let row = 0; row < rows.length / taps; row++) {
    for (let term = 0; term < order; term++) {
      const first = row * taps + Math.floor(term / rank) * positions;
      let sum = 0;
      for (let k = 0; k < positions; k++) sum += (rows[first + k] ?? 0) * (kernels[term * positions + k] ?? 0);
      result[row * order + term] = sum;
    }
  }
  return result;
}
