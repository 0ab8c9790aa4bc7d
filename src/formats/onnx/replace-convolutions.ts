/** Writes an ONNX model with some convolutions replaced; everything else stays byte for byte. */
import { basename } from 'node:path';
import type { Model, Node } from '../../ir/graph.ts';
import type { ConvReplacement } from '../conv-replacement.ts';
import type { ModelSource } from '../model-source.ts';
import { type ModelWriter, REWRITE_NOTE, type RewriteNotes, type RewrittenFiles } from '../model-writer.ts';
import { joined, type Piece } from '../pieces.ts';
import { dataTypeCode } from './data-type.ts';
import { ExternalFiles } from './external-data.ts';
import { GRAPH, indexModel, MODEL, type ModelIndex, type Placed } from './model-index.ts';
import { decodeEntry, encodeEntry, encodeNode, encodeTensor, encodeValueInfo, type NodeProto } from './proto.ts';
import { DataFile, type Holder, relocated } from './relocate-tensors.ts';
import { type NewTensor, type NewValue, replacementNodes } from './replacement-nodes.ts';
import { bytesField, fieldsOf, lengthDelimited, type WireField } from './wire.ts';

/** Operators that can be replaced. */
const CONV_OPS: ReadonlySet<string> = new Set(['Conv', 'com.microsoft::FusedConv']);

export function onnxWriter(source: ModelSource, model: Model): ModelWriter {
  const { nodes } = indexModel(source.bytes);
  const byOutput = outputsOf(nodes);
  const own = new Set(model.graph.nodes);
  return {
    kind: 'onnx',
    hasWeights: true,
    obstacle({ node }) {
      if (!CONV_OPS.has(node.op)) return `${node.op} cannot be written as two`;
      if (!own.has(node)) return 'it lies in the body of a control-flow operator';
      return placeOf(model, node, byOutput) ? null : 'it lies in a local function, which other calls may share';
    },
    layOut: (replacements, notes) => replaceConvolutions(source, model, replacements, notes),
  };
}

/** Wire fields of a node that are copied to what replaces it: where it comes from, in the exporter's words. */
const NODE_METADATA = 9;

/** Before this version of the format every initializer is an input, too. */
const FIRST_IR_VERSION_WITHOUT_INPUTS = 4;

/** External tensors are at least this long; smaller ones are more useful in the model. */
const MIN_EXTERNAL_BYTES = 1024;

function replaceConvolutions(
  source: ModelSource,
  model: Model,
  replacements: readonly ConvReplacement[],
  { output, note }: RewriteNotes,
): RewrittenFiles {
  const externals = new ExternalFiles(source);
  const dataPath = `${output}.data`;
  try {
    const index = indexModel(source.bytes);
    const data = new DataFile(basename(dataPath), externals);
    const graph = rewrittenGraph(source, index, model, replacements, data);
    const pieces = index.modelFields.flatMap((field): readonly Piece[] => {
      if (field.number === MODEL.graph) return graph;
      if (field.number === MODEL.metadataProps && keyOf(index, field) === REWRITE_NOTE) return [];
      return moved(source, index, field, MODEL_HOLDERS[field.number], data);
    });
    const metadata = bytesField(MODEL.metadataProps, encodeEntry({ key: REWRITE_NOTE, value: note }));
    return {
      files: [
        ...(data.pieces.length > 0 ? [{ path: dataPath, pieces: joined(data.pieces) }] : []),
        { path: output, pieces: joined([...pieces, ...metadata]) },
      ],
      readFiles: externals.names,
      close: () => externals.close(),
    };
  } catch (error) {
    externals.close();
    throw error;
  }
}

/** Fields of a model, and of a graph, that hold tensors somewhere. */
const MODEL_HOLDERS: Readonly<Record<number, Holder>> = {
  [MODEL.trainingInfo]: 'training',
  [MODEL.functions]: 'function',
};
const GRAPH_HOLDERS: Readonly<Record<number, Holder>> = {
  [GRAPH.node]: 'node',
  [GRAPH.initializer]: 'tensor',
  [GRAPH.sparseInitializer]: 'sparseTensor',
};

