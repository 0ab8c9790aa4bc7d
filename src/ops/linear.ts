import { type Dim, floorDivideDims } from '../ir/dim.ts';
import { addExact, multiplyExact } from '../ir/exact.ts';
import { countElements } from '../ir/extents.ts';
import { type Fact, type Shape, tensorFact } from '../ir/fact.ts';
import type { LinearAttrs } from '../ir/operators.ts';
import { resultType } from './convolution.ts';
import { einsumExtents, parseEinsum } from './einsum.ts';
import { type Cost, type CostContext, FREE, type InferContext, type OpFamily, ShapeConflict } from './op-def.ts';
import { broadcastShapes, extentAt, extentNumber } from './shape-rules.ts';

/** A constant operand makes it a layer with weights of its own; else two activations meet. */
const denseOrMatmul = (_attrs: unknown, inputs: readonly (Fact | null)[]): 'dense' | 'matmul' =>
  inputs.slice(0, 2).some((input) => input?.type === 'tensor' && input.constant) ? 'dense' : 'matmul';

function swapLast(shape: Shape): Shape {
  if (shape.length < 2) return shape;
  return [...shape.slice(0, -2), extentAt(shape, shape.length - 1), extentAt(shape, shape.length - 2)];
}

/** An operand as it takes part in the product. */
function operandShape(shape: Shape, rotates: boolean, transposes: boolean): Shape {
  const rotated =
    rotates && shape.length > 2
      ? [...shape.slice(1, -1), extentAt(shape, 0), extentAt(shape, shape.length - 1)]
      : shape;
  return transposes ? swapLast(rotated) : rotated;
}

/** NumPy's matmul: a single axis stands for a row on the left, a column on the right, and is dropped from the result. */
function matmulShape(left: Shape | null, right: Shape | null): Shape | null {
  if (left === null || right === null) return null;
  if (left.length === 0 || right.length === 0) throw new ShapeConflict('a scalar in a matrix product');
  const a = left.length === 1 ? [1, ...left] : left;
  const b = right.length === 1 ? [...right, 1] : right;
  const [inner, outer] = [extentAt(a, a.length - 1), extentAt(b, b.length - 2)];
  if (typeof inner === 'number' && typeof outer === 'number' && inner !== outer) {
    throw new ShapeConflict(`${inner} columns meet ${outer} rows`);
  }
  const batch = broadcastShapes([a.slice(0, -2), b.slice(0, -2)]) ?? [];
  const rows = left.length === 1 ? [] : [extentAt(a, a.length - 2)];
  const columns = right.length === 1 ? [] : [extentAt(b, b.length - 1)];
  return [...batch, ...rows, ...columns];
}

type MatmulAttrs = LinearAttrs['matmul'];

function inferMatmul(attrs: MatmulAttrs, context: InferContext): readonly Fact[] {
  const [a, b] = [context.tensor(0).shape, context.tensor(1).shape];
  const left = a && operandShape(a, attrs.rotateA, attrs.transposeA);
  const right = b && operandShape(b, attrs.rotateB, attrs.transposeB);
  return [tensorFact(resultType(attrs.result, context), matmulShape(left, right))];
}

/** MACs: batch × m × n × k. FLOPs beside: bias and activation, 1 an output element each. */
function productCost(
  attrs: Pick<MatmulAttrs, 'transposeA' | 'activation'> & { rotateA?: boolean },
  { inputs, outputs }: CostContext,
): Cost | null {
  const [a, , bias] = inputs;
  const output = outputs[0];
  if (!a || !output) return null;
  const rows = attrs.rotateA && a.shape.length > 2 ? 0 : -2;
  const depth = extentNumber(a, attrs.transposeA && a.shape.length > 1 ? rows : -1);
  const epilogues = [bias, attrs.activation].filter(Boolean).length;
  return { macs: multiplyExact(output.elements, depth), otherFlops: multiplyExact(epilogues, output.elements) };
}

function inferGemm(attrs: LinearAttrs['gemm'], context: InferContext): readonly Fact[] {
  const [a, b] = [context.tensor(0).shape, context.tensor(1).shape];
  const dtype = resultType(attrs.result, context);
  if (a === null || b === null) return [tensorFact(dtype, null)];
  const shape = matmulShape(attrs.transposeA ? swapLast(a) : a, attrs.transposeB ? swapLast(b) : b);
  return [tensorFact(dtype, shape)];
}

