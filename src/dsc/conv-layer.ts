import type { DType } from '../ir/dtype.ts';
import { countElements } from '../ir/extents.ts';
import { staticExtents } from '../ir/fact.ts';
import type { Node, ValueId } from '../ir/graph.ts';
import type { ConvAttrs, ConvolutionAttrs } from '../ir/operators.ts';
import { convGeometry, PLAIN_CONV } from '../ops/convolution.ts';
import type { LayerKind } from '../ops/op-def.ts';
import { effectiveKernel, settledPads } from '../ops/window.ts';
import type { CountedLayer, LayerPart } from '../passes/count-layers.ts';
import type { Facts } from '../passes/infer-facts.ts';
import type { Weight } from '../passes/trace-weights.ts';

/** A convolution with everything that a verdict is found by. Figures are null where an extent is not known. */
export interface ConvLayer {
  readonly node: Node;
  /** Every node that is this convolution: several where the model calls a layer again. */
  readonly calls: readonly Node[];
  readonly index: number;
  readonly name: string;
  /** As the file spells the operator. */
  readonly op: string;
  readonly scope: readonly string[];
  readonly kind: LayerKind;
  readonly operator: ConvOperator;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[] | null;
  /** Extents that the kernel slides over, and those it leaves; null where they are not known. */
  readonly spatial: { readonly input: readonly number[]; readonly output: readonly number[] } | null;
  readonly channelsLast: boolean;
  readonly groups: number;
  readonly bias: boolean;
  /** The weight is a constant. */
  readonly fixedWeight: boolean;
  /** The weight is O, I/groups, spatial…. */
  readonly hasPlainWeights: boolean;
  /** No convolution or matrix product lies between it and the model's input. */
  readonly isFirst: boolean;
  /** Positions of the input and the output, the batch and repeated runs included. */
  readonly inputPositions: number | null;
  readonly outputPositions: number | null;
  readonly macs: number | null;
  readonly flops: number | null;
  readonly weightType: DType | null;
  readonly biasBytes: number;
  /** The value that is its weight, and the file's tensors that this comes from (none where it is computed from nothing). */
  readonly weightId: ValueId | null;
  readonly weights: readonly Weight[];
}

/** Operators that are convolutions. */
const CONV_OPERATORS = ['conv', 'blockedConv', 'convTranspose', 'deformConv', 'causalConv'] as const;

export type ConvOperator = (typeof CONV_OPERATORS)[number];

/** The attributes of any convolution as those of a plain one; null for what is none. */
function attrsOf(node: Node): ConvAttrs | null {
  switch (node.kind) {
    case 'conv':
    case 'blockedConv':
      return node.attrs;
    case 'convTranspose':
      return { ...PLAIN_CONV, ...node.attrs };
    case 'deformConv':
      return { ...node.attrs, ...PLAIN_CONV };
    case 'causalConv':
      return {
        ...PLAIN_CONV,
        groups: 1,
        kernel: null,
        strides: [],
        dilations: [],
        padding: { mode: 'explicit', pads: [] },
      };
    default:
      return null;
  }
}

