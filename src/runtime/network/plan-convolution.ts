/** Convolution. */
import { settledPads } from '../../ops/window.ts';
import { BLOCK } from '../kernels/kernel.ts';
import { isPlainUnary } from '../kernels/unary-functions.ts';
import { haloOf, planConvolution } from '../plan/convolution.ts';
import type { ConvolutionLayer } from '../plan/convolution-layer.ts';
import { type ConvolutionMethod, chooseMethod } from '../plan/convolution-method.ts';
import { type Epilogue, LINEAR } from '../plan/epilogue.ts';
import { canFuse, planFused } from '../plan/fused.ts';
import { type DepthWindow, isSliceBySlice, planVolume } from '../plan/volume.ts';
import { shapeOf } from './analysed-model.ts';
import { axisOf, biasOf, windowOf } from './convolution-parts.ts';
import type { Layer } from './layer.ts';
import { slicedExtentsOf } from './layouts.ts';
import { inputOf, type NodePlanner, type PlanContext } from './planner.ts';
import type { NetworkValues } from './values.ts';

type Conv = Layer<'conv'>;

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
  return isPlainUnary(name) ? { ...LINEAR, activation: name } : null;
}

/** Weights times the scale of each output channel, which is the first axis. */
function scaled(weights: Float32Array, layer: Layer, outChannels: number): Float32Array {
  const { affine } = layer;
  if (affine === null) return weights;
  const each = weights.length / outChannels;
  return weights.map((weight, index) => weight * (affine.scale[Math.floor(index / each)] ?? 1));
}

function convolutionLayer(layer: Conv, context: PlanContext): ConvolutionLayer {
  const { attrs } = layer.node;
  const weightId = inputOf(layer, 1);
  const weightShape = shapeOf(context.source, weightId);
  const input = axesOf(shapeOf(context.source, inputOf(layer, 0)), attrs.channelsLast);
  const output = axesOf(shapeOf(context.source, layer.output), attrs.channelsLast);
  const kernel = axesOf(weightShape, attrs.weightChannelsLast).spatial;
  return {
    inChannels: input.channels,
    outChannels: output.channels,
    ...windowOf(layer, input.spatial.length, { kernel, pads: padsOf(layer, context), extents: output.spatial }),
    weights: () => {
      const weights = context.constants.weights(weightId);
      const ordered = attrs.weightChannelsLast ? channelsFirst(weights, weightShape) : weights;
      return scaled(ordered, layer, output.channels);
    },
    bias: biasOf(layer, context, 2),
    epilogue: layer.epilogue === LINEAR ? (ownEpilogue(attrs.activation) ?? LINEAR) : layer.epilogue,
  };
}

/** Pads before the first output, by spatial axis. */
function padsOf({ node: { attrs, inputs } }: Conv, { source }: PlanContext): readonly number[] {
  const [input, weights] = inputs.map((id) => (id === null ? [] : shapeOf(source, id)));
  const kernel = axesOf(weights ?? [], attrs.weightChannelsLast).spatial;
  return axesOf(input ?? [], attrs.channelsLast).spatial.map(
    (extent, axis) => settledPads(extent, axis, kernel[axis] ?? 1, attrs)[0],
  );
}

/** What the window does along the depth of a volume; null where the input is none. */
function depthOf(layer: Conv, context: PlanContext): DepthWindow | null {
  const { attrs } = layer.node;
  const { spatial } = axesOf(shapeOf(context.source, inputOf(layer, 0)), attrs.channelsLast);
  if (spatial.length < 3) return null;
  return {
    kernel: axesOf(shapeOf(context.source, inputOf(layer, 1)), attrs.weightChannelsLast).spatial[0] ?? 1,
    stride: attrs.strides[0] ?? 1,
    dilation: attrs.dilations[0] ?? 1,
    padFront: padsOf(layer, context)[0] ?? 0,
    inDepth: spatial[0] ?? 1,
    outDepth: axesOf(shapeOf(context.source, layer.output), attrs.channelsLast).spatial[0] ?? 1,
  };
}

/** The kernel of the layer: what reaches over several slices is summed directly. */
function methodOf(layer: Conv, convolution: ConvolutionLayer, context: PlanContext): ConvolutionMethod {
  const depth = depthOf(layer, context);
  const method = chooseMethod(convolution, context.options);
  if (depth === null || isSliceBySlice(depth)) return method;
  if (method === 'depthwise' || method === 'depthwise-multiplier') return 'grouped';
  return convolution.groups === 1 ? (convolution.inChannels < BLOCK ? 'direct-image' : 'direct') : method;
}

/** The second axis, or the last, and those behind or before it. */
function axesOf([, ...rest]: readonly number[], channelsLast: boolean) {
  const [channels = 1] = channelsLast ? rest.slice(-1) : rest;
  return { channels, spatial: channelsLast ? rest.slice(0, -1) : rest.slice(1) };
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

export const planConv: NodePlanner<'conv'> = {
  reject: (layer, { source, constants }) => {
    if (shapeOf(source, inputOf(layer, 0)).length > 5) return 'it has more than three spatial axes';
    if (!constants.isConstant(inputOf(layer, 1))) return 'its weights are no constants';
    if (layer.node.inputs.slice(3).some((id) => id !== null)) return 'it has inputs beyond weights and bias';
    return ownEpilogue(layer.node.attrs.activation) === null
      ? `its activation is ${layer.node.attrs.activation}`
      : null;
  },
  halos: (layer, context) => {
    const input = inputOf(layer, 0);
    const extents = slicedExtentsOf(shapeOf(context.source, input), axisOf(layer));
    const convolution = convolutionLayer(layer, context);
    return extents === null ? [] : [[input, haloOf(convolution, methodOf(layer, convolution, context), extents)]];
  },
  plan: (layer, values, context) => {
    const convolution = convolutionLayer(layer, context);
    const method = methodOf(layer, convolution, context);
    const depth = depthOf(layer, context);
    const axis = axisOf(layer);
    const x = values.blocked(inputOf(layer, 0), axis);
    const residual = layer.residual === null ? null : values.blocked(layer.residual, axis);
    const y = values.newBlocked(layer.output, axis);
    if (depth === null || isSliceBySlice(depth)) {
      planConvolution(values.builder, convolution, method, x, y, residual, values.options);
    } else planVolume(values.builder, convolution, depth, method, x, y, residual, values.options);
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
    depthOf(first, context) === null &&
    axisOf(first) === axisOf(second) &&
    chooseMethod(depthwise, context.options) === 'depthwise' &&
    chooseMethod(pointwise, context.options) === 'pointwise' &&
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