function inferEinsum({ equation }: LinearAttrs['einsum'], context: InferContext): readonly Fact[] {
  const shapes = context.inputs.map((_, index) => context.tensor(index).shape);
  const { dtype } = context.tensor(0);
  if (shapes.some((shape) => shape === null)) return [tensorFact(dtype, null)];
  const parsed = parseEinsum(
    equation,
    shapes.map((shape) => shape?.length ?? 0),
  );
  const extents = einsumExtents(
    parsed,
    shapes.map((shape) => shape ?? []),
  );
  return [
    tensorFact(
      dtype,
      parsed.output.map((label) => extents.get(label) ?? 1),
    ),
  ];
}

/** MACs: the product of all distinct index extents; a single operand is only moved and summed. */
function einsumCost({ equation }: LinearAttrs['einsum'], { inputs }: CostContext): Cost | null {
  const shapes = inputs.map((input) => input?.shape ?? []);
  const parsed = parseEinsum(
    equation,
    shapes.map((shape) => shape.length),
  );
  const extents = einsumExtents(parsed, shapes);
  const [only, second] = shapes;
  if (second === undefined) {
    const sums = extents.size > parsed.output.length;
    return { macs: 0, otherFlops: sums && only ? multiplyExact(...only) : 0 };
  }
  return { macs: multiplyExact(...Array.from(extents.values(), Number)), otherFlops: 0 };
}

function inferCol2im(_attrs: LinearAttrs['col2im'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  const image = context.integers(1);
  const block = context.integers(2);
  if (shape === null || image === null || block === null) return [tensorFact(dtype, null)];
  const taps = countElements(block);
  const channels: Dim | null = floorDivideDims(extentAt(shape, 1), taps);
  if (channels === null) throw new ShapeConflict('an empty block');
  return [tensorFact(dtype, [extentAt(shape, 0), channels, ...image])];
}

export const linearOps: OpFamily<LinearAttrs> = {
  matmul: {
    kind: denseOrMatmul,
    roles: { 0: 'weight', 1: 'weight', 2: 'weight' },
    infer: inferMatmul,
    cost: productCost,
  },
  gemm: {
    kind: denseOrMatmul,
    roles: { 0: 'weight', 1: 'weight', 2: 'weight' },
    infer: inferGemm,
    cost: productCost,
  },
  einsum: { kind: denseOrMatmul, roles: { every: 'weight' }, infer: inferEinsum, cost: einsumCost },
  packedMatmul: {
    kind: 'dense',
    roles: { 1: 'weight', 5: 'weight' },
    infer: ({ outFeatures }, context) => {
      const { dtype, shape } = context.tensor(0);
      return [tensorFact(dtype, shape && [...shape.slice(0, -1), outFeatures])];
    },
    cost: ({ inFeatures }, { inputs, outputs }) => {
      const output = outputs[0];
      if (!output) return null;
      return { macs: multiplyExact(output.elements, inFeatures), otherFlops: inputs[5] ? output.elements : 0 };
    },
    weightElements: ({ inFeatures, outFeatures }, index, shape) =>
      index === 1 ? multiplyExact(inFeatures, outFeatures) : multiplyExact(...shape),
  },
  col2im: {
    kind: 'reshape',
    roles: { 0: 'carried' },
    infer: inferCol2im,
    cost: (_attrs, { inputs }) => ({ macs: 0, otherFlops: inputs[0]?.elements ?? 0 }),
  },
  det: {
    kind: 'other',
    roles: {},
    infer: (_attrs, context) => {
      const { dtype, shape } = context.tensor(0);
      return [tensorFact(dtype, shape?.slice(0, -2) ?? null)];
    },
    // Elimination takes about n³/3 multiply-adds; they are no convolution or matrix product, so FLOPs only.
    cost: (_attrs, { inputs }) => {
      const input = inputs[0];
      if (!input) return FREE;
      const order = extentNumber(input, -1);
      return { macs: 0, otherFlops: Math.ceil(addExact(multiplyExact(2, input.elements, order)) / 3) };
    },
  },
};
