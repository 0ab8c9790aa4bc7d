/** Arithmetic on tracked elements: element by element, whatever is unknown stays unknown. */

import {
  addDims,
  type Dim,
  divideExactly,
  isStatic,
  maxDims,
  minDims,
  multiplyDims,
  staticDifference,
  subtractDims,
} from '../ir/dim.ts';
import { type DType, isFloat } from '../ir/dtype.ts';
import { countElements } from '../ir/extents.ts';
import { type Element, MAX_TRACKED_ELEMENTS, type Shape, staticShape, type TensorFact } from '../ir/fact.ts';
import type { BinaryFunction, ElementwiseAttrs, UnaryFunction } from '../ir/operators.ts';
import { representable } from './evaluate-cast.ts';

/** Functions that shape arithmetic is known to use; the rest are not evaluated. */
const UNARY: Partial<Record<UnaryFunction, (x: number) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  exp: Math.exp,
  floor: Math.floor,
  log: Math.log,
  neg: (x) => -x,
  not: (x) => (x === 0 ? 1 : 0),
  reciprocal: (x) => 1 / x,
  relu: (x) => Math.max(0, x),
  round: roundHalfToEven,
  sign: Math.sign,
  sqrt: Math.sqrt,
  square: (x) => x * x,
};

/** Functions that integers with symbols in them survive. */
const SYMBOLIC_UNARY: Partial<Record<UnaryFunction, (x: Dim) => Dim>> = {
  ceil: (x) => x,
  floor: (x) => x,
  neg: (x) => multiplyDims(x, -1),
  round: (x) => x,
};

/** What two numbers make in a type; null where that is not defined. */
type BinaryRule = (a: number, b: number, dtype: DType | null) => number | null;

const bool = (value: boolean): number => (value ? 1 : 0);

export const NUMERIC: Partial<Record<BinaryFunction, BinaryRule>> = {
  add: (a, b) => a + b,
  and: (a, b) => bool(a !== 0 && b !== 0),
  div: (a, b, dtype) => (dtype === null || isFloat(dtype) ? a / b : b === 0 ? null : Math.trunc(a / b)),
  equal: (a, b) => bool(a === b),
  greater: (a, b) => bool(a > b),
  greaterOrEqual: (a, b) => bool(a >= b),
  less: (a, b) => bool(a < b),
  lessOrEqual: (a, b) => bool(a <= b),
  mul: (a, b) => a * b,
  or: (a, b) => bool(a !== 0 || b !== 0),
  pow: (a, b) => a ** b,
  sub: (a, b) => a - b,
  xor: (a, b) => bool((a !== 0) !== (b !== 0)),
};

/** Null where the outcome depends on the symbols. */
type SymbolicRule = (a: Dim, b: Dim) => Dim | null;

const compare =
  (holds: (difference: number) => boolean): SymbolicRule =>
  (a, b) => {
    const difference = staticDifference(a, b);
    return difference === null ? null : bool(holds(difference));
  };

const SYMBOLIC: Partial<Record<BinaryFunction, SymbolicRule>> = {
  add: addDims,
  sub: subtractDims,
  mul: multiplyDims,
  // Extents are not negative: cutting towards zero and rounding down are the same.
  div: (a, b) => divideExactly(a, b),
  equal: compare((difference) => difference === 0),
  greater: compare((difference) => difference > 0),
  greaterOrEqual: compare((difference) => difference >= 0),
  less: compare((difference) => difference < 0),
  lessOrEqual: compare((difference) => difference <= 0),
};

const COMPARISONS: ReadonlySet<BinaryFunction> = new Set([
  'and',
  'equal',
  'greater',
  'greaterOrEqual',
  'less',
  'lessOrEqual',
  'or',
  'xor',
]);

/** The result is a boolean, whatever the operands are. */
export const isComparison = (fn: BinaryFunction): boolean => COMPARISONS.has(fn);

export function evaluateUnary(
  fn: UnaryFunction,
  elements: readonly Element[],
  dtype: DType | null,
): readonly Element[] | null {
  const numeric = UNARY[fn];
  if (numeric === undefined) return null;
  return elements.map((element) => {
    if (element === null) return null;
    return isStatic(element) ? representable(dtype, numeric(element)) : (SYMBOLIC_UNARY[fn]?.(element) ?? null);
  });
}

