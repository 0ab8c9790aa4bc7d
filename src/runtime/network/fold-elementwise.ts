/** Elementwise arithmetic on constants, done once when a network is loaded. */
import type { Node } from '../../ir/graph.ts';
import type { BinaryFunction } from '../../ir/operators.ts';
import { isRuntimeUnary } from '../kernels/unary-functions.ts';
import { flatIndex, mapCoordinates } from '../reference/indices.ts';
import { referenceUnary } from '../reference/unary.ts';

/** A constant that a node reads. */
export interface Operand {
  readonly floats: Float32Array;
  readonly shape: readonly number[];
}

const BINARY: Partial<Record<BinaryFunction, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: (a, b) => a ** b,
};

/** The result over `shape`; null for an operator that is not folded. Left out inputs are null. */
export function foldElementwise(
  node: Node,
  operands: readonly (Operand | null)[],
  shape: readonly number[],
): Float32Array | null {
  const [first = null, second = null, third = null] = operands;
  if (first === null) return null;
  const at = (operand: Operand, coordinates: readonly number[]): number =>
    operand.floats[flatIndex(operand.shape, coordinates)] ?? 0;
  switch (node.kind) {
    case 'unary': {
      const { fn, alpha, beta } = node.attrs;
      return isRuntimeUnary(fn) ? first.floats.map((x) => referenceUnary(fn, x, alpha ?? 0, beta ?? 0)) : null;
    }
    case 'clip': {
      const low = second?.floats[0] ?? Number.NEGATIVE_INFINITY;
      const high = third?.floats[0] ?? Number.POSITIVE_INFINITY;
      return first.floats.map((x) => Math.min(high, Math.max(low, x)));
    }
    case 'binary': {
      const compute = BINARY[node.attrs.fn];
      if (compute === undefined || second === null || node.attrs.alignAxis !== null) return null;
      return mapCoordinates(shape, (coordinates) => compute(at(first, coordinates), at(second, coordinates)));
    }
    default:
      return null;
  }
}