function keyOf({ reader }: ModelIndex, { content, end }: WireField): string {
  reader.pos = content;
  return decodeEntry(reader, end - content).key ?? '';
}

const copied = ({ bytes: source }: ModelSource, { start, end }: WireField): readonly Piece[] => [
  { kind: 'copy', source, offset: start, length: end - start },
];

/** The field as it is, but for external tensors in it. */
function moved(
  source: ModelSource,
  { reader }: ModelIndex,
  field: WireField,
  holder: Holder | undefined,
  data: DataFile,
): readonly Piece[] {
  const changed = holder === undefined ? null : relocated(reader, source.bytes, field, holder, data);
  return changed ?? copied(source, field);
}

function rewrittenGraph(
  source: ModelSource,
  index: ModelIndex,
  model: Model,
  replacements: readonly ConvReplacement[],
  data: DataFile,
): readonly Piece[] {
  const { made, tensors, values, replaced } = makeNodes(source, index, model, replacements);
  const { nodes: dropped, names } = unread(index, replaced);
  const isExternal = new Map(
    replaced.flatMap(({ proto, replacement }) => {
      const stored = index.initializers.get(proto.input?.[1] ?? '');
      return [[replacement.weightKey, stored?.isExternal ?? false] as const];
    }),
  );
  const pieces = index.graphFields.flatMap((field): readonly Piece[] => {
    const instead = made.get(field.start);
    if (instead) return instead;
    if (dropped.has(field.start)) return [];
    const name = index.nameAt.get(field.start);
    if (name !== undefined && names.has(name)) return [];
    return moved(source, index, field, GRAPH_HOLDERS[field.number], data);
  });
  const listed = index.irVersion < FIRST_IR_VERSION_WITHOUT_INPUTS ? tensors : [];
  const all = [
    ...pieces,
    ...tensors.flatMap((tensor) => storedTensor(tensor, isExternal.get(tensor.weightKey) ? data : null)),
    ...listed.flatMap(({ name, shape, dtype }) => bytesField(GRAPH.input, tensorInfo(name, dtype, shape))),
    ...values.flatMap((value) => declaredValue(index, value)),
  ];
  return lengthDelimited(MODEL.graph, all);
}

interface StoredInput extends NewTensor {
  readonly dtype: number;
  readonly weightKey: string;
}

interface Replaced extends Placed<NodeProto> {
  readonly replacement: ConvReplacement;
}

/** The new nodes by where the node lies that they replace, with all that belongs to them. */
function makeNodes(source: ModelSource, index: ModelIndex, model: Model, replacements: readonly ConvReplacement[]) {
  const taken = new Set(index.names);
  const take = (wanted: string): string => {
    let name = wanted;
    for (let count = 2; taken.has(name); count++) name = `${wanted}_${count}`;
    taken.add(name);
    return name;
  };
  const byOutput = outputsOf(index.nodes);
  const made = new Map<number, readonly Piece[]>();
  const tensors: StoredInput[] = [];
  const values: NewValue[] = [];
  const replaced: Replaced[] = [];
  const known = new Map<string, string>();
  for (const replacement of replacements) {
    const placed = placeOf(model, replacement.node, byOutput);
    if (!placed) throw new Error(`${replacement.node.name} is not in the file's graph.`);
    const fresh = replacementNodes(placed.proto, replacement, take, known);
    const dtype = dataTypeCode(replacement.dtype);
    for (const tensor of fresh.tensors) {
      known.set(tensor.key, tensor.name);
      tensors.push({ ...tensor, dtype, weightKey: replacement.weightKey });
    }
    values.push(...fresh.values);
    replaced.push({ ...placed, replacement });
    made.set(placed.field.start, nodePieces(source, index, placed.field, fresh.nodes));
  }
  return { made, tensors, values, replaced };
}

