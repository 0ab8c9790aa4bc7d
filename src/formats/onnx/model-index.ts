import { DscAuditError } from '../../ir/errors.ts';
import type { ByteSource } from '../byte-source.ts';
import { RAISABLE_LIMITS, settleLimits } from '../raisable-limits.ts';
import { PagedReader } from './paged-reader.ts';
import { decodeNode, decodeValueInfo, type GraphProto, type NodeProto, type ValueInfoProto } from './proto.ts';
import { decodeTensor } from './tensor-proto.ts';
import { fieldsOf, type WireField } from './wire.ts';

/** Field numbers of ModelProto and GraphProto (onnx.proto). */
export const MODEL = { irVersion: 1, graph: 7, metadataProps: 14, trainingInfo: 20, functions: 25 } as const;
export const GRAPH = {
  node: 1,
  name: 2,
  initializer: 5,
  input: 11,
  output: 12,
  valueInfo: 13,
  sparseInitializer: 15,
} as const;

const EXTERNAL = 1;

export interface Placed<T> {
  readonly field: WireField;
  readonly proto: T;
}

export interface StoredTensor {
  readonly field: WireField;
  readonly isExternal: boolean;
}

/** Where the parts of a model lie in its file, and what they are called. */
export interface ModelIndex {
  readonly reader: PagedReader;
  readonly irVersion: number;
  readonly modelFields: readonly WireField[];
  readonly graphFields: readonly WireField[];
  readonly nodes: readonly Placed<NodeProto>[];
  readonly initializers: ReadonlyMap<string, StoredTensor>;
  /** Names of initializers, inputs and declared values, by where they begin. */
  readonly nameAt: ReadonlyMap<number, string>;
  /** Declared types: of inputs, outputs and values between. */
  readonly declared: ReadonlyMap<string, ValueInfoProto>;
  /** How often each tensor is read: by nodes, bodies within them, and as an output of the graph. */
  readonly reads: ReadonlyMap<string, number>;
  /** Every name that is taken. */
  readonly names: ReadonlySet<string>;
}

/** Indexes the graph of a model; bodies and local functions are left as they are. */
export function indexModel(file: ByteSource): ModelIndex {
  // It has been read before, within whatever limits there were.
  const reader = new PagedReader(file, settleLimits({ messages: RAISABLE_LIMITS.messages.most }));
  const modelFields = fieldsOf(reader, { content: 0, end: file.size });
  const graphs = modelFields.filter(({ number }) => number === MODEL.graph);
  const [graph] = graphs;
  if (!graph || graphs.length > 1) {
    throw new DscAuditError('malformed-model', `it holds ${graphs.length} graphs: a model has one.`);
  }
  const graphFields = fieldsOf(reader, graph);
  const decode = <T>({ content, end }: WireField, read: (reader: PagedReader, length: number) => T): T => {
    reader.pos = content;
    return read(reader, end - content);
  };
  const of = (number: number) => graphFields.filter((field) => field.number === number);
  const nodes = of(GRAPH.node).map((field) => ({ field, proto: decode(field, decodeNode) }));
  const initializers = new Map<string, StoredTensor>();
  const nameAt = new Map<number, string>();
  for (const field of of(GRAPH.initializer)) {
    const tensor = decode(field, (at, length) => {
      const outer = at.enter(length);
      const decoded = decodeTensor(at);
      at.leave(outer);
      return decoded;
    });
    nameAt.set(field.start, tensor.name);
    initializers.set(tensor.name, { field, isExternal: tensor.dataLocation === EXTERNAL });
  }
  const declared = new Map<string, ValueInfoProto>();
  for (const number of [GRAPH.input, GRAPH.output, GRAPH.valueInfo]) {
    for (const field of of(number)) {
      const info = decode(field, decodeValueInfo);
      declared.set(info.name ?? '', info);
      if (number !== GRAPH.output) nameAt.set(field.start, info.name ?? '');
    }
  }
  const versionField = modelFields.findLast(({ number }) => number === MODEL.irVersion);
  if (versionField) reader.pos = versionField.content;
  const irVersion = versionField ? reader.uint32() : 0;
  const names = new Set([...initializers.keys(), ...declared.keys()]);
  const reads = new Map<string, number>();
  const read = (name: string): void => {
    reads.set(name, (reads.get(name) ?? 0) + 1);
  };
  for (const field of of(GRAPH.output)) read(decode(field, decodeValueInfo).name ?? '');
  for (const { proto } of nodes) visitNames(proto, names, read);
  return {
    reader,
    irVersion,
    modelFields,
    graphFields,
    nodes,
    initializers,
    nameAt,
    declared,
    reads,
    names,
  };
}

/** Names in a node and the bodies within: what is read there may come from around. */
function visitNames(node: NodeProto, names: Set<string>, read: (name: string) => void): void {
  for (const name of [node.name ?? '', ...(node.input ?? []), ...(node.output ?? [])]) names.add(name);
  for (const name of node.input ?? []) read(name);
  for (const { g, graphs } of node.attribute ?? []) {
    for (const body of [g, ...(graphs ?? [])]) if (body) visitBody(body, names, read);
  }
}

function visitBody(body: GraphProto, names: Set<string>, read: (name: string) => void): void {
  for (const { name } of [...(body.input ?? []), ...(body.output ?? []), ...(body.initializer ?? [])]) {
    names.add(name ?? '');
  }
  for (const { name } of body.output ?? []) read(name ?? '');
  for (const node of body.node ?? []) visitNames(node, names, read);
}
