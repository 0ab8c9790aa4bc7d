/**
 * A model with convolutions, or whole blocks, replaced: its graph, shapes and types without weights. Counts, memory and
 * milliseconds of a projection are those of this graph.
 */
import type { DType } from '../ir/dtype.ts';
import type { Graph, Model, Node, ValueId } from '../ir/graph.ts';
import type { WindowAttrs } from '../ir/operators.ts';
import type { Facts } from '../passes/infer-facts.ts';
import { liveNodes } from '../passes/live-nodes.ts';
import { halfAttrs } from './half-attrs.ts';
import { type Place, type ReplacedConv, tailOf, withoutLayer } from './projected-tail.ts';
import { ProjectedValues } from './projected-values.ts';
import type { Closing, NewConv } from './strategies/strategy.ts';

/** What goes, and what comes in its place. */
export interface Replacement {
  /** One behind the other. */
  readonly replaced: readonly [ReplacedConv, ...ReplacedConv[]];
  /** Of the spatial one among `convs`. */
  readonly kernel: readonly number[];
  readonly window: WindowAttrs;
  readonly weightType: DType;
  readonly convs: readonly NewConv[];
}

export interface ProjectedModel {
  readonly model: Model;
  readonly facts: Facts;
  /** For each replacement: the nodes that stand in its place, with those behind its end that stayed. */
  readonly nodes: ReadonlyMap<Replacement, readonly Node[]>;
}

/** Replaces what can be; nothing of the source is changed, and ids of its values stay the same. */
export function projectedModel(model: Model, facts: Facts, replacements: readonly Replacement[]): ProjectedModel {
  const values = new ProjectedValues(model, facts);
  const made = replacements.map((replacement) => ({ replacement, ...standIn(replacement, values) }));
  const inPlaceOf = new Map(made.flatMap(({ changed }) => [...changed]));
  const order = facts.order.get(model.graph) ?? model.graph.nodes;
  const nodes = order.flatMap((node) => inPlaceOf.get(node) ?? [node]);
  const orders = new Map<Graph, readonly Node[]>([...facts.order].filter(([graph]) => graph !== model.graph));
  const graph = { ...model.graph, nodes };
  const projected = { ...facts, of: values.facts, order: orders.set(graph, nodes) };
  // Casts and the like that stood between what is gone.
  const { dead } = liveNodes(graph, projected);
  const gone = new Set(dead);
  const kept = { ...graph, nodes: nodes.filter((node) => !gone.has(node)) };
  orders.delete(graph);
  orders.set(kept, kept.nodes);
  return {
    model: { ...model, values: values.all, graph: kept },
    facts: projected,
    nodes: new Map(made.map(({ replacement, own }) => [replacement, own])),
  };
}

interface StandIn {
  /** What comes for each node of the model that changes: nothing, itself in another form, or the new nodes. */
  readonly changed: ReadonlyMap<Node, readonly Node[]>;
  readonly own: readonly Node[];
}

function standIn(replacement: Replacement, values: ProjectedValues): StandIn {
  const { replaced, convs } = replacement;
  const [first] = replaced;
  const last = replaced.at(-1) ?? first;
  const ending = endingOf(last, convs.at(-1)?.closing ?? 'as-last');
  const channelAxis = channelAxisOf(first.node, values);
  const own: Node[] = [];
  // Everything before the spatial convolution runs at the extents of the input, everything else at those of the output.
  let extents = first.node.inputs[0] ?? -1;
  let current = extents;
  for (const conv of convs) {
    if (conv.isSpatial) extents = last.node.outputs[0] ?? -1;
    const isLast = conv === convs.at(-1);
    const name = isLast ? last.node.name : `${last.node.name}/${conv.part}`;
    const place: Place = { values, extents, channelAxis, channels: conv.outChannels, closing: conv.closing, name };
    const output = isLast ? ending.output : values.activation(name, extents, channelAxis, conv.outChannels);
    own.push(newNode(conv, isLast, [current, output], replacement, place));
    const tail = isLast ? [] : tailOf(first, output, place);
    own.push(...tail);
    current = tail.at(-1)?.outputs[0] ?? output;
  }
  const changed = new Map<Node, readonly Node[]>();
  for (const { node, affine, activation } of replaced) {
    for (const each of [node, ...affine, ...activation]) changed.set(each, []);
  }
  for (const [node, kept] of ending.kept) changed.set(node, [kept]);
  changed.set(last.node, own);
  return { changed, own: [...own, ...ending.kept.values()] };
}

