/** Norms whose statistics are computed while the network runs: over channels, over planes, over groups of planes. */
import type { ValueId } from '../../ir/graph.ts';
import { BLOCK } from '../kernels/kernel.ts';
import type { Place } from '../plan/program.ts';
import { blocksOf, elementsOf, pixelPlace, planeBytes, rowBytes } from '../plan/tensor.ts';
import { shapeOf } from './analysed-model.ts';
import type { Layer } from './layer.ts';
import { extentsOf, normaliseAxis } from './layouts.ts';
import { inputOf, type NodePlanner, type PlanContext } from './planner.ts';
import type { NetworkValues } from './values.ts';

type Norm = Layer<'layerNorm'> | Layer<'instanceNorm'> | Layer<'groupNorm'>;

/** Learned scales and biases: constants, or left out. */
function rejectParameters({ node }: Norm, { constants }: PlanContext): string | null {
  const given = node.inputs.slice(1, 3).filter((id) => id !== null);
  if (!given.every((id) => constants.isConstant(id))) return 'its scale or bias is no constant';
  return node.outputs.slice(1).some((id) => id !== null) ? 'it also gives its statistics' : null;
}

/** One value a channel; `otherwise` where the input is left out. */
function parameter(values: NetworkValues, id: ValueId | null | undefined, count: number, otherwise: number): Place {
  return values.builder.constant(count, () => {
    const given = id == null ? null : values.constants.floats(id);
    if (given === null) return new Float32Array(count).fill(otherwise);
    return given.length === count
      ? given
      : Float32Array.from({ length: count }, (_, index) => given[index % given.length] ?? 0);
  });
}

interface Rows {
  readonly channels: number;
  readonly inner: number;
  readonly period: number;
  readonly epsilon: number;
  readonly rms: boolean;
}

/** Appends the norm of every row of a row-major tensor. */
function planRows(layer: Norm, values: NetworkValues, { channels, inner, period, epsilon, rms }: Rows): void {
  const { inputs } = layer.node;
  const x = values.plain(inputOf(layer, 0));
  const y = values.newPlain(layer.output);
  values.builder.step('normaliseRows', elementsOf(x.shape) / (channels * inner), {
    input: x.place,
    output: y.place,
    scale: parameter(values, inputs[1], channels * period, 1),
    bias: parameter(values, inputs[2], channels * period, 0),
    channels,
    inner,
    period,
    epsilon,
    rms: Number(rms),
  });
}

export const planLayerNorm: NodePlanner<'layerNorm'> = {
  reject: rejectParameters,
  plan: (layer, values) => {
    const { epsilon, rms, axis } = layer.node.attrs;
    const input = inputOf(layer, 0);
    const shape = values.shape(input);
    const first = normaliseAxis(axis, shape.length);
    const channels = elementsOf(shape.slice(first));
    const isOverChannels = first === shape.length - 1 && values.blockedAxis(input) === 'last' && channels % BLOCK === 0;
    if (isOverChannels && extentsOf(shape, 'last') !== null) planChannels(layer, values);
    else planRows(layer, values, { channels, inner: 1, period: 1, epsilon, rms });
    return 'normalise';
  },
};

/** In blocks: as convolutions around a LayerNorm over channels leave and want their tensors. */
function planChannels(layer: Layer<'layerNorm'>, values: NetworkValues): void {
  const { inputs, attrs } = layer.node;
  const x = values.blocked(inputOf(layer, 0), 'last');
  const y = values.newBlocked(layer.output, 'last');
  values.builder.step('normaliseChannels', x.items * x.height, {
    input: pixelPlace(x, 0, 0),
    output: pixelPlace(y, 0, 0),
    scale: parameter(values, inputs[1], x.channels, 1),
    bias: parameter(values, inputs[2], x.channels, 0),
    blocks: blocksOf(x.channels),
    height: x.height,
    width: x.width,
    inputPlane: planeBytes(x),
    inputRow: rowBytes(x),
    outputPlane: planeBytes(y),
    outputRow: rowBytes(y),
    epsilon: attrs.epsilon,
    rms: Number(attrs.rms),
  });
}

export const planInstanceNorm: NodePlanner<'instanceNorm'> = {
  reject: rejectParameters,
  plan: (layer, values) => {
    const [, channels = 1, ...spatial] = values.shape(inputOf(layer, 0));
    const { epsilon } = layer.node.attrs;
    planRows(layer, values, { channels: 1, inner: elementsOf(spatial), period: channels, epsilon, rms: false });
    return 'normalise';
  },
};

export const planGroupNorm: NodePlanner<'groupNorm'> = {
  reject: (layer, context) => {
    const { groups, activation } = layer.node.attrs;
    const channels = shapeOf(context.source, inputOf(layer, 0))[1] ?? 1;
    // onnxruntime's own, whose channels are last.
    if (activation || layer.node.op === 'GroupNorm') return 'the runtime has no kernel for the contrib form';
    const scale = layer.node.inputs[1] ?? null;
    // Before operator set 21 there was one scale a group.
    const isPerChannel = scale === null || shapeOf(context.source, scale)[0] === channels;
    if (!isPerChannel || channels % groups !== 0) return 'its scale is not one a channel';
    return rejectParameters(layer, context);
  },
  plan: (layer, values) => {
    const [, channels = 1, ...spatial] = values.shape(inputOf(layer, 0));
    const { groups, epsilon } = layer.node.attrs;
    const inner = elementsOf(spatial);
    planRows(layer, values, { channels: channels / groups, inner, period: groups, epsilon, rms: false });
    return 'normalise';
  },
};

export const planLrn: NodePlanner<'lrn'> = {
  plan: (layer, values) => {
    const { size, alpha, beta, bias } = layer.node.attrs;
    const x = values.plain(inputOf(layer, 0));
    const [items = 1, channels = 1, ...spatial] = x.shape;
    const plane = elementsOf(spatial);
    const before = Math.floor((size - 1) / 2);
    values.builder.step('lrn', items * channels, {
      input: x.place,
      output: values.newPlain(layer.output).place,
      scratch: values.builder.buffer(items * channels * Math.ceil(plane / 4) * 16),
      channels,
      plane,
      before,
      behind: size - 1 - before,
      share: alpha / size,
      bias,
      beta,
    });
    return 'normalise';
  },
};
