/** Convolution, transposed convolution and matrix products with constant weights. */
import { settledPads } from '../../ops/window.ts';
import { isRuntimeUnary } from '../kernels/unary-functions.ts';
import {
  type ConvolutionLayer,
  chooseMethod,
  type Epilogue,
  haloOf,
  LINEAR,
  planConvolution,
} from '../plan/convolution.ts';
import { type DenseLayer, planDense } from '../plan/dense.ts';
import { canFuse, planFused } from '../plan/fused.ts';
import type { ChannelAxis } from '../plan/repacking.ts';
import { planPack, planUnpack } from '../plan/repacking.ts';
import { type Blocked, elementsOf, NO_HALO, newBlocked, newPlain, type Plain } from '../plan/tensor.ts';
import { planTransposed, type TransposedLayer, transposedHalo } from '../plan/transposed.ts';
import { shapeOf } from './analysed-model.ts';
import type { Layer } from './layer.ts';
import { extentsOf } from './layouts.ts';
import { inputOf, type NodePlanner, type PlanContext } from './planner.ts';
import type { NetworkValues } from './values.ts';

type Conv = Layer<'conv'>;
type Transposed = Layer<'convTranspose'>;

const axisOf = ({ node }: Conv | Transposed): ChannelAxis => (node.attrs.channelsLast ? 'last' : 'first');

/** Names of activations that a format may have put into the convolution itself. */
const OWN_ACTIVATIONS: Readonly<Record<string, Epilogue>> = {
  relu: { ...LINEAR, low: 0 },
  relu6: { ...LINEAR, low: 0, high: 6 },
};

function ownEpilogue(activation: string | null): Epilogue | null {
  if (activation === null || activation === '' || activation === 'linear') return LINEAR;
  const name = activation.charAt(0).toLowerCase() + activation.slice(1);
  const known = OWN_ACTIVATIONS[name];
  if (known) return known;
  return isRuntimeUnary(name) && !['leakyRelu', 'hardSigmoid', 'elu', 'celu', 'thresholdedRelu', 'clamp'].includes(name)
    ? { ...LINEAR, activation: name }
    : null;
}

/** Weights times the scale of each output channel, which is the first axis. */
function scaled(weights: Float32Array, layer: Layer, outChannels: number): Float32Array {
  const { affine } = layer;
  if (affine === null) return weights;
  const each = weights.length / outChannels;
  return weights.map((weight, index) => weight * (affine.scale[Math.floor(index / each)] ?? 1));
}

function biasOf(layer: Layer, context: PlanContext, index: number): (() => Float32Array) | null {
  const id = layer.node.inputs[index] ?? null;
  const { affine } = layer;
  if (id === null && affine === null) return null;
  return () => {
    const bias = id === null ? null : floatsOf(context, id);
    if (affine === null) return bias ?? new Float32Array(0);
    return affine.shift.map((shift, i) => shift + (bias?.[i] ?? 0) * (affine.scale[i] ?? 1));
  };
}

function floatsOf({ constants }: PlanContext, id: number): Float32Array {
  const floats = constants.floats(id);
  if (floats === null) throw new Error('A weight is no constant.');
  return floats;
}

/** Height and width of a list by spatial axis, 1-D lists as width. */
function pair(values: readonly number[], axes: number, otherwise: number): readonly [number, number] {
  const at = (axis: number): number => values[axis] ?? otherwise;
  return axes === 1 ? [otherwise, at(0)] : [at(0), at(1)];
}

function spatialPads(layer: Conv | Transposed, spatial: readonly number[], kernel: readonly number[]) {
  const begins = spatial.map((extent, axis) => settledPads(extent, axis, kernel[axis] ?? 1, layer.node.attrs)[0]);
  return pair(begins, spatial.length, 0);
}