/** The last keeps what else the last of the replaced reads: its bias, and scales of what is quantised. */
function newNode(
  conv: NewConv,
  isLast: boolean,
  [input, output]: readonly [ValueId, ValueId],
  { replaced, kernel, window, weightType }: Replacement,
  { values, name }: Place,
): Node {
  const [first] = replaced;
  const last = replaced.at(-1) ?? first;
  const template = isLast ? last.node : first.node;
  const { attrs, inputs, outputs } = template;
  const windowShape = kernel.map((extent) => (conv.isSpatial ? extent : 1));
  const shape = [conv.outChannels, conv.inChannels / conv.groups, ...windowShape];
  const weight = values.weight(`${name}/weight`, shape, weightType, inputs[1] ?? null);
  return {
    kind: 'conv',
    op: template.op,
    name,
    scope: last.node.scope,
    attrs: {
      ...halfAttrs(conv.isSpatial ? { ...attrs, ...window } : attrs, conv),
      activation: KEEPS_FUSED[conv.closing] ? attrs.activation : null,
      result: isLast ? attrs.result : (values.dtypeOf(outputs[0] ?? null) ?? attrs.result),
    },
    inputs: isLast
      ? [input, weight, ...last.node.inputs.slice(2)]
      : [input, weight, biasOf(conv, template, name, values)],
    outputs: [output],
  };
}

function channelAxisOf({ attrs, inputs }: Node<'conv'>, { facts }: ProjectedValues): number {
  const fact = facts[inputs[0] ?? -1];
  return attrs.channelsLast && fact?.type === 'tensor' ? (fact.shape?.length ?? 0) - 1 : 1;
}

/** A fused activation stays where what follows is as it was. */
const KEEPS_FUSED: Readonly<Record<Closing, boolean>> = {
  none: false,
  relu: false,
  'bn-relu': false,
  'bias-relu': false,
  'as-first': true,
  'as-last': true,
  'as-last-linear': false,
};

/** The convolution has a bias: one of its own where BatchNorm is folded, else where what it is closed as has one. */
export const TAKES_BIAS: Readonly<Record<Closing, boolean>> = {
  none: false,
  relu: false,
  'bn-relu': false,
  'bias-relu': true,
  'as-first': true,
  'as-last': true,
  'as-last-linear': true,
};

interface Ending {
  /** What the last convolution computes. */
  readonly output: ValueId;
  /** Nodes behind it that stay, by what they were. */
  readonly kept: ReadonlyMap<Node, Node>;
}

/** What follows the last convolution stays; without its activation the value that this gave comes from what is before it. */
function endingOf({ node, affine, activation }: ReplacedConv, closing: Closing): Ending {
  const output = node.outputs[0] ?? -1;
  const kept = closing === 'as-last-linear' ? affine : [...affine, ...activation];
  const end = closing === 'as-last-linear' ? (activation.at(-1)?.outputs[0] ?? null) : null;
  const last = kept.at(-1);
  return {
    output: end !== null && last === undefined ? end : output,
    kept: new Map(kept.map((each) => [each, withoutLayer(each, each === last && end !== null ? [end] : each.outputs)])),
  };
}

/** A bias where the first of the replaced has one, or where BatchNorm is folded into it. */
function biasOf(
  { closing, outChannels }: NewConv,
  template: Node<'conv'>,
  name: string,
  values: ProjectedValues,
): ValueId | null {
  const like = template.inputs[2] ?? null;
  const isFolded = closing === 'bias-relu';
  if (!TAKES_BIAS[closing] || (!isFolded && like === null)) return null;
  const dtype = values.dtypeOf(isFolded ? (template.outputs[0] ?? null) : like);
  return values.weight(`${name}/bias`, [outChannels], dtype ?? 'float32', isFolded ? null : like);
}
