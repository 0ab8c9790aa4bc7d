/**
 * Linear least squares with a prior: X minimises Σ ‖X·f − y‖² + λ ‖X − X₀‖² over rows (f, y), by the normal equations
 * (A + λI) (X − X₀)ᵀ = (B − X₀A)ᵀ with A = Σ f·fᵀ, B = Σ y·fᵀ. The last feature is the constant 1: its column of X is the
 * bias, which no prior holds back.
 */
import type { LinearAlgebra } from './linear-algebra.ts';
import type { Moments } from './moments.ts';

/** λ as a share of the mean of A's diagonal: enough that features which hardly vary stay where they were. */
export const RIDGE = 1e-4;

/** X, [target][feature], the bias last. `prior` is X₀ in the same form. */
export function solveLeastSquares(moments: Moments, prior: Float64Array, algebra: LinearAlgebra): Float64Array {
  const { features: order, targets } = moments;
  const gram = moments.gram();
  const right = moments.cross();
  let trace = 0;
  for (let i = 0; i < order; i++) trace += gram[i * order + i] ?? 0;
  for (let n = 0; n < targets; n++) {
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
  const change = algebra.solvePositive(gram, order, right, targets);
  return change === null ? prior : change.map((value, index) => value + (prior[index] ?? 0));
}