export function convolutionLayer(layer: Conv, context: PlanContext): ConvolutionLayer {
  const { node } = layer;
  const { attrs } = node;
  const axis = axisOf(layer);
  const inputShape = shapeOf(context.source, inputOf(layer, 0));
  const weightId = inputOf(layer, 1);
  const weightShape = shapeOf(context.source, weightId);
  const input = extentsOf(inputShape, axis);
  const output = extentsOf(shapeOf(context.source, layer.output), axis);
  if (input === null || output === null) throw new Error(`${node.name} has too many axes.`);
  const axes = inputShape.length - 2;
  const kernel = attrs.weightChannelsLast ? weightShape.slice(1, -1) : weightShape.slice(2);
  const spatial = attrs.channelsLast ? inputShape.slice(1, -1) : inputShape.slice(2);
  const [padTop, padLeft] = spatialPads(layer, spatial, kernel);
  const [strideY, strideX] = pair(attrs.strides, axes, 1);
  const [dilationY, dilationX] = pair(attrs.dilations, axes, 1);
  const [kernelHeight, kernelWidth] = pair(kernel, axes, 1);
  const outChannels = output.channels;
  return {
    inChannels: input.channels,
    outChannels,
    groups: attrs.groups,
    kernelHeight,
    kernelWidth,
    strideY,
    strideX,
    dilationY,
    dilationX,
    padTop,
    padLeft,
    outHeight: output.height,
    outWidth: output.width,
    weights: () => {
      const weights = floatsOf(context, weightId);
      return scaled(attrs.weightChannelsLast ? channelsFirst(weights, weightShape) : weights, layer, outChannels);
    },
    bias: biasOf(layer, context, 2),
    epilogue: layer.epilogue === LINEAR ? (ownEpilogue(attrs.activation) ?? LINEAR) : layer.epilogue,
  };
}

/** O, spatial…, I to O, I, spatial…. */
function channelsFirst(weights: Float32Array, shape: readonly number[]): Float32Array {
  const out = shape[0] ?? 1;
  const input = shape.at(-1) ?? 1;
  const taps = weights.length / (out * input);
  return weights.map((_, index) => {
    const tap = index % taps;
    const row = Math.floor(index / taps);
    return weights[(Math.floor(row / input) * taps + tap) * input + (row % input)] ?? 0;
  });
}

const RANK_REASON = 'it has more than two spatial axes';

export const planConv: NodePlanner<'conv'> = {
  reject: (layer, { source, constants }) => {
    if (shapeOf(source, inputOf(layer, 0)).length > 4) return RANK_REASON;
    if (!constants.isConstant(inputOf(layer, 1))) return 'its weights are computed while it runs';
    if (layer.node.inputs.slice(3).some((id) => id !== null)) return 'it has inputs beyond weights and bias';
    return ownEpilogue(layer.node.attrs.activation) === null
      ? `its activation is ${layer.node.attrs.activation}`
      : null;
  },
  halos: (layer, context) => {
    const input = inputOf(layer, 0);
    const extents = extentsOf(shapeOf(context.source, input), axisOf(layer));
    const convolution = convolutionLayer(layer, context);
    return extents === null ? [] : [[input, haloOf(convolution, chooseMethod(convolution, context.exact), extents)]];
  },
  plan: (layer, values, context) => {
    const convolution = convolutionLayer(layer, context);
    const method = chooseMethod(convolution, context.exact);
    const axis = axisOf(layer);
    const x = values.blocked(inputOf(layer, 0), axis);
    const residual = layer.residual === null ? null : values.blocked(layer.residual, axis);
    const y = values.newBlocked(layer.output, axis);
    planConvolution(values.builder, convolution, method, x, y, residual, values.options);
    return method;
  },
};

/** Whether the two are a depthwise layer and the pointwise one behind it, and worth to be computed together. */
export function isFusible(first: Conv, second: Conv, context: PlanContext, threads: number): boolean {
  const depthwise = convolutionLayer(first, context);
  const pointwise = convolutionLayer(second, context);
  const items = shapeOf(context.source, first.output)[0] ?? 1;
  return (
    inputOf(second, 0) === first.output &&
    axisOf(first) === axisOf(second) &&
    chooseMethod(depthwise, context.exact) === 'depthwise' &&
    chooseMethod(pointwise, context.exact) === 'pointwise' &&
    pointwise.strideX === 1 &&
    pointwise.strideY === 1 &&
    pointwise.outHeight === depthwise.outHeight &&
    pointwise.outWidth === depthwise.outWidth &&
    canFuse(depthwise, pointwise, items, threads)
  );
}

/** Appends the steps of both layers. */
export function planSeparable(first: Conv, second: Conv, values: NetworkValues, context: PlanContext): void {
  const axis = axisOf(first);
  const x = values.blocked(inputOf(first, 0), axis);
  const residual = second.residual === null ? null : values.blocked(second.residual, axis);
  const y = values.newBlocked(second.output, axis);
  const [depthwise, pointwise] = [convolutionLayer(first, context), convolutionLayer(second, context)];
  planFused(values.builder, depthwise, pointwise, x, y, residual, values.options);
}

