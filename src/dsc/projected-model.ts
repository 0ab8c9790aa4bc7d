/**
 * A model with convolutions, or whole blocks, replaced: its graph, shapes and types without weights. Counts, memory and
 * milliseconds of a projection are those of this graph.
 */
import type { DType } from '../ir/dtype.ts';
import { staticExtents, tensorFact } from '../ir/fact.ts';
import type { Constant, ConstantOrigin, Graph, Model, Node, Value, ValueId } from '../ir/graph.ts';
import type { OpKind, WindowAttrs } from '../ir/operators.ts';
import type { Facts } from '../passes/infer-facts.ts';
import { isConstant, liveNodes } from '../passes/live-nodes.ts';
import { halfAttrs } from './half-attrs.ts';
import type { Closing, NewConv } from './strategies/strategy.ts';

/** A convolution that goes, and what follows it: bias, scale and norm, then the operators of its activation. */
export interface ReplacedConv {
  readonly node: Node<'conv'>;
  readonly affine: readonly Node[];
  readonly activation: readonly Node[];
}

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
  readonly nodes: readonly (readonly Node[])[];
}

/** Replaces what can be; nothing of the source is changed, and ids of its values stay the same. */
export function projectedModel(model: Model, facts: Facts, replacements: readonly Replacement[]): ProjectedModel {
  const values = new Values(model, facts);
  const made = replacements.map((replacement) => standIn(replacement, values));
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
    nodes: made.map(({ own }) => own),
  };
}

/** Values and facts that grow. */
class Values {
  readonly all: Value[];
  readonly facts: Facts['of'][number][];
  readonly #known: Facts;

  constructor(model: Model, known: Facts) {
    this.all = [...model.values];
    this.facts = [...known.of];
    this.#known = known;
  }

  isConstant(id: ValueId): boolean {
    return isConstant(id, this.#known);
  }

  /** An activation of the same extents as another, with other channels. */
  activation(name: string, like: ValueId, channelAxis: number, channels: number): ValueId {
    const fact = this.facts[like];
    const shape = fact?.type === 'tensor' ? (fact.shape ?? null) : null;
    const dtype = fact?.type === 'tensor' ? fact.dtype : null;
    const changed = shape?.map((extent, axis) => (axis === channelAxis ? channels : extent)) ?? null;
    return this.#add({ name, constant: null, declared: null }, tensorFact(dtype, changed));
  }

  /** A weight that is not there yet; of the same origin as another, so that it counts as that one does. */
  weight(name: string, shape: readonly number[], dtype: DType, like: ValueId | null): ValueId {
    const constant = shapeOnly(shape, dtype, this.#originOf(like));
    return this.#add({ name, constant, declared: null }, { ...tensorFact(dtype, shape), constant: true });
  }

  dtypeOf(id: ValueId | null): DType | null {
    const fact = this.facts[id ?? -1];
    return fact?.type === 'tensor' ? fact.dtype : null;
  }

  #originOf(id: ValueId | null): ConstantOrigin {
    return this.all[id ?? -1]?.constant?.origin ?? 'initializer';
  }

  #add(value: Value, fact: Facts['of'][number]): ValueId {
    const id = this.all.push(value) - 1;
    this.facts[id] = fact;
    return id;
  }
}

const shapeOnly = (shape: readonly number[], dtype: DType, origin: ConstantOrigin): Constant => ({
  dtype,
  shape,
  origin,
  data: { byteLength: 0, read: () => null },
});

interface StandIn {
  /** What comes for each node of the model that changes: nothing, itself in another form, or the new nodes. */
  readonly changed: ReadonlyMap<Node, readonly Node[]>;
  readonly own: readonly Node[];
}

