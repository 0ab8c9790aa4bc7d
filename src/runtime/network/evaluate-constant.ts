/**
 * Operators on constant tensors, evaluated when a model is loaded: what a file makes of its weights before a kernel can
 * use them, such as weight normalisation, dequantisation, or a layout of its own.
 */
import type { DType } from '../../ir/dtype.ts';
import { isFloat, isInteger } from '../../ir/dtype.ts';
import { countElements, stridesOf } from '../../ir/extents.ts';
import type { Node } from '../../ir/graph.ts';
import type { OpAttrs, OpKind, ReduceFunction } from '../../ir/operators.ts';
import { NUMERIC } from '../../ops/evaluate.ts';
import { representable } from '../../ops/evaluate-cast.ts';
import { isRuntimeUnary } from '../kernels/unary-functions.ts';
import { referenceUnary } from '../reference/unary.ts';
import { normaliseAxis } from './layouts.ts';

export interface ConstantTensor {
  readonly shape: readonly number[];
  readonly elements: Float32Array;
}

/** What one output of a node is evaluated from. */
export interface Evaluation {
  readonly inputs: readonly (ConstantTensor | null)[];
  /** Shapes of all outputs, and which of them is asked for. */
  readonly shapes: readonly (readonly number[])[];
  readonly position: number;
  /** Of the output. */
  readonly dtype: DType | null;
}

/** Null where it cannot be told. */
type Evaluate<K extends OpKind> = (attrs: OpAttrs[K], evaluation: Evaluation) => Float32Array | null;

/** Elements and how they are stepped over, outermost axis first. */
interface View {
  readonly elements: Float32Array;
  readonly offset: number;
  readonly strides: readonly number[];
}

const shapeAt = ({ shapes, position }: Evaluation): readonly number[] => shapes[position] ?? [];

/** Where each element of a view lies, in row-major order of `extents`. */
function positions(extents: readonly number[], { offset, strides }: Omit<View, 'elements'>): Int32Array {
  const coordinates = extents.map(() => 0);
  const found = new Int32Array(countElements(extents));
  let at = offset;
  for (let index = 0; index < found.length; index++) {
    found[index] = at;
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      const next = (coordinates[axis] ?? 0) + 1;
      const stride = strides[axis] ?? 0;
      at += stride;
      coordinates[axis] = next;
      if (next < (extents[axis] ?? 1)) break;
      coordinates[axis] = 0;
      at -= stride * next;
    }
  }
  return found;
}

const pick = (elements: Float32Array, from: Int32Array): Float32Array =>
  Float32Array.from(from, (index) => elements[index] ?? 0);

const read = (extents: readonly number[], view: View): Float32Array => pick(view.elements, positions(extents, view));

/** A tensor inside a wider shape, as NumPy broadcasts it. */
function broadcast({ shape, elements }: ConstantTensor, extents: readonly number[]): Float32Array {
  if (shape.join() === extents.join()) return elements;
  const own = stridesOf(shape);
  const shift = extents.length - shape.length;
  const strides = extents.map((_, axis) => (axis < shift || shape[axis - shift] === 1 ? 0 : (own[axis - shift] ?? 0)));
  return read(extents, { elements, offset: 0, strides });
}

const sameElements = (_attrs: unknown, { inputs: [x] }: Evaluation): Float32Array | null => x?.elements ?? null;

const bool = (value: boolean): number => (value ? 1 : 0);

/** Joins tensors element by element. */
function zip(evaluation: Evaluation, join: (...elements: readonly number[]) => number): Float32Array | null {
  const shape = shapeAt(evaluation);
  const operands: Float32Array[] = [];
  for (const input of evaluation.inputs) {
    if (input === null) return null;
    operands.push(broadcast(input, shape));
  }
  return Float32Array.from({ length: countElements(shape) }, (_, index) =>
    join(...operands.map((elements) => elements[index] ?? 0)),
  );
}

const binary: Evaluate<'binary'> = ({ fn, alignAxis }, evaluation) => {
  const rule = NUMERIC[fn];
  if (rule === undefined || alignAxis !== null) return null;
  let isDefined = true;
  const joined = zip(evaluation, (a = 0, b = 0) => {
    const result = rule(a, b, evaluation.dtype);
    isDefined &&= result !== null;
    return result ?? 0;
  });
  return isDefined ? joined : null;
};

const unary: Evaluate<'unary'> = ({ fn, alpha, beta }, { inputs: [x] }) => {
  if (!x || !isRuntimeUnary(fn)) return null;
  return x.elements.map((element) => referenceUnary(fn, element, alpha ?? 0, beta ?? 0));
};

