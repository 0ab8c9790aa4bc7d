/** Joins nodes that one kernel computes: convolution, BatchNorm, a sum with an earlier tensor, an activation. */
import type { Node, ValueId } from '../../ir/graph.ts';
import { isRuntimeUnary } from '../kernels/unary-functions.ts';
import { type Epilogue, LINEAR } from '../plan/epilogue.ts';
import { type AnalysedModel, shapeOf } from './analysed-model.ts';
import type { ConstantValues } from './constants.ts';
import { type ChannelAffine, type Layer, outputOf, plainLayer } from './layer.ts';
import { normaliseAxis } from './layouts.ts';
import { hasWeights } from './plan-matmul.ts';

/** Who reads and writes each value, by node index. */
interface Uses {
  readonly readers: ReadonlyMap<ValueId, readonly number[]>;
  readonly writers: ReadonlyMap<ValueId, number>;
  readonly outputs: ReadonlySet<ValueId>;
}

/** The network's layers in order, made of the nodes that are live. */
export function fuseLayers(
  source: AnalysedModel,
  constants: ConstantValues,
  live: ReadonlySet<number>,
): readonly Layer[] {
  const uses = usesOf(source, live);
  const done = new Set<number>();
  const layers: Layer[] = [];
  for (const [index, node] of source.nodes.entries()) {
    if (!live.has(index) || done.has(index)) continue;
    const layer = grow({ source, constants, uses }, plainLayer(node, index));
    for (const covered of layer.covered) done.add(covered);
    layers.push(layer);
  }
  return layers;
}

/** By index: nodes that an output needs, and that depend on more than constants. */
export function liveNodes({ model, nodes }: AnalysedModel, constants: ConstantValues): ReadonlySet<number> {
  const needed = new Set<ValueId>(model.graph.outputs);
  const live = new Set<number>();
  for (const [index, node] of [...nodes.entries()].reverse()) {
    const written = node.outputs.filter((id) => id !== null && needed.has(id) && !constants.isConstant(id));
    if (written.length === 0) continue;
    live.add(index);
    for (const id of node.inputs) if (id !== null) needed.add(id);
  }
  return live;
}

function usesOf({ model, nodes }: AnalysedModel, live: ReadonlySet<number>): Uses {
  const readers = new Map<ValueId, number[]>();
  const writers = new Map<ValueId, number>();
  for (const [index, node] of nodes.entries()) {
    if (!live.has(index)) continue;
    for (const id of new Set(node.inputs)) {
      if (id !== null) readers.set(id, [...(readers.get(id) ?? []), index]);
    }
    for (const id of node.outputs) if (id !== null) writers.set(id, index);
  }
  return { readers, writers, outputs: new Set(model.graph.outputs) };
}

interface Context {
  readonly source: AnalysedModel;
  readonly constants: ConstantValues;
  readonly uses: Uses;
}

/** What a kind of node can take in behind its own work. */
const TAKES: Partial<
  Record<Node['kind'], { readonly affine: boolean; readonly residual: boolean; readonly any: boolean }>
> = {
  conv: { affine: true, residual: true, any: true },
  convTranspose: { affine: true, residual: false, any: true },
  gemm: { affine: true, residual: false, any: true },
  matmul: { affine: true, residual: false, any: true },
  binary: { affine: false, residual: false, any: false },
};

/** Takes in one following node after the other, as long as the kernel can. */
function grow(context: Context, start: Layer): Layer {
  const takes = TAKES[start.node.kind];
  if (takes === undefined || context.source.nodes[start.index]?.outputs.length !== 1) return start;
  if (isProduct(start) && !hasWeights(start, context)) return start;
  let layer = start;
  for (;;) {
    if (layer.epilogue !== LINEAR) return layer;
    const next =
      (takes.affine && layer.residual === null ? withAffine(context, layer) : null) ??
      (takes.residual && layer.residual === null ? withResidual(context, layer) : null) ??
      withActivation(context, layer, takes.any) ??
      (takes.any ? withGate(context, layer) : null);
    if (next === null) return layer;
    layer = next;
  }
}

const isProduct = (layer: Layer): layer is Layer<'gemm'> | Layer<'matmul'> =>
  layer.node.kind === 'gemm' || layer.node.kind === 'matmul';

