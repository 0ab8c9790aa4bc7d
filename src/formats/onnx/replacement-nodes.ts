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
  const { halves, between, dtype, bias } = replacement;
  const [first, last] = halves;
  const [x = '', w = '', b = '', ...others] = original.input ?? [];
  const output = original.output?.[0] ?? '';
  const label = original.name || output;
  const tensors: NewTensor[] = [];
  const values: NewValue[] = [];
  const nodes: NodeProto[] = [];
  const store = (wanted: string, key: string, shape: readonly number[], make: () => Float64Array): string => {
    const stored = known.get(key);
    if (stored !== undefined) return stored;
    const name = take(wanted);
    const byteLength = byteSize(dtype, countElements(shape));
    tensors.push({ name, shape, byteLength, key, make: () => encodeFloats(dtype, make()) });
    return name;
  };
  const weightAt = (index: 0 | 1): string => {
    const { part, weightShape } = halves[index];
    const wanted = tensorName(w, label, part, 'weight');
    return store(wanted, `${replacement.weightKey}/${part}`, weightShape, () => weightsOf(replacement)[index]);
  };
  const vector = (wanted: string, key: string, data: Float64Array): string =>
    store(wanted, key, [data.length], () => data);
  /** Appends a node whose output goes on to the next. */
  const chain = (name: string, node: NodeProto): string => {
    const result = take(`${name}_output_0`);
    values.push({ name: result, channels: first.weightShape[0] ?? 0, like: first.isSpatial ? output : x });
    nodes.push({ ...node, name: take(name), output: [result] });
    return result;
  };
  const isFused = original.opType !== 'Conv';
  let current = chain(nodeName(label, first.part, 'Conv'), {
    ...(isFused ? { opType: 'Conv', domain: '' } : { opType: 'Conv', domain: original.domain ?? '' }),
    input: [
      x,
      weightAt(0),
      ...(between.bias ? [vector(tensorName(w, label, first.part, 'bias'), `${label}/first bias`, between.bias)] : []),
    ],
    attribute: [...spatialAttributes(original, first), int('group', first.groups)],
  });
  if (between.norm) {
    const { norm } = between;
    const name = nodeName(label, 'between', 'BatchNormalization');
    const parameter = (of: keyof Norm & ('scale' | 'shift' | 'mean' | 'variance')): string =>
      vector(tensorName(w, label, 'between', of), `${label}/${of}`, norm[of]);
    current = chain(name, {
      opType: 'BatchNormalization',
      input: [current, parameter('scale'), parameter('shift'), parameter('mean'), parameter('variance')],
      attribute: [{ name: 'epsilon', type: FLOAT, f: norm.epsilon }],
    });
  }
  if (between.relu) current = chain(nodeName(label, 'between', 'Relu'), { opType: 'Relu', input: [current] });
  const newBias = bias && vector(tensorName(w, label, last.part, 'bias'), `${label}/bias`, bias);
  const trailing = [newBias ?? b, ...others];
  while (trailing.at(-1) === '') trailing.pop();
  nodes.push({
    opType: original.opType ?? 'Conv',
    domain: original.domain ?? '',
    name: take(nodeName(label, last.part, 'Conv')),
    input: [current, weightAt(1), ...trailing],
    output: [...(original.output ?? [])],
    attribute: [
      ...spatialAttributes(original, last),
      int('group', last.groups),
      ...(original.attribute ?? []).filter(({ name }) => !SPATIAL_ATTRIBUTES.has(name ?? '') && name !== 'group'),
    ],
  });
  return { nodes, tensors, values };
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
