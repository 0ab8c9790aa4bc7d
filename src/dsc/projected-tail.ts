/** What follows the convolutions of a projection: norm and activation, for the channels that there are. */
import { staticExtents } from '../ir/fact.ts';
import type { Node, ValueId } from '../ir/graph.ts';
import type { OpKind } from '../ir/operators.ts';
import type { Facts } from '../passes/infer-facts.ts';
import type { ProjectedValues } from './projected-values.ts';
import type { Closing } from './strategies/strategy.ts';

/** A convolution that goes, and what follows it: bias, scale and norm, then the operators of its activation. */
export interface ReplacedConv {
  readonly node: Node<'conv'>;
  readonly affine: readonly Node[];
  readonly activation: readonly Node[];
}

/** Where a new convolution stands. */
export interface Place {
  readonly values: ProjectedValues;
  /** A value of the same extents. */
  readonly extents: ValueId;
  readonly channelAxis: number;
  readonly channels: number;
  readonly closing: Closing;
  readonly name: string;
}

/** A node that is no part of a layer of the file any more. */
export function withoutLayer({ layer: _, ...node }: Node, outputs: Node['outputs']): Node {
  return { ...node, outputs };
}

/** What follows a convolution that is not the last. */
export function tailOf(first: ReplacedConv, input: ValueId, place: Place): readonly Node[] {
  const { closing, name, channels } = place;
  if (closing === 'as-first') return copiedTail(first, input, place);
  const tail: Node[] = [];
  const common = { name, scope: first.node.scope };
  const next = (part: string): ValueId =>
    place.values.activation(`${name}/${part}`, place.extents, place.channelAxis, channels);
  if (closing === 'bn-relu') {
    const parameters = ['scale', 'shift', 'mean', 'variance'].map((part) =>
      place.values.weight(`${name}/${part}`, [channels], 'float32', null),
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
function copiedTail(first: ReplacedConv, input: ValueId, place: Place): readonly Node[] {
  const { values, extents, channelAxis, channels, name } = place;
  const copies = new Map<ValueId, ValueId>([[first.node.outputs[0] ?? -1, input]]);
  let current = input;
  return [...first.affine, ...first.activation].map((node): Node => {
    const output = values.activation(`${name}/${node.op}`, extents, channelAxis, channels);
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
  const shape = channelwiseShape(node, id, before, place.values.facts, place.channels);
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
    const isFixed = (id: ValueId) => {
      const fact = facts[id];
      return fact?.type === 'tensor' && fact.constant;
    };
    const activations = ids.filter((id) => !isFixed(id));
    const follows = activations.length === 1 || activations.every((id) => made.has(id));
    for (const id of each.outputs) if (id !== null) made.add(id);
    const fits = ids.filter(isFixed).every((id) => {
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