const cast: Evaluate<'cast'> = ({ to }, { inputs: [x] }) => {
  if (!x) return null;
  if (to === 'bool') return x.elements.map((element) => bool(element !== 0));
  return isFloat(to) ? x.elements : x.elements.map(Math.trunc);
};

const transpose: Evaluate<'transpose'> = ({ permutation }, evaluation) => {
  const [x] = evaluation.inputs;
  if (!x) return null;
  const order = permutation ?? x.shape.map((_, axis) => x.shape.length - 1 - axis);
  const own = stridesOf(x.shape);
  const strides = order.map((axis) => own[normaliseAxis(axis, own.length)] ?? 0);
  return read(shapeAt(evaluation), { elements: x.elements, offset: 0, strides });
};

const slice: Evaluate<'slice'> = (_attrs, evaluation) => {
  const [x, starts, , axes, steps] = evaluation.inputs;
  if (!x || !starts) return null;
  const strides = [...stridesOf(x.shape)];
  let offset = 0;
  for (const [index, start] of starts.elements.entries()) {
    const axis = normaliseAxis(axes?.elements[index] ?? index, x.shape.length);
    const step = steps?.elements[index] ?? 1;
    const extent = x.shape[axis] ?? 0;
    const from = Math.max(0, Math.min(start < 0 ? start + extent : start, step > 0 ? extent : extent - 1));
    offset += from * (strides[axis] ?? 0);
    strides[axis] = (strides[axis] ?? 0) * step;
  }
  return read(shapeAt(evaluation), { elements: x.elements, offset, strides });
};

const split: Evaluate<'split'> = ({ axis }, evaluation) => {
  const [x] = evaluation.inputs;
  if (!x) return null;
  const at = normaliseAxis(axis, x.shape.length);
  const strides = stridesOf(x.shape);
  const before = evaluation.shapes.slice(0, evaluation.position).reduce((sum, shape) => sum + (shape[at] ?? 0), 0);
  return read(shapeAt(evaluation), { elements: x.elements, offset: before * (strides[at] ?? 0), strides });
};

const concat: Evaluate<'concat'> = ({ axis, operands }, evaluation) => {
  const shape = shapeAt(evaluation);
  if (operands !== null) return null;
  const at = normaliseAxis(axis, shape.length);
  const joined = new Float32Array(countElements(shape));
  const run = countElements(shape.slice(at));
  let before = 0;
  for (const input of evaluation.inputs) {
    if (input === null) return null;
    const length = countElements(input.shape.slice(at));
    for (let from = 0, to = before; from < input.elements.length; from += length, to += run) {
      joined.set(input.elements.subarray(from, from + length), to);
    }
    before += length;
  }
  return joined;
};

/** Counted from the end where it is negative; null outside of the extent. */
function indexWithin(index: number, extent: number): number | null {
  const position = normaliseAxis(index, extent);
  return position >= 0 && position < extent ? position : null;
}

/** Where the run begins that a tuple of indices leads to; null where one is outside. */
function runAt(tuple: Float32Array, shape: readonly number[], strides: readonly number[]): number | null {
  let start = 0;
  for (const [axis, index] of tuple.entries()) {
    const along = indexWithin(index, shape[axis] ?? 1);
    if (along === null) return null;
    start += along * (strides[axis] ?? 0);
  }
  return start;
}

const gather: Evaluate<'gather'> = ({ axis }, { inputs: [x, indices] }) => {
  if (!x || !indices) return null;
  const at = normaliseAxis(axis, x.shape.length);
  const extent = x.shape[at] ?? 1;
  const inner = countElements(x.shape.slice(at + 1));
  const outer = countElements(x.shape.slice(0, at));
  const picked = new Float32Array(outer * indices.elements.length * inner);
  for (let row = 0, to = 0; row < outer; row++) {
    for (const index of indices.elements) {
      const along = indexWithin(index, extent);
      if (along === null) return null;
      const from = (row * extent + along) * inner;
      picked.set(x.elements.subarray(from, from + inner), to);
      to += inner;
    }
  }
  return picked;
};

const gatherElements: Evaluate<'gatherElements'> = ({ axis }, { inputs: [x, indices] }) => {
  if (!x || !indices) return null;
  const at = normaliseAxis(axis, x.shape.length);
  const strides = stridesOf(x.shape);
  // The index replaces the coordinate along the axis: 0 there, and so many steps on.
  const offset = { offset: 0, strides: strides.map((stride, index) => (index === at ? 0 : stride)) };
  const starts = positions(indices.shape, offset);
  const extent = x.shape[at] ?? 1;
  if (indices.elements.some((index) => indexWithin(index, extent) === null)) return null;
  return Float32Array.from(starts, (start, index) => {
    const along = normaliseAxis(indices.elements[index] ?? 0, extent);
    return x.elements[start + along * (strides[at] ?? 1)] ?? 0;
  });
};