function standIn({ replaced, kernel, window, weightType, convs }: Replacement, values: Values): StandIn {
  const [first] = replaced;
  const last = replaced.at(-1) ?? first;
  const ending = endingOf(last, convs.at(-1)?.closing ?? 'as-last');
  const own: Node[] = [];
  // Everything before the spatial convolution runs at the extents of the input, everything else at those of the output.
  let extents = first.node.inputs[0] ?? -1;
  let current = extents;
  for (const conv of convs) {
    const isLast = conv === convs.at(-1);
    const template = isLast ? last.node : first.node;
    const { attrs } = template;
    if (conv.isSpatial) extents = last.node.outputs[0] ?? -1;
    const place: Place = { values, extents, channelAxis: channelAxisOf(first.node, values), conv };
    const name = isLast ? last.node.name : `${last.node.name}/${conv.part}`;
    const dtype = values.dtypeOf(template.outputs[0] ?? null);
    const output = isLast ? ending.output : values.activation(name, extents, place.channelAxis, conv.outChannels);
    const shape = [
      conv.outChannels,
      conv.inChannels / conv.groups,
      ...kernel.map((extent) => (conv.isSpatial ? extent : 1)),
    ];
    const weight = values.weight(`${name}/weight`, shape, weightType, template.inputs[1] ?? null);
    own.push({
      kind: 'conv',
      op: template.op,
      name,
      scope: last.node.scope,
      attrs: {
        ...halfAttrs(conv.isSpatial ? { ...attrs, ...window } : attrs, conv),
        activation: KEEPS_FUSED[conv.closing] ? attrs.activation : null,
        result: isLast ? attrs.result : (dtype ?? attrs.result),
      },
      inputs: isLast
        ? [current, weight, ...last.node.inputs.slice(2)]
        : [current, weight, biasOf(template, name, place)],
      outputs: [output],
    });
    current = output;
    if (isLast) break;
    const tail = tailOf(first, current, name, place);
    own.push(...tail);
    current = tail.at(-1)?.outputs[0] ?? current;
  }
  const changed = new Map<Node, readonly Node[]>();
  for (const { node, affine, activation } of replaced) {
    for (const each of [node, ...affine, ...activation]) changed.set(each, []);
  }
  for (const [node, kept] of ending.kept) changed.set(node, [kept]);
  changed.set(last.node, own);
  return { changed, own: [...own, ...ending.kept.values()] };
}

/** Where a new convolution stands. */
interface Place {
  readonly values: Values;
  /** A value of the same extents. */
  readonly extents: ValueId;
  readonly channelAxis: number;
  readonly conv: NewConv;
}

