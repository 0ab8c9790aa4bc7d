/** Matrix products: with constant weights as dense layers and pointwise convolutions, else of two computed tensors. */
import { MATMUL_ROWS } from '../kernels/matmul.ts';
import { planConvolution } from '../plan/convolution.ts';
import { type ConvolutionLayer, POINTWISE } from '../plan/convolution-layer.ts';
import { chooseMethod } from '../plan/convolution-method.ts';
import { type DenseLayer, planDense } from '../plan/dense.ts';
import { planPack, planUnpack } from '../plan/repacking.ts';
import { planPermuted } from '../plan/strided.ts';
import { type Blocked, elementsOf, NO_HALO, newBlocked, type Plain } from '../plan/tensor.ts';
import { shapeOf } from './analysed-model.ts';
import type { Layer } from './layer.ts';
import { extentsOf } from './layouts.ts';
import { inputOf, type NodePlanner, type PlanContext } from './planner.ts';
import type { NetworkValues } from './values.ts';

type Product = Layer<'gemm'> | Layer<'matmul'>;

/** Why a product cannot be run. */
function reject(layer: Product, context: PlanContext): string | null {
  const { constants, source } = context;
  const { activation } = layer.node.attrs;
  if (activation !== null) return `its activation is ${activation}`;
  const [a, b] = [shapeOf(source, inputOf(layer, 0)), shapeOf(source, inputOf(layer, 1))];
  const third = layer.node.inputs[2] ?? null;
  if (third !== null && !constants.isConstant(third)) return 'its third operand is computed while it runs';
  if (layer.node.inputs.slice(3).some((id) => id !== null)) return 'it has inputs beyond weights and bias';
  // Two axes stay where they are: what has no more is never rotated.
  if (layer.node.kind === 'matmul') {
    const { rotateA, rotateB } = layer.node.attrs;
    if ((rotateA && a.length > 2) || (rotateB && b.length > 2)) return 'one of its operands is rotated';
  }
  if (hasWeights(layer, context)) return null;
  if (third !== null) return 'it adds a bias to the product of two computed tensors';
  return Math.max(a.length, b.length) > MAX_AXES ? `it has more than ${MAX_AXES} axes` : null;
}

const MAX_AXES = 6;

/** The second operand is one constant matrix. */
export const hasWeights = ({ node }: Product, { constants, source }: Omit<PlanContext, 'options'>): boolean => {
  const weights = node.inputs[1] ?? null;
  return weights !== null && constants.isConstant(weights) && shapeOf(source, weights).length === 2;
};

function plan(layer: Product, values: NetworkValues, context: PlanContext): string {
  if (!hasWeights(layer, context)) return planComputed(layer, values);
  const dense = denseLayer(layer, context);
  if (layer.node.attrs.transposeA) {
    planRows(layer, dense, values);
    return 'dense';
  }
  const input = inputOf(layer, 0);
  const shape = values.shape(input);
  if (shape.length === 2) {
    const x = values.blocked(input, 'last');
    planDense(values.builder, dense, x, values.newBlocked(layer.output, 'last'), values.options);
    return 'dense';
  }
  if (extentsOf(shape, 'last') !== null) {
    const x = values.blocked(input, 'last');
    const y = values.newBlocked(layer.output, 'last');
    const convolution = pointwise(dense, y);
    const method = chooseMethod(convolution, values.options);
    planConvolution(values.builder, convolution, method, x, y, null, values.options);
    return method;
  }
  planRows(layer, dense, values);
  return 'dense';
}

/** The product with every row of a tensor as a convolution whose channels are last. */
function pointwise({ inFeatures, outFeatures, weights, bias, epilogue }: DenseLayer, y: Blocked): ConvolutionLayer {
  return {
    ...POINTWISE,
    inChannels: inFeatures,
    outChannels: outFeatures,
    outHeight: y.height,
    outWidth: y.width,
    weights: () => {
      const weightAt = weights();
      return Float32Array.from({ length: outFeatures * inFeatures }, (_, index) =>
        weightAt(Math.floor(index / inFeatures), index % inFeatures),
      );
    },
    bias,
    epilogue,
  };
}

