/**
 * Linear least squares with a prior: X minimises Σ ‖X·f − y‖² + λ ‖X − X₀‖² over rows (f, y), by the normal equations
 * (A + λI) (X − X₀)ᵀ = (B − X₀A)ᵀ with A = Σ f·fᵀ, B = Σ y·fᵀ. The last feature is the constant 1: its column of X is the
 * bias, which no prior holds back.
 */
import type { LinearAlgebra } from './linear-algebra.ts';

/** Rows that are gathered before A and B take them in: products of long rows are fast. */
const BATCH = 128;

/** λ as a share of the mean of A's diagonal: enough that features which hardly vary stay where they were. */
const RIDGE = 1e-4;

export class LeastSquares {
  /** Features, the constant included. */
  readonly #features: number;
  readonly #targets: number;
  readonly #gram: Float64Array;
  readonly #cross: Float64Array;
  /** [feature][row], [target][row] */
  readonly #featureRows: Float64Array;
  readonly #targetRows: Float64Array;
  #rows = 0;

  constructor(features: number, targets: number) {
    this.#features = features + 1;
    this.#targets = targets;
    this.#gram = new Float64Array(this.#features * this.#features);
    this.#cross = new Float64Array(targets * this.#features);
    this.#featureRows = new Float64Array(this.#features * BATCH);
    this.#targetRows = new Float64Array(targets * BATCH);
  }

  /** Takes in a row: `feature(i)` and `target(n)` give its elements. */
  add(feature: (index: number) => number, target: (index: number) => number): void {
    const row = this.#rows++;
    const last = this.#features - 1;
    for (let i = 0; i < last; i++) this.#featureRows[i * BATCH + row] = feature(i);
    this.#featureRows[last * BATCH + row] = 1;
    for (let n = 0; n < this.#targets; n++) this.#targetRows[n * BATCH + row] = target(n);
    if (this.#rows === BATCH) this.#flush();
  }

  /** X, [target][feature], the bias last. `prior` is X₀ in the same form. */
  solve(prior: Float64Array, algebra: LinearAlgebra): Float64Array {
    this.#flush();
    const order = this.#features;
    const gram = this.#gram.slice();
    let trace = 0;
    for (let i = 0; i < order; i++) {
      trace += gram[i * order + i] ?? 0;
      for (let j = 0; j < i; j++) gram[j * order + i] = gram[i * order + j] ?? 0;
    }
    const right = this.#cross.slice();
    for (let n = 0; n < this.#targets; n++) {
      for (let i = 0; i < order; i++) {
        const held = prior[n * order + i] ?? 0;
        if (held === 0) continue;
        for (let j = 0; j < order; j++) {
          right[n * order + j] = (right[n * order + j] ?? 0) - held * (gram[i * order + j] ?? 0);
        }
      }
    }
    const ridge = (RIDGE * trace) / order + Number.MIN_VALUE;
    for (let i = 0; i < order; i++) {
      gram[i * order + i] = (gram[i * order + i] ?? 0) + (i === order - 1 ? ridge * RIDGE : ridge);
    }
    const change = algebra.solvePositive(gram, order, right, this.#targets);
    return change === null ? prior : change.map((value, index) => value + (prior[index] ?? 0));
  }

  #flush(): void {
    const features = this.#featureRows;
    accumulate(this.#gram, features, features, this.#features, this.#features, this.#rows, true);
    accumulate(this.#cross, this.#targetRows, features, this.#targets, this.#features, this.#rows, false);
    this.#rows = 0;
  }
}

/** sum[i][j] += Σ left[i][row] · right[j][row]; of a symmetric product the lower triangle. */
function accumulate(
  sum: Float64Array,
  left: Float64Array,
  right: Float64Array,
  height: number,
  width: number,
  rows: number,
  isSymmetric: boolean,
): void {
  for (let i = 0; i < height; i++) {
    const from = i * BATCH;
    for (let j = 0; j < (isSymmetric ? i + 1 : width); j++) {
      const to = j * BATCH;
      let product = 0;
      for (let row = 0; row < rows; row++) product += (left[from + row] ?? 0) * (right[to + row] ?? 0);
      sum[i * width + j] = (sum[i * width + j] ?? 0) + product;
    }
  }
}