/** Reads a layer as a convolution; null where it is none, or its weight has no known shape. */
export function convLayer(layer: CountedLayer, index: number, isFirst: boolean, facts: Facts): ConvLayer | null {
  const { node } = layer;
  const operator = CONV_OPERATORS.find((kind) => kind === node.kind);
  const attrs = attrsOf(node);
  const [inputId, weightId] = node.inputs;
  const weight = typeof weightId === 'number' ? facts.of[weightId] : undefined;
  if (!operator || !attrs) return null;
  const geometry = operator === 'convTranspose' ? transposedGeometry(attrs, weight) : convGeometry(attrs, weight);
  if (geometry === null) return null;
  const axes = geometry.kernel.length;
  const groups = operator === 'causalConv' ? geometry.outChannels : attrs.groups;
  const inChannels = operator === 'causalConv' ? geometry.outChannels : geometry.inChannels;
  const input = typeof inputId === 'number' ? facts.of[inputId] : undefined;
  const inputShape = staticExtents(input);
  const output = facts.of[node.outputs[0] ?? -1];
  const outputShape = staticExtents(output);
  const biasIndex = operator === 'deformConv' ? 3 : 2;
  const biasWeight = layer.weights.find(({ input: at }) => at === biasIndex);
  const ones = new Array<number>(axes).fill(1);
  const calls = layer.parts.filter(({ node: part }) => part.kind === node.kind && part.inputs[1] === node.inputs[1]);
  return {
    node,
    calls: calls.map((call) => call.node),
    index,
    name: node.name,
    op: node.op,
    scope: node.scope,
    kind: layer.kind,
    operator,
    inChannels,
    outChannels: geometry.outChannels,
    kernel: geometry.kernel,
    strides: ones.map((one, axis) => attrs.strides[axis] ?? one),
    dilations: ones.map((one, axis) => attrs.dilations[axis] ?? one),
    pads:
      node.kind === 'convTranspose'
        ? transposedPads(node.attrs, inputShape, outputShape, geometry.kernel)
        : padsOf(attrs, inputShape, geometry.kernel),
    spatial:
      inputShape && outputShape
        ? { input: spatialOf(inputShape, attrs.channelsLast), output: spatialOf(outputShape, attrs.channelsLast) }
        : null,
    channelsLast: attrs.channelsLast,
    groups,
    bias: typeof node.inputs[biasIndex] === 'number',
    hasPlainWeights: operator === 'conv' && !attrs.weightChannelsLast,
    fixedWeight: weight?.type === 'tensor' && weight.constant,
    isFirst,
    inputPositions: positionsOf(calls, facts, 'inputs', inChannels),
    outputPositions: positionsOf(calls, facts, 'outputs', geometry.outChannels),
    macs: layer.macs,
    flops: layer.flops,
    weightType:
      layer.weights.find(({ input: at }) => at === 1)?.dtype ?? (weight?.type === 'tensor' ? weight.dtype : null),
    biasBytes: biasWeight?.bytes ?? 0,
    weightId: weightId ?? null,
    weights: layer.weights.filter(({ input: at }) => at === 1),
  };
}

/** Weights of a transposed convolution are C_in, C_out/groups, spatial…. */
function transposedGeometry(attrs: ConvAttrs, weight: Parameters<typeof convGeometry>[1]) {
  const geometry = convGeometry({ ...attrs, groups: 1 }, weight);
  return geometry && { ...geometry, inChannels: geometry.outChannels, outChannels: geometry.inChannels * attrs.groups };
}

const spatialOf = (shape: readonly number[], channelsLast: boolean): readonly number[] =>
  channelsLast ? shape.slice(1, -1) : shape.slice(2);

function padsOf(
  attrs: ConvAttrs,
  inputShape: readonly number[] | null,
  kernel: readonly number[],
): readonly number[] | null {
  if (attrs.padding.mode !== 'explicit' && inputShape === null) return null;
  const spatial = inputShape ? spatialOf(inputShape, attrs.channelsLast) : [];
  const settled = kernel.map((extent, axis) => settledPads(spatial[axis] ?? 0, axis, extent, attrs));
  return [...settled.map(([begin]) => begin), ...settled.map(([, end]) => end)];
}

/** Pads of a transposed convolution cut its output: stride·(in − 1) + output padding + effective kernel − out. */
function transposedPads(
  attrs: ConvolutionAttrs['convTranspose'],
  inputShape: readonly number[] | null,
  outputShape: readonly number[] | null,
  kernel: readonly number[],
): readonly number[] | null {
  if (attrs.padding.mode === 'explicit' && attrs.outputShape === null) {
    return padsOf({ ...attrs, ...PLAIN_CONV }, null, kernel);
  }
  if (inputShape === null || outputShape === null) return null;
  const first = attrs.channelsLast ? 1 : 2;
  const settled = kernel.map((extent, axis) => {
    const steps = (attrs.strides[axis] ?? 1) * ((inputShape[axis + first] ?? 1) - 1);
    const covered = effectiveKernel(extent, attrs.dilations[axis] ?? 1);
    const total = Math.max(0, steps + (attrs.outputPadding[axis] ?? 0) + covered - (outputShape[axis + first] ?? 0));
    const small = Math.floor(total / 2);
    return attrs.padding.mode === 'same-upper' ? [small, total - small] : [total - small, small];
  });
  return [...settled.map(([begin = 0]) => begin), ...settled.map(([, end = 0]) => end)];
}

/** Over every run: a layer that the model calls again may meet other extents each time. */
function positionsOf(
  calls: readonly LayerPart[],
  facts: Facts,
  side: 'inputs' | 'outputs',
  channels: number,
): number | null {
  let positions = 0;
  for (const { node, repeats } of calls) {
    const shape = staticExtents(facts.of[node[side][0] ?? -1]);
    if (shape === null) return null;
    positions += channels === 0 ? 0 : (countElements(shape) / channels) * repeats;
  }
  return positions;
}