/** A tensor of any number of axes, as items of one pixel. */
function planRows(layer: Product, dense: DenseLayer, values: NetworkValues): void {
  const { builder, options } = values;
  const source = matrices(values, values.plain(inputOf(layer, 0)), layer.node.attrs.transposeA);
  const rows = elementsOf(source.shape) / dense.inFeatures;
  const items = (channels: number): Blocked =>
    newBlocked(builder, { items: rows, channels, height: 1, width: 1 }, NO_HALO);
  const [x, y] = [items(dense.inFeatures), items(dense.outFeatures)];
  planPack(builder, { ...source, shape: [rows, dense.inFeatures] }, x, 'last');
  planDense(builder, dense, x, y, options);
  planUnpack(builder, y, values.newPlain(layer.output), 'last');
}

function denseLayer(layer: Product, context: PlanContext): DenseLayer {
  const { node } = layer;
  const weightId = inputOf(layer, 1);
  const [rows = 1, columns = 1] = shapeOf(context.source, weightId);
  const { transposeB, alpha } = node.attrs;
  const [inFeatures, outFeatures] = transposeB ? [columns, rows] : [rows, columns];
  const { affine } = layer;
  return {
    inFeatures,
    outFeatures,
    weights: () => {
      const matrix = context.constants.weights(weightId);
      return (out, input) =>
        alpha *
        (affine?.scale[out] ?? 1) *
        (matrix[transposeB ? out * inFeatures + input : input * outFeatures + out] ?? 0);
    },
    bias: denseBias(layer, context, outFeatures),
    epilogue: layer.epilogue,
  };
}

function denseBias({ node, affine }: Product, { constants }: PlanContext, outFeatures: number) {
  const id = node.inputs[2] ?? null;
  if (id === null && affine === null) return null;
  const beta = node.kind === 'gemm' ? node.attrs.beta : 1;
  return (): Float32Array => {
    const given = id === null ? new Float32Array(1) : constants.weights(id);
    return Float32Array.from({ length: outFeatures }, (_, out) => {
      const bias = beta * (given[given.length === 1 ? 0 : out] ?? 0);
      return affine ? (affine.shift[out] ?? 0) + bias * (affine.scale[out] ?? 1) : bias;
    });
  };
}

/** The product of two computed tensors, matrix by matrix. */
function planComputed(layer: Product, values: NetworkValues): string {
  const { transposeA, transposeB, alpha } = layer.node.attrs;
  const [left, right] = [values.plain(inputOf(layer, 0)), values.plain(inputOf(layer, 1))];
  // A vector is a matrix of one row in front, and of one column behind; the output lacks that axis.
  const a = matrices(values, left.shape.length === 1 ? { ...left, shape: [1, ...left.shape] } : left, transposeA);
  const b = matrices(values, right.shape.length === 1 ? { ...right, shape: [...right.shape, 1] } : right, transposeB);
  const y = values.newPlain(layer.output);
  const [rows = 1, inner = 1] = a.shape.slice(-2);
  const columns = b.shape.at(-1) ?? 1;
  const vectors = Number(left.shape.length === 1) + Number(right.shape.length === 1);
  const batch = y.shape.slice(0, y.shape.length - 2 + vectors);
  const ofB = batchOffsets(batch, b);
  const offsets = batchOffsets(batch, a).flatMap((ofA, index) => [ofA, ofB[index] ?? 0]);
  const groups = Math.ceil(rows / MATMUL_ROWS);
  values.builder.step('matmul', elementsOf(batch) * groups, {
    a: a.place,
    b: b.place,
    output: y.place,
    table: values.builder.constant(offsets.length, () => Int32Array.from(offsets)),
    rows,
    inner,
    columns,
    groups,
    alpha,
  });
  return 'matmul';
}

/** The tensor with its last two axes in the order of the product. */
function matrices(values: NetworkValues, x: Plain, isTransposed: boolean): Plain {
  if (!isTransposed) return x;
  const axes = [...x.shape.keys()];
  return planPermuted(values.builder, x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
}

/** Byte offset of the operand's matrix for each matrix of the batch, whose axes it repeats where its own are 1. */
function batchOffsets(batch: readonly number[], { shape }: Plain): readonly number[] {
  let offsets = [0];
  let stride = elementsOf(shape) * 4;
  const own = shape.slice(0, -2);
  for (const [axis, extent] of batch.entries()) {
    const ownExtent = own[axis - (batch.length - own.length)] ?? 1;
    stride /= ownExtent;
    const step = ownExtent === 1 ? 0 : stride;
    offsets = offsets.flatMap((offset) => Array.from({ length: extent }, (_, index) => offset + index * step));
  }
  return offsets;
}

export const planGemm: NodePlanner<'gemm'> = { reject, plan };

export const planMatmul: NodePlanner<'matmul'> = { reject, plan };