/** Finds the node in the file's own graph: null for one within a local function, where only the call has a place. */
function placeOf(model: Model, node: Node, byOutput: ReadonlyMap<string, Placed<NodeProto>>): Placed<NodeProto> | null {
  const output = node.outputs[0] ?? null;
  const placed = output === null ? undefined : byOutput.get(model.values[output]?.name ?? '');
  return placed && isOperator(placed.proto, node.op) ? placed : null;
}

const outputsOf = (nodes: readonly Placed<NodeProto>[]): ReadonlyMap<string, Placed<NodeProto>> =>
  new Map(nodes.map((placed) => [placed.proto.output?.[0] ?? '', placed]));

/** The node is that operator, spelt with its domain. */
const isOperator = ({ opType, domain }: NodeProto, op: string): boolean =>
  op === (!domain || domain === 'ai.onnx' ? opType : `${domain}::${opType}`);

function nodePieces(
  source: ModelSource,
  { reader }: ModelIndex,
  field: WireField,
  nodes: readonly NodeProto[],
): readonly Piece[] {
  const metadata = fieldsOf(reader, field).filter(({ number }) => number === NODE_METADATA);
  const kept = metadata.flatMap((entry) => copied(source, entry));
  return nodes.flatMap((node) => lengthDelimited(GRAPH.node, [{ kind: 'bytes', bytes: encodeNode(node) }, ...kept]));
}

/** Nodes, by place, and tensors that nothing reads any more, once some nodes are replaced. */
function unread({ nodes, reads }: ModelIndex, replaced: readonly Replaced[]) {
  const left = new Map(reads);
  const producers = new Map(nodes.flatMap((placed) => (placed.proto.output ?? []).map((name) => [name, placed])));
  const dropped = new Set<number>();
  const names = new Set<string>();
  const waiting = replaced.flatMap(({ proto, replacement }) => {
    const [, weight, bias] = proto.input ?? [];
    return replacement.bias ? [weight, bias] : [weight];
  });
  for (let name = waiting.pop(); name !== undefined || waiting.length > 0; name = waiting.pop()) {
    if (!name) continue;
    const count = (left.get(name) ?? 0) - 1;
    left.set(name, count);
    const producer = producers.get(name);
    if (count > 0 || producer?.proto.output?.some((output) => (left.get(output) ?? 0) > 0)) continue;
    names.add(name);
    if (producer) {
      dropped.add(producer.field.start);
      waiting.push(...(producer.proto.input ?? []));
    }
  }
  return { nodes: dropped, names };
}

function storedTensor({ name, shape, byteLength, make, dtype }: StoredInput, data: DataFile | null): readonly Piece[] {
  const piece: Piece = { kind: 'made', length: byteLength, make };
  const description = { name, dims: [...shape], dataType: dtype };
  if (data && byteLength >= MIN_EXTERNAL_BYTES) {
    const external = { ...description, dataLocation: 1, externalData: [...data.add(piece)] };
    return bytesField(GRAPH.initializer, encodeTensor(external));
  }
  return lengthDelimited(GRAPH.initializer, [
    { kind: 'bytes', bytes: encodeTensor(description) },
    ...lengthDelimited(RAW_DATA, [piece]),
  ]);
}

const RAW_DATA = 9;

const tensorInfo = (name: string, elemType: number, shape: readonly number[]): Uint8Array =>
  encodeValueInfo({
    name,
    type: { tensorType: { elemType, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
  });

/** Declares a value between the halves where the value that it is like is declared. */
function declaredValue({ declared }: ModelIndex, { name, channels, like }: NewValue): readonly Piece[] {
  const tensor = declared.get(like)?.type?.tensorType;
  const dim = tensor?.shape?.dim;
  if (!tensor || !dim) return [];
  const extents = dim.map((extent, axis) => (axis === 1 ? { dimValue: channels } : extent));
  const info = { name, type: { tensorType: { ...tensor, shape: { dim: extents } } } };
  return bytesField(GRAPH.valueInfo, encodeValueInfo(info));
}