/** The only node that reads the layer's output; null where there are several, or the network hands it out. */
function onlyReader({ source, uses }: Context, { output }: Layer): { node: Node; index: number } | null {
  const readers = uses.readers.get(output) ?? [];
  const index = readers[0];
  const node = index === undefined ? undefined : source.nodes[index];
  if (readers.length !== 1 || index === undefined || !node || uses.outputs.has(output)) return null;
  return { node, index };
}

const extend = (layer: Layer, { node, index }: { node: Node; index: number }, change: Partial<Layer>): Layer => ({
  ...layer,
  ...change,
  covered: [...layer.covered, index],
  output: outputOf(node),
});

/** A BatchNorm, or a constant a channel that is added. */
function withAffine(context: Context, layer: Layer): Layer | null {
  const reader = onlyReader(context, layer);
  if (reader === null) return null;
  const affine = affineOf(context, reader.node, layer);
  return affine === null
    ? null
    : extend(layer, reader, { affine: layer.affine ? compose(layer.affine, affine) : affine });
}

function compose(first: ChannelAffine, second: ChannelAffine): ChannelAffine {
  return {
    scale: first.scale.map((scale, i) => scale * (second.scale[i] ?? 1)),
    shift: first.shift.map((shift, i) => shift * (second.scale[i] ?? 1) + (second.shift[i] ?? 0)),
  };
}

function affineOf(context: Context, node: Node, layer: Layer): ChannelAffine | null {
  const input = layer.output;
  if (node.kind === 'batchNorm') {
    // A product's outputs lie along the last axis, and a norm's channels may be another one.
    const isOfChannels =
      node.inputs[0] === input && channelAxisOf(context, node) === channelsOf(context, layer).position;
    return isOfChannels ? batchNormAffine(context.constants, node) : null;
  }
  if (node.kind !== 'binary' || (node.attrs.fn !== 'add' && node.attrs.fn !== 'mul')) return null;
  const other = node.inputs.find((id) => id !== input) ?? null;
  const values = other === null ? null : context.constants.floats(other);
  if (other === null || values === null) return null;
  const shape = shapeOf(context.source, input);
  const channels = channelsOf(context, layer);
  const perChannel = spread(values, shapeOf(context.source, other), shape, channels);
  if (perChannel === null) return null;
  const constant = (value: number): Float32Array => new Float32Array(channels.extent).fill(value);
  return node.attrs.fn === 'add'
    ? { scale: constant(1), shift: perChannel }
    : { scale: perChannel, shift: constant(0) };
}

/** scale = γ / √(variance + ε), shift = β − mean · scale. */
export function batchNormAffine(
  constants: ConstantValues,
  node: Extract<Node, { kind: 'batchNorm' }>,
): ChannelAffine | null {
  const [gamma, beta, mean, variance] = node.inputs
    .slice(1, 5)
    .map((id) => (id === null ? null : constants.floats(id)));
  if (!gamma || !beta || !mean || !variance || node.attrs.training) return null;
  const scale = gamma.map((value, i) => value / Math.sqrt((variance[i] ?? 1) + node.attrs.epsilon));
  return { scale, shift: beta.map((value, i) => value - (mean[i] ?? 0) * (scale[i] ?? 1)) };
}

const channelAxisOf = ({ source }: Context, { attrs, outputs }: Extract<Node, { kind: 'batchNorm' }>): number =>
  normaliseAxis(attrs.channelAxis, shapeOf(source, outputs[0] ?? 0).length);

interface Channels {
  readonly position: number;
  readonly extent: number;
}

/** Where the layer's output channels are. */
function channelsOf({ source }: Context, { node, output }: Layer): Channels {
  const shape = shapeOf(source, output);
  const isConvolution = node.kind === 'conv' || node.kind === 'convTranspose';
  const isLast = isConvolution ? node.attrs.channelsLast : node.kind === 'gemm' || node.kind === 'matmul';
  const position = isLast ? shape.length - 1 : 1;
  return { position, extent: shape[position] ?? 1 };
}

