/** The nodes and tensors that a Conv becomes. */
import { byteSize } from '../../ir/dtype.ts';
import { encodeFloats } from '../../ir/elements.ts';
import { countElements } from '../../ir/extents.ts';
import { type ConvHalf, type ConvReplacement, type Norm, weightsOf } from '../conv-replacement.ts';
import type { AttributeProto, NodeProto } from './proto.ts';

/** A tensor to be stored. */
export interface NewTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly make: () => Uint8Array;
  /** Those of the same key are stored once. */
  readonly key: string;
}

/** Values between the halves, and how many channels they have. */
export interface NewValue {
  readonly name: string;
  readonly channels: number;
  /** The value whose declared type it has otherwise. */
  readonly like: string;
}

export interface ReplacementNodes {
  readonly nodes: readonly NodeProto[];
  readonly tensors: readonly NewTensor[];
  readonly values: readonly NewValue[];
}

/** Gives a name that nothing has yet, and remembers it. */
export type NameTaker = (wanted: string) => string;

/** Attributes of a convolution that follow from its kernel. */
const SPATIAL_ATTRIBUTES: ReadonlySet<string> = new Set(['auto_pad', 'dilations', 'kernel_shape', 'pads', 'strides']);

const [FLOAT, INT, INTS] = [1, 2, 7];

/** `known` are names of tensors that were stored already, by key. */
export function replacementNodes(
  original: NodeProto,
  replacement: ConvReplacement,
  take: NameTaker,
  known: ReadonlyMap<string, string>,
): ReplacementNodes {
  const { halves, between, bias } = replacement;
  const [first, last] = halves;
  const [x = '', , b = '', ...others] = original.input ?? [];
  const builder = new ReplacementBuilder(original, replacement, take, known);
  const { label } = builder;
  let current = builder.chain(nodeName(label, first.part, 'Conv'), {
    opType: 'Conv',
    domain: original.opType === 'Conv' ? (original.domain ?? '') : '',
    input: [
      x,
      builder.weight(0),
      ...(between.bias ? [builder.vector(first.part, 'bias', `${label}/first bias`, between.bias)] : []),
    ],
    attribute: [...spatialAttributes(original, first), int('group', first.groups)],
  });
  if (between.norm) current = normNode(builder, current, between.norm);
  if (between.relu) {
    current = builder.chain(nodeName(label, 'between', 'Relu'), { opType: 'Relu', input: [current] });
  }
  const newBias = bias && builder.vector(last.part, 'bias', `${label}/bias`, bias);
  const trailing = [newBias ?? b, ...others];
  while (trailing.at(-1) === '') trailing.pop();
  builder.nodes.push({
    opType: original.opType ?? 'Conv',
    domain: original.domain ?? '',
    name: take(nodeName(label, last.part, 'Conv')),
    input: [current, builder.weight(1), ...trailing],
    output: [...(original.output ?? [])],
    attribute: [
      ...spatialAttributes(original, last),
      int('group', last.groups),
      ...(original.attribute ?? []).filter(({ name }) => !SPATIAL_ATTRIBUTES.has(name ?? '') && name !== 'group'),
    ],
  });
  const { nodes, tensors, values } = builder;
  return { nodes, tensors, values };
}

/** The output of a batch normalisation of `input`. */
function normNode(builder: ReplacementBuilder, input: string, norm: Norm): string {
  const parameter = (of: keyof Norm & ('scale' | 'shift' | 'mean' | 'variance')): string =>
    builder.vector('between', of, `${builder.label}/${of}`, norm[of]);
  return builder.chain(nodeName(builder.label, 'between', 'BatchNormalization'), {
    opType: 'BatchNormalization',
    input: [input, parameter('scale'), parameter('shift'), parameter('mean'), parameter('variance')],
    attribute: [{ name: 'epsilon', type: FLOAT, f: norm.epsilon }],
  });
}

/** What one convolution becomes, as far as it is there. */
class ReplacementBuilder {
  readonly nodes: NodeProto[] = [];
  readonly tensors: NewTensor[] = [];
  readonly values: NewValue[] = [];
  /** What the new nodes are called after. */
  readonly label: string;
  readonly #original: NodeProto;
  readonly #replacement: ConvReplacement;
  readonly #take: NameTaker;
  readonly #known: ReadonlyMap<string, string>;

  constructor(original: NodeProto, replacement: ConvReplacement, take: NameTaker, known: ReadonlyMap<string, string>) {
    this.label = original.name || (original.output?.[0] ?? '');
    this.#original = original;
    this.#replacement = replacement;
    this.#take = take;
    this.#known = known;
  }

  /** The name of the weights of a half, which are stored where they are not yet. */
  weight(index: 0 | 1): string {
    const { halves, weightKey } = this.#replacement;
    const { part, weightShape } = halves[index];
    const make = () => weightsOf(this.#replacement)[index];
    return this.#store(this.#tensorName(part, 'weight'), `${weightKey}/${part}`, weightShape, make);
  }

  vector(part: string, role: string, key: string, data: Float64Array): string {
    return this.#store(this.#tensorName(part, role), key, [data.length], () => data);
  }

  /** Appends a node whose output goes on to the next; that output's name. */
  chain(name: string, node: NodeProto): string {
    const [first] = this.#replacement.halves;
    const like = (first.isSpatial ? this.#original.output : this.#original.input)?.[0] ?? '';
    const result = this.#take(`${name}_output_0`);
    this.values.push({ name: result, channels: first.weightShape[0] ?? 0, like });
    this.nodes.push({ ...node, name: this.#take(name), output: [result] });
    return result;
  }

  #tensorName(part: string, role: string): string {
    return tensorName(this.#original.input?.[1] ?? '', this.label, part, role);
  }

  #store(wanted: string, key: string, shape: readonly number[], make: () => Float64Array): string {
    const stored = this.#known.get(key);
    if (stored !== undefined) return stored;
    const { dtype } = this.#replacement;
    const name = this.#take(wanted);
    const byteLength = byteSize(dtype, countElements(shape));
    this.tensors.push({ name, shape, byteLength, key, make: () => encodeFloats(dtype, make()) });
    return name;
  }
}

function spatialAttributes({ attribute }: NodeProto, { isSpatial, weightShape }: ConvHalf): readonly AttributeProto[] {
  if (isSpatial) return (attribute ?? []).filter(({ name }) => SPATIAL_ATTRIBUTES.has(name ?? ''));
  return [{ name: 'kernel_shape', type: INTS, ints: weightShape.slice(2) }];
}

const int = (name: string, value: number): AttributeProto => ({ name, type: INT, i: value });

/** `/layer1/conv1/Conv` → `/layer1/conv1/depthwise/Conv`, `Conv_7` → `Conv_7_depthwise`. */
function nodeName(label: string, part: string, op: string): string {
  const at = label.lastIndexOf('/');
  return at < 0 ? `${label}_${part}${op === 'Conv' ? '' : `_${op}`}` : `${label.slice(0, at)}/${part}/${op}`;
}

/** `layer1.conv1.weight` → `layer1.conv1.depthwise.weight`; where the weight's name tells nothing, after the node. */
function tensorName(weight: string, label: string, part: string, role: string): string {
  const module = /^(.+)\.weight$/.exec(weight)?.[1] ?? label;
  return `${module}.${part}.${role}`;
}