function transposedLayer(layer: Transposed, context: PlanContext): TransposedLayer {
  const { attrs } = layer.node;
  const inputShape = shapeOf(context.source, inputOf(layer, 0));
  const weightId = inputOf(layer, 1);
  const weightShape = shapeOf(context.source, weightId);
  const outputShape = shapeOf(context.source, layer.output);
  const axes = inputShape.length - 2;
  const kernel = weightShape.slice(2);
  const [input, output] = [inputShape, outputShape].map((shape) => spatialOf(shape, attrs.channelsLast));
  const begins = kernel.map((extent, axis) =>
    transposedPad(attrs, [input?.[axis] ?? 1, output?.[axis] ?? 1], extent, axis),
  );
  const [padTop, padLeft] = pair(begins, axes, 0);
  const [strideY, strideX] = pair(attrs.strides, axes, 1);
  const [dilationY, dilationX] = pair(attrs.dilations, axes, 1);
  const [kernelHeight, kernelWidth] = pair(kernel, axes, 1);
  const [outHeight, outWidth] = pair(output ?? [], axes, 1);
  const channelAxis = attrs.channelsLast ? -1 : 1;
  const outChannels = outputShape.at(channelAxis) ?? 1;
  return {
    inChannels: inputShape.at(channelAxis) ?? 1,
    outChannels,
    groups: attrs.groups,
    kernelHeight,
    kernelWidth,
    strideY,
    strideX,
    dilationY,
    dilationX,
    padTop,
    padLeft,
    outHeight,
    outWidth,
    weights: () => scaledTransposed(floatsOf(context, weightId), layer, outChannels, kernelHeight * kernelWidth),
    bias: biasOf(layer, context, 2),
    epilogue: layer.epilogue,
  };
}

const spatialOf = (shape: readonly number[], channelsLast: boolean): readonly number[] =>
  channelsLast ? shape.slice(1, -1) : shape.slice(2);

/** Pads before the first output; where the output's extent is given, they are what is left over, split as ONNX says. */
function transposedPad(
  attrs: Transposed['node']['attrs'],
  [input, output]: readonly [number, number],
  kernel: number,
  axis: number,
): number {
  if (attrs.padding.mode === 'explicit' && attrs.outputShape === null) return attrs.padding.pads[axis] ?? 0;
  if (attrs.padding.mode === 'valid') return 0;
  const stride = attrs.strides[axis] ?? 1;
  const covered = (kernel - 1) * (attrs.dilations[axis] ?? 1) + 1;
  const full = stride * (input - 1) + (attrs.outputPadding[axis] ?? 0) + covered;
  const total = Math.max(0, full - output);
  return attrs.padding.mode === 'same-upper' ? Math.floor(total / 2) : total - Math.floor(total / 2);
}

/** Transposed weights hold the output channels of a group in their second axis. */
function scaledTransposed(weights: Float32Array, layer: Transposed, outChannels: number, taps: number): Float32Array {
  const { affine } = layer;
  if (affine === null) return weights;
  const { groups } = layer.node.attrs;
  const outPerGroup = outChannels / groups;
  const inPerGroup = weights.length / (outPerGroup * taps) / groups;
  return weights.map((weight, index) => {
    const row = Math.floor(index / taps);
    const group = Math.floor(row / outPerGroup / inPerGroup);
    return weight * (affine.scale[group * outPerGroup + (row % outPerGroup)] ?? 1);
  });
}

export const planConvTranspose: NodePlanner<'convTranspose'> = {
  reject: (layer, { source, constants }) => {
    if (shapeOf(source, inputOf(layer, 0)).length > 4) return RANK_REASON;
    if (!constants.isConstant(inputOf(layer, 1))) return 'its weights are computed while it runs';
    return layer.node.attrs.activation === null ? null : `its activation is ${layer.node.attrs.activation}`;
  },
  halos: (layer, context) => {
    const input = inputOf(layer, 0);
    const extents = extentsOf(shapeOf(context.source, input), axisOf(layer));
    return extents === null ? [] : [[input, transposedHalo(transposedLayer(layer, context), extents)]];
  },
  plan: (layer, values, context) => {
    const x = values.blocked(inputOf(layer, 0), axisOf(layer));
    const y = values.newBlocked(layer.output, axisOf(layer));
    planTransposed(values.builder, transposedLayer(layer, context), x, y, values.options);
    return 'transposed';
  },
};

