/** What is asked of a linear-algebra library. Matrices are square, row-major, in double precision. */
export interface LinearAlgebra {
  /** Eigenvalues of a symmetric matrix, largest first, with their unit eigenvectors one after the other. */
  symmetricEigen(matrix: Float64Array, order: number): SymmetricEigen;
  /**
   * Solves A·xᵢ = bᵢ for a symmetric positive definite A, by Cholesky's decomposition; the right sides and the solutions
   * lie one after the other. Null where A is not positive definite, or not all is finite.
   */
  solvePositive(matrix: Float64Array, order: number, rightSides: Float64Array, count: number): Float64Array | null;
}

export interface SymmetricEigen {
  readonly values: Float64Array;
  /** `vectors[i * order + k]` is element k of the eigenvector of `values[i]`. */
  readonly vectors: Float64Array;
}

/** Loads the library: only who factorises pays for it. */
export async function loadLinearAlgebra(): Promise<LinearAlgebra> {
  const { CholeskyDecomposition, EigenvalueDecomposition, Matrix } = await import('ml-matrix');
  return {
    symmetricEigen(matrix, order) {
      const decomposed = new EigenvalueDecomposition(Matrix.from1DArray(order, order, matrix), {
        assumeSymmetric: true,
      });
      const { realEigenvalues, eigenvectorMatrix } = decomposed;
      const descending = realEigenvalues.map((_, index) => index);
      descending.sort((a, b) => (realEigenvalues[b] ?? 0) - (realEigenvalues[a] ?? 0));
      const values = Float64Array.from(descending, (column) => Math.max(0, realEigenvalues[column] ?? 0));
      const vectors = new Float64Array(order * order);
      for (const [index, column] of descending.entries())
        vectors.set(eigenvectorMatrix.getColumn(column), index * order);
      return { values, vectors };
    },
    solvePositive(matrix, order, rightSides, count) {
      if (!matrix.every(Number.isFinite)) return null;
      const decomposed = new CholeskyDecomposition(Matrix.from1DArray(order, order, matrix));
      if (!decomposed.isPositiveDefinite()) return null;
      const solved = decomposed.solve(Matrix.from1DArray(count, order, rightSides).transpose());
      const solutions = Float64Array.from(solved.transpose().to1DArray());
      return solutions.every(Number.isFinite) ? solutions : null;
    },
  };
}
