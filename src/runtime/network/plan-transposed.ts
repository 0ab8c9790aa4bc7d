/** Transposed convolution. */
import { planTransposed, type TransposedDepth, type TransposedLayer, transposedHalo } from '../plan/transposed.ts';
import { shapeOf } from './analysed-model.ts';
import { axisOf, biasOf, windowOf } from './convolution-parts.ts';
import type { Layer } from './layer.ts';
import { slicedExtentsOf } from './layouts.ts';
import { inputOf, type NodePlanner, type PlanContext } from './planner.ts';

type Transposed = Layer<'convTranspose'>;

function transposedLayer(layer: Transposed, context: PlanContext): TransposedLayer {
  const { attrs } = layer.node;
  const inputShape = shapeOf(context.source, inputOf(layer, 0));
  const weightId = inputOf(layer, 1);
  const [, , ...kernel] = shapeOf(context.source, weightId);
  const outputShape = shapeOf(context.source, layer.output);
  const pads = padsOf(layer, context);
  const channelAxis = attrs.channelsLast ? -1 : 1;
  const outChannels = outputShape.at(channelAxis) ?? 1;
  const taps = kernel.reduce((product, extent) => product * extent, 1);
  return {
    inChannels: inputShape.at(channelAxis) ?? 1,
    outChannels,
    ...windowOf(layer, kernel.length, { kernel, pads, extents: spatialOf(outputShape, attrs.channelsLast) }),
    weights: () => scaledTransposed(context.constants.weights(weightId), layer, outChannels, taps),
    bias: biasOf(layer, context, 2),
    epilogue: layer.epilogue,
  };
}

/** Pads before the first output, by spatial axis. */
function padsOf(layer: Transposed, { source }: PlanContext): readonly number[] {
  const { attrs } = layer.node;
  const [, , ...kernel] = shapeOf(source, inputOf(layer, 1));
  const [input, output] = [inputOf(layer, 0), layer.output].map((id) =>
    spatialOf(shapeOf(source, id), attrs.channelsLast),
  );
  return kernel.map((extent, axis) => transposedPad(attrs, [input?.[axis] ?? 1, output?.[axis] ?? 1], extent, axis));
}

/** What the window does along the depth of a volume; null where the input is none. */
function depthOf(layer: Transposed, context: PlanContext): TransposedDepth | null {
  const { attrs } = layer.node;
  const [, , ...kernel] = shapeOf(context.source, inputOf(layer, 1));
  if (kernel.length < 3) return null;
  const [inputs = 1] = spatialOf(shapeOf(context.source, inputOf(layer, 0)), attrs.channelsLast);
  const [outputs = 1] = spatialOf(shapeOf(context.source, layer.output), attrs.channelsLast);
  return {
    kernel: kernel[0] ?? 1,
    stride: attrs.strides[0] ?? 1,
    dilation: attrs.dilations[0] ?? 1,
    pad: padsOf(layer, context)[0] ?? 0,
    inputs,
    outputs,
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
    if (shapeOf(source, inputOf(layer, 0)).length > 5) return 'it has more than three spatial axes';
    if (!constants.isConstant(inputOf(layer, 1))) return 'its weights are no constants';
    return layer.node.attrs.activation === null ? null : `its activation is ${layer.node.attrs.activation}`;
  },
  halos: (layer, context) => {
    const input = inputOf(layer, 0);
    const extents = slicedExtentsOf(shapeOf(context.source, input), axisOf(layer));
    return extents === null ? [] : [[input, transposedHalo(transposedLayer(layer, context), extents)]];
  },
  plan: (layer, values, context) => {
    const x = values.blocked(inputOf(layer, 0), axisOf(layer));
    const y = values.newBlocked(layer.output, axisOf(layer));
    planTransposed(values.builder, transposedLayer(layer, context), depthOf(layer, context), x, y, values.options);
    return 'transposed';
  },
};