/** Why a product cannot be run: both operands are computed while it runs, or weights have batch axes. */
function rejectProduct(layer: Layer<'gemm'> | Layer<'matmul'>, { source, constants }: PlanContext): string | null {
  if (!constants.isConstant(inputOf(layer, 1))) return 'it multiplies two computed tensors';
  if (shapeOf(source, inputOf(layer, 1)).length !== 2) return 'its weights have more than two axes';
  const { activation, transposeA } = layer.node.attrs;
  if (activation !== null) return `its activation is ${activation}`;
  if (transposeA) return 'its first operand is transposed';
  // Two axes stay where they are: weights, which have no more, are never rotated.
  if (layer.node.kind === 'matmul' && layer.node.attrs.rotateA && shapeOf(source, inputOf(layer, 0)).length > 2) {
    return 'its first operand is rotated';
  }
  const third = layer.node.inputs[2] ?? null;
  if (third !== null && !constants.isConstant(third)) return 'its third operand is computed while it runs';
  return layer.node.inputs.slice(3).some((id) => id !== null) ? 'it has inputs beyond weights and bias' : null;
}

function denseLayer(layer: Layer<'gemm'> | Layer<'matmul'>, context: PlanContext): DenseLayer {
  const { node } = layer;
  const weightId = inputOf(layer, 1);
  const [rows = 1, columns = 1] = shapeOf(context.source, weightId);
  const { transposeB } = node.attrs;
  const [inFeatures, outFeatures] = transposeB ? [columns, rows] : [rows, columns];
  const { alpha } = node.attrs;
  const { affine } = layer;
  return {
    inFeatures,
    outFeatures,
    weights: () => {
      const matrix = floatsOf(context, weightId);
      return (out, input) =>
        alpha *
        (affine?.scale[out] ?? 1) *
        (matrix[transposeB ? out * inFeatures + input : input * outFeatures + out] ?? 0);
    },
    bias: denseBias(layer, context, outFeatures),
    epilogue: layer.epilogue,
  };
}

function denseBias(layer: Layer<'gemm'> | Layer<'matmul'>, context: PlanContext, outFeatures: number) {
  const id = layer.node.inputs[2] ?? null;
  const { affine, node } = layer;
  if (id === null && affine === null) return null;
  const beta = node.kind === 'gemm' ? node.attrs.beta : 1;
  return (): Float32Array => {
    const given = id === null ? new Float32Array(1) : floatsOf(context, id);
    return Float32Array.from({ length: outFeatures }, (_, out) => {
      const bias = beta * (given[given.length === 1 ? 0 : out] ?? 0);
      return affine ? (affine.shift[out] ?? 0) + bias * (affine.scale[out] ?? 1) : bias;
    });
  };
}

function planProduct(layer: Layer<'gemm'> | Layer<'matmul'>, values: NetworkValues, context: PlanContext): string {
  const dense = denseLayer(layer, context);
  const input = inputOf(layer, 0);
  const shape = values.shape(input);
  if (shape.length === 2) {
    const x = values.blocked(input, 'last');
    planDense(values.builder, dense, x, values.newBlocked(layer.output, 'last'), values.options);
    return 'dense';
  }
  const rows = elementsOf(shape) / dense.inFeatures;
  const source: Plain = { ...values.plain(input), shape: [rows, dense.inFeatures] };
  const x = pixels(values, rows, dense.inFeatures);
  planPack(values.builder, source, x, 'last');
  const y = pixels(values, rows, dense.outFeatures);
  planDense(values.builder, dense, x, y, values.options);
  const target = newPlain(values.builder, values.shape(layer.output));
  planUnpack(values.builder, y, target, 'last');
  values.setPlain(layer.output, target);
  return 'dense';
}

const pixels = ({ builder }: NetworkValues, items: number, channels: number): Blocked =>
  newBlocked(builder, { items, channels, height: 1, width: 1 }, NO_HALO);

export const planGemm: NodePlanner<'gemm'> = { reject: rejectProduct, plan: planProduct };

export const planMatmul: NodePlanner<'matmul'> = { reject: rejectProduct, plan: planProduct };