const gatherND: Evaluate<'gatherND'> = ({ batchDims }, { inputs: [x, indices] }) => {
  if (!x || !indices || batchDims !== 0) return null;
  const depth = indices.shape.at(-1) ?? 0;
  const strides = stridesOf(x.shape);
  const run = countElements(x.shape.slice(depth));
  const rows = countElements(indices.shape.slice(0, -1));
  const picked = new Float32Array(rows * run);
  for (let row = 0; row < rows; row++) {
    const from = runAt(indices.elements.subarray(row * depth, row * depth + depth), x.shape, strides);
    if (from === null) return null;
    picked.set(x.elements.subarray(from, from + run), row * run);
  }
  return picked;
};

/** The tensor with its updates in place; each tuple of indices leads to a run of elements. */
const scatterND: Evaluate<'scatterND'> = ({ adds }, { inputs: [x, indices, updates] }) => {
  if (!x || !indices || !updates || adds) return null;
  const depth = indices.shape.at(-1) ?? 0;
  const strides = stridesOf(x.shape);
  const run = countElements(x.shape.slice(depth));
  const scattered = x.elements.slice();
  for (let row = 0; row * depth < indices.elements.length; row++) {
    const to = runAt(indices.elements.subarray(row * depth, row * depth + depth), x.shape, strides);
    if (to === null) return null;
    scattered.set(updates.elements.subarray(row * run, row * run + run), to);
  }
  return scattered;
};

const expand: Evaluate<'expand'> = (_attrs, evaluation) => {
  const [x] = evaluation.inputs;
  return x ? broadcast(x, shapeAt(evaluation)) : null;
};

const tile: Evaluate<'tile'> = (_attrs, evaluation) => {
  const [x] = evaluation.inputs;
  if (!x) return null;
  const repeats = shapeAt(evaluation).map((extent, axis) => extent / (x.shape[axis] ?? 1));
  const strides = stridesOf(x.shape);
  // Each axis as two: how often, and which element.
  return read(
    repeats.flatMap((repeat, axis) => [repeat, x.shape[axis] ?? 1]),
    { elements: x.elements, offset: 0, strides: strides.flatMap((stride) => [0, stride]) },
  );
};

const trilu: Evaluate<'trilu'> = ({ upper }, { inputs: [x, diagonal] }) => {
  if (!x) return null;
  const [rows = 1, columns = 1] = x.shape.slice(-2);
  const k = diagonal?.elements[0] ?? 0;
  return x.elements.map((element, index) => {
    const column = index % columns;
    const row = Math.floor(index / columns) % rows;
    return (upper ? column - row >= k : column - row <= k) ? element : 0;
  });
};

const VARIADIC = {
  max: (elements: readonly number[]) => Math.max(...elements),
  min: (elements: readonly number[]) => Math.min(...elements),
  sum: (elements: readonly number[]) => elements.reduce((sum, element) => sum + element, 0),
  mean: (elements: readonly number[]) => elements.reduce((sum, element) => sum + element, 0) / elements.length,
} as const;

interface Reduction {
  readonly start: number;
  readonly join: (sum: number, element: number) => number;
  readonly finish: (sum: number, count: number) => number;
}

const keep = (sum: number): number => sum;
const add = (sum: number, element: number): number => sum + element;

const REDUCTIONS: Record<ReduceFunction, Reduction> = {
  l1: { start: 0, join: (sum, element) => sum + Math.abs(element), finish: keep },
  l2: { start: 0, join: (sum, element) => sum + element * element, finish: Math.sqrt },
  logSum: { start: 0, join: add, finish: Math.log },
  logSumExp: { start: 0, join: (sum, element) => sum + Math.exp(element), finish: Math.log },
  max: { start: Number.NEGATIVE_INFINITY, join: Math.max, finish: keep },
  mean: { start: 0, join: add, finish: (sum, count) => sum / count },
  min: { start: Number.POSITIVE_INFINITY, join: Math.min, finish: keep },
  prod: { start: 1, join: (product, element) => product * element, finish: keep },
  sum: { start: 0, join: add, finish: keep },
  sumSquare: { start: 0, join: (sum, element) => sum + element * element, finish: keep },
};