function channelAxisOf({ attrs, inputs }: Node<'conv'>, { facts }: Values): number {
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

/** A node that is no part of a layer of the file any more. */
function withoutLayer({ layer: _, ...node }: Node, outputs: Node['outputs']): Node {
  return { ...node, outputs };
}

/** A bias where the first of the replaced has one, or where BatchNorm is folded into it. */
function biasOf(template: Node<'conv'>, name: string, { values, conv }: Place): ValueId | null {
  const like = template.inputs[2] ?? null;
  if (conv.closing === 'bias-relu') {
    return values.weight(
      `${name}/bias`,
      [conv.outChannels],
      values.dtypeOf(template.outputs[0] ?? null) ?? 'float32',
      null,
    );
  }
  if (conv.closing !== 'as-first' || like === null) return null;
  return values.weight(`${name}/bias`, [conv.outChannels], values.dtypeOf(like) ?? 'float32', like);
}

/** What follows a convolution that is not the last. */
function tailOf(first: ReplacedConv, input: ValueId, name: string, place: Place): readonly Node[] {
  const { closing } = place.conv;
  if (closing === 'as-first') return copiedTail(first, input, name, place);
  const tail: Node[] = [];
  const common = { name, scope: first.node.scope };
  const next = (part: string): ValueId =>
    place.values.activation(`${name}/${part}`, place.extents, place.channelAxis, place.conv.outChannels);
  if (closing === 'bn-relu') {
    const parameters = ['scale', 'shift', 'mean', 'variance'].map((part) =>
      place.values.weight(`${name}/${part}`, [place.conv.outChannels], 'float32', null),
    );
    const attrs = { channelAxis: place.channelAxis, training: false, epsilon: 1e-5 };
    const inputs = [input, ...parameters];
    tail.push({ ...common, kind: 'batchNorm', op: 'BatchNormalization', attrs, inputs, outputs: [next('norm')] });
  }
  if (closing !== 'none') {
    const inputs = [tail.at(-1)?.outputs[0] ?? input];
    const attrs = { fn: 'relu', alpha: null, beta: null } as const;
    tail.push({ ...common, kind: 'unary', op: 'Relu', attrs, inputs, outputs: [next('relu')] });
  }
  return tail;
}

/** The same norm and activation for other channels. */
function copiedTail(first: ReplacedConv, input: ValueId, name: string, place: Place): readonly Node[] {
  const { values, extents, channelAxis, conv } = place;
  const copies = new Map<ValueId, ValueId>([[first.node.outputs[0] ?? -1, input]]);
  let current = input;
  return [...first.affine, ...first.activation].map((node): Node => {
    const output = values.activation(`${name}/${node.op}`, extents, channelAxis, conv.outChannels);
    const inputs = node.inputs.map((id, at) => {
      if (id === null) return null;
      if (!values.isConstant(id)) return copies.get(id) ?? current;
      return constantFor(node, id, `${name}/${node.op}/${at}`, first.node, place);
    });
    copies.set(node.outputs[0] ?? -1, output);
    current = output;
    return { ...withoutLayer(node, [output]), name: `${name}/${node.op}`, inputs };
  });
}

function constantFor(node: Node, id: ValueId, name: string, before: Node<'conv'>, place: Place): ValueId {
  const shape = channelwiseShape(node, id, before, place.values.facts, place.conv.outChannels);
  if (shape === null) return id;
  return place.values.weight(name, shape, place.values.dtypeOf(id) ?? 'float32', id);
}

/** Operators whose constants are one number a channel, in a list. */
const LISTS_CHANNELS: ReadonlySet<OpKind> = new Set(['batchNorm', 'instanceNorm']);

/** Operators behind a convolution that can be copied for other channels. */
const COPIED: ReadonlySet<OpKind> = new Set([...LISTS_CHANNELS, 'binary', 'clip', 'prelu', 'unary']);

/** The shape that a constant with a number a channel has for other channels; null for a single number. */
function channelwiseShape(
  { kind }: Pick<Node, 'kind'>,
  id: ValueId,
  { attrs, outputs }: Node<'conv'>,
  facts: Facts['of'],
  channels: number,
): readonly number[] | null {
  const shape = staticExtents(facts[id]) ?? [];
  if (LISTS_CHANNELS.has(kind)) return [channels];
  const elements = shape.reduce((all, extent) => all * extent, 1);
  if (elements === 1) return kind === 'prelu' ? shape : null;
  const fact = facts[outputs[0] ?? -1];
  const rank = fact?.type === 'tensor' ? (fact.shape?.length ?? 0) : 0;
  const axis = (attrs.channelsLast ? rank - 1 : 1) - (rank - shape.length);
  return shape.map((extent, at) => (at === axis ? channels : extent));
}

/** Whether what follows a convolution can be had for other channels. */
export function canCopyTail(
  { node, affine, activation }: ReplacedConv,
  { of: facts }: Facts,
  channels: number,
): boolean {
  const made = new Set<ValueId>(node.outputs.filter((id) => id !== null));
  return [...affine, ...activation].every((each) => {
    const ids = each.inputs.filter((id) => id !== null);
    const isConstantId = (id: ValueId) => {
      const fact = facts[id];
      return fact?.type === 'tensor' && fact.constant;
    };
    const activations = ids.filter((id) => !isConstantId(id));
    const follows = activations.length === 1 || activations.every((id) => made.has(id));
    for (const id of each.outputs) if (id !== null) made.add(id);
    const fits = ids.filter(isConstantId).every((id) => {
      const shape = staticExtents(facts[id]);
      if (shape === null) return false;
      const elements = shape.reduce((all, extent) => all * extent, 1);
      const wider = channelwiseShape(each, id, node, facts, channels + 1) ?? [];
      // As many numbers as channels, along their axis, and nothing beside them.
      const grows = wider.reduce((all, extent) => all * extent, 1) === channels + 1;
      return elements === 1 || (elements === channels && grows);
    });
    return COPIED.has(each.kind) && follows && fits;
  });
}