/** One value a channel from a tensor that is 1 along every other axis; null where it is not. */
function spread(
  values: Float32Array,
  shape: readonly number[],
  target: readonly number[],
  { position, extent }: Channels,
): Float32Array | null {
  if (values.length === 1) return new Float32Array(extent).fill(values[0] ?? 0);
  const axis = position - (target.length - shape.length);
  const isOneElsewhere = shape.every((size, index) => index === axis || size === 1);
  return isOneElsewhere && values.length === extent ? values : null;
}

/** A sum with a tensor of the same shape that is computed before the layer. */
function withResidual(context: Context, layer: Layer): Layer | null {
  const reader = onlyReader(context, layer);
  if (reader === null || !canAddResidual(layer)) return null;
  const { node } = reader;
  const isSum =
    (node.kind === 'binary' || node.kind === 'variadic') && (node.attrs.fn === 'add' || node.attrs.fn === 'sum');
  const other = node.inputs.find((id) => id !== layer.output) ?? null;
  if (!isSum || node.inputs.length !== 2 || other === null || context.constants.isConstant(other)) return null;
  const writer = context.uses.writers.get(other) ?? -1;
  if (writer >= layer.index) return null;
  const same = shapeOf(context.source, other).join() === shapeOf(context.source, layer.output).join();
  return same ? extend(layer, reader, { residual: other }) : null;
}

/** Depthwise kernels add nothing: they are bound by memory already. */
const canAddResidual = ({ node }: Layer): boolean => node.kind === 'conv' && node.attrs.groups === 1;

function withActivation(context: Context, layer: Layer, any: boolean): Layer | null {
  const reader = onlyReader(context, layer);
  if (reader === null || reader.node.inputs[0] !== layer.output) return null;
  const epilogue = activationOf(reader.node, context.constants);
  if (epilogue === null || (!any && epilogue.activation !== null)) return null;
  return extend(layer, reader, { epilogue });
}

/** The node as a clamp or a function of one variable; null where it is neither. */
export function activationOf(node: Node, constants: ConstantValues): Epilogue | null {
  if (node.kind === 'clip') {
    const bound = (id: ValueId | null | undefined, otherwise: number): number | null =>
      id === null || id === undefined ? otherwise : (constants.numbers(id)?.[0] ?? null);
    const low = bound(node.inputs[1], Number.NEGATIVE_INFINITY);
    const high = bound(node.inputs[2], Number.POSITIVE_INFINITY);
    return low === null || high === null ? null : { ...LINEAR, low, high };
  }
  if (node.kind !== 'unary' || !isRuntimeUnary(node.attrs.fn)) return null;
  const { fn, alpha, beta } = node.attrs;
  if (fn === 'relu') return { ...LINEAR, low: 0 };
  if (fn === 'relu6') return { ...LINEAR, low: 0, high: 6 };
  return { ...LINEAR, activation: fn, alpha: alpha ?? 0, beta: beta ?? 0 };
}

/** x · sigmoid(x) is SiLU, and x · hardSigmoid(x) with slope 1/6 is hard-swish, however they are spelt. */
function withGate(context: Context, layer: Layer): Layer | null {
  const { source, uses } = context;
  const readers = uses.readers.get(layer.output) ?? [];
  if (readers.length !== 2 || uses.outputs.has(layer.output)) return null;
  const nodes = readers.flatMap((index) => {
    const node = source.nodes[index];
    return node ? [{ node, index }] : [];
  });
  const gate = nodes.find(({ node }) => node.kind === 'unary');
  const product = nodes.find(({ node }) => node.kind === 'binary' && node.attrs.fn === 'mul');
  if (!gate || !product || gate.node.kind !== 'unary') return null;
  const gated = outputOf(gate.node);
  const isProduct = product.node.inputs.includes(gated) && product.node.inputs.includes(layer.output);
  if (!isProduct || uses.readers.get(gated)?.length !== 1 || uses.outputs.has(gated)) return null;
  const { fn, alpha, beta } = gate.node.attrs;
  const isHard = fn === 'hardSigmoid' && Math.abs((alpha ?? 0.2) - 1 / 6) < 1e-4 && (beta ?? 0.5) === 0.5;
  if (fn !== 'sigmoid' && !isHard) return null;
  const epilogue: Epilogue = { ...LINEAR, activation: isHard ? 'hardSwish' : 'silu' };
  return extend(extend(layer, gate, {}), product, { epilogue });
}