export function evaluateBinary(
  { fn, truncates }: ElementwiseAttrs['binary'],
  a: TensorFact,
  b: TensorFact,
  shape: Shape | null,
  dtype: DType | null,
): readonly Element[] | null {
  const operandType = a.dtype ?? b.dtype;
  return broadcastElements([a, b], shape, ([left = null, right = null]) => {
    if (left === null || right === null) return absorbing(fn, left, right);
    if (!isStatic(left) || !isStatic(right)) return SYMBOLIC[fn]?.(left, right) ?? null;
    if (isRounded(left, operandType) || isRounded(right, operandType)) return null;
    const value = fn === 'mod' ? remainder(left, right, truncates) : NUMERIC[fn]?.(left, right, operandType);
    return value === undefined || value === null ? null : representable(dtype, value);
  });
}

/** Beyond 2⁵³ an integer is no longer told from its neighbours. */
function isRounded(value: number, dtype: DType | null): boolean {
  return dtype !== null && !isFloat(dtype) && !Number.isSafeInteger(value);
}

/** A known operand that settles the result alone. */
function absorbing(fn: BinaryFunction, left: Element, right: Element): Element {
  const known = left ?? right;
  if (fn === 'and' && known === 0) return 0;
  return fn === 'or' && known !== null && known !== 0 && isStatic(known) ? 1 : null;
}

function remainder(a: number, b: number, truncates: boolean): number | null {
  if (b === 0) return null;
  return truncates ? a % b : a - Math.floor(a / b) * b;
}

export function evaluateVariadic(
  fn: ElementwiseAttrs['variadic']['fn'],
  operands: readonly TensorFact[],
  shape: Shape | null,
  dtype: DType | null,
): readonly Element[] | null {
  const combine: Readonly<Record<typeof fn, (a: Dim, b: Dim) => Dim>> = {
    max: maxDims,
    min: minDims,
    sum: addDims,
    mean: addDims,
  };
  return broadcastElements(operands, shape, (elements) => {
    const known = elements.filter((element) => element !== null);
    if (known.length < elements.length) return null;
    const result = known.slice(1).reduce<Dim>(combine[fn], known[0] ?? 0);
    if (fn !== 'mean') return result;
    return isStatic(result) ? representable(dtype, result / known.length) : null;
  });
}

/** Where's choice, element by element: an unknown condition is no matter where both sides agree. */
export function selectElements(
  condition: TensorFact,
  a: TensorFact,
  b: TensorFact,
  shape: Shape | null,
): readonly Element[] | null {
  return broadcastElements([condition, a, b], shape, ([choice = null, left = null, right = null]) => {
    if (choice === null) return left !== null && left === right ? left : null;
    return choice === 0 ? right : left;
  });
}

/** Applies a rule to the elements that meet under broadcasting; null where one operand is not tracked. */
export function broadcastElements(
  operands: readonly TensorFact[],
  shape: Shape | null,
  rule: (elements: readonly Element[]) => Element,
): readonly Element[] | null {
  const extents = staticShape(shape);
  if (extents === null) return null;
  const count = countElements(extents);
  if (count > MAX_TRACKED_ELEMENTS) return null;
  const readers: ((index: number) => Element)[] = [];
  for (const { elements, shape: operandShape } of operands) {
    const own = staticShape(operandShape);
    if (elements === null || own === null) return null;
    readers.push(broadcastReader(elements, own, extents));
  }
  return Array.from({ length: count }, (_, index) => rule(readers.map((read) => read(index))));
}

/** Reads an operand's element for a flat index of the broadcast result. */
function broadcastReader(
  elements: readonly Element[],
  own: readonly number[],
  result: readonly number[],
): (index: number) => Element {
  if (elements.length === 1) return () => elements[0] ?? null;
  const offset = result.length - own.length;
  const strides: number[] = new Array(own.length).fill(0);
  let stride = 1;
  for (let axis = own.length - 1; axis >= 0; axis--) {
    strides[axis] = own[axis] === 1 ? 0 : stride;
    stride *= own[axis] ?? 1;
  }
  return (index) => {
    let rest = index;
    let at = 0;
    for (let axis = result.length - 1; axis >= offset; axis--) {
      const extent = result[axis] ?? 1;
      at += (rest % extent) * (strides[axis - offset] ?? 0);
      rest = Math.floor(rest / extent);
    }
    return elements[at] ?? null;
  };
}

function roundHalfToEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