const reduce: Evaluate<'reduce'> = ({ fn, noopWithoutAxes }, { inputs: [x, axes] }) => {
  if (!x) return null;
  const given = Array.from(axes?.elements ?? [], (axis) => normaliseAxis(axis, x.shape.length));
  if (given.length === 0 && noopWithoutAxes) return x.elements;
  const isReduced = (axis: number): boolean => given.length === 0 || given.includes(axis);
  const kept = x.shape.map((extent, axis) => (isReduced(axis) ? 1 : extent));
  const strides = stridesOf(kept).map((stride, axis) => (isReduced(axis) ? 0 : stride));
  const { start, join, finish } = REDUCTIONS[fn];
  const sums = new Float64Array(countElements(kept)).fill(start);
  for (const [index, to] of positions(x.shape, { offset: 0, strides }).entries()) {
    sums[to] = join(sums[to] ?? 0, x.elements[index] ?? 0);
  }
  const count = x.elements.length / Math.max(1, sums.length);
  return Float32Array.from(sums, (sum) => finish(sum, count));
};

/** (x − zero point) · scale, with one of both for all, for each index along an axis, or for each block of them. */
const dequantize: Evaluate<'dequantize'> = ({ axis, blockSize }, { inputs: [x, scale, zero] }) => {
  if (!x || !scale) return null;
  const at = normaliseAxis(axis, x.shape.length);
  const isAlongAxis = scale.elements.length > 1;
  const own =
    scale.shape.length === x.shape.length ? stridesOf(scale.shape) : x.shape.map((_, i) => (i === at ? 1 : 0));
  const strides = stridesOf(x.shape);
  return x.elements.map((element, index) => {
    let from = 0;
    if (isAlongAxis) {
      for (const [position, stride] of strides.entries()) {
        const coordinate = Math.floor(index / stride) % (x.shape[position] ?? 1);
        from +=
          (position === at && blockSize > 0 ? Math.floor(coordinate / blockSize) : coordinate) * (own[position] ?? 0);
      }
    }
    return (element - (zero?.elements[from] ?? 0)) * (scale.elements[from] ?? 1);
  });
};

const constantOfShape: Evaluate<'constantOfShape'> = ({ value }, evaluation) =>
  value === null ? null : new Float32Array(countElements(shapeAt(evaluation))).fill(value);

const range: Evaluate<'range'> = (_attrs, evaluation) => {
  const [start, , step] = evaluation.inputs.map((input) => input?.elements[0]);
  if (start === undefined || step === undefined) return null;
  return Float32Array.from({ length: countElements(shapeAt(evaluation)) }, (_, index) => start + index * step);
};

const clip: Evaluate<'clip'> = (_attrs, { inputs: [x, low, high] }) => {
  const least = low?.elements[0] ?? Number.NEGATIVE_INFINITY;
  const most = high?.elements[0] ?? Number.POSITIVE_INFINITY;
  return x?.elements.map((element) => Math.min(most, Math.max(least, element))) ?? null;
};

const EVALUATED: { readonly [K in OpKind]?: Evaluate<K> } = {
  binary,
  cast,
  clip,
  concat,
  constantOfShape,
  dequantize,
  dropout: sameElements,
  expand,
  flatten: sameElements,
  gather,
  gatherElements,
  gatherND,
  identity: sameElements,
  range,
  reduce,
  reshape: sameElements,
  scatterND,
  slice,
  split,
  squeeze: sameElements,
  tile,
  transpose,
  trilu,
  unary,
  unsqueeze: sameElements,
  variadic: ({ fn }, evaluation) => zip(evaluation, (...elements) => VARIADIC[fn](elements)),
  where: (_attrs, evaluation) => zip(evaluation, (condition, a = 0, b = 0) => (condition !== 0 ? a : b)),
};

/** Whether an operator of constants is one itself. */
export function isEvaluated(node: Node): boolean {
  if (node.kind === 'binary') return NUMERIC[node.attrs.fn] !== undefined && node.attrs.alignAxis === null;
  if (node.kind === 'unary') return isRuntimeUnary(node.attrs.fn);
  if (node.kind === 'concat') return node.attrs.operands === null;
  if (node.kind === 'scatterND') return !node.attrs.adds;
  if (node.kind === 'gatherND') return node.attrs.batchDims === 0;
  if (node.kind === 'constantOfShape') return node.attrs.value !== null;
  return EVALUATED[node.kind] !== undefined;
}

/** The elements of one output; null where they cannot be told, or where an integer type would wrap around. */
export function evaluateConstant<K extends OpKind>(node: Node<K>, evaluation: Evaluation): Float32Array | null {
  const evaluate: Evaluate<K> | undefined = EVALUATED[node.kind];
  const elements = evaluate?.(node.attrs, evaluation) ?? null;
  const { dtype } = evaluation;
  const wraps = dtype !== null && isInteger(dtype) && elements?.some((value) => representable(dtype, value) === null);
  return wraps ? null : elements;
}
