/**
 * The ONNX messages: `onnx-proto`'s generated decoders (frozen at ONNX 1.10), guarded, and with what has been added to
 * the format since. Decoders behave as before for any other reader than ours.
 */
import onnxProto from 'onnx-proto';
import type protobuf from 'protobufjs/minimal.js';
import { PagedReader, type UnknownField } from './paged-reader.ts';
import { decodeTensor } from './tensor-proto.ts';

const { onnx } = onnxProto;

export type ModelProto = onnxProto.onnx.ModelProto;
export type GraphProto = onnxProto.onnx.IGraphProto;
export type AttributeProto = onnxProto.onnx.IAttributeProto;
export type ValueInfoProto = onnxProto.onnx.IValueInfoProto;
export type TypeProto = onnxProto.onnx.ITypeProto;
export type SparseTensorProto = onnxProto.onnx.ISparseTensorProto;
export type StringStringEntryProto = onnxProto.onnx.IStringStringEntryProto;

/** Fields of NodeProto newer than 1.10. */
export interface NodeProto extends onnxProto.onnx.INodeProto {
  overload?: string;
  metadataProps?: StringStringEntryProto[];
}

/** Fields of FunctionProto newer than 1.10: attributes with their defaults, and the overload's name. */
export interface FunctionProto extends onnxProto.onnx.IFunctionProto {
  overload?: string;
  attributeProto?: AttributeProto[];
}

type Decode<T> = (reader: protobuf.Reader | Uint8Array, length?: number) => T;

interface MessageType<T> {
  decode: Decode<T>;
}

/** Reads the content of a newer field; `reader` stands at its first byte. */
type NewerField<T> = (message: T, reader: PagedReader, length: number) => void;

const metadataProp = (reader: PagedReader, length: number) => onnx.StringStringEntryProto.decode(reader, length);

const NEWER_NODE_FIELDS: Readonly<Record<number, NewerField<NodeProto>>> = {
  8: (node, reader, length) => {
    node.overload = text(reader, length);
  },
  9: (node, reader, length) => {
    node.metadataProps ??= [];
    node.metadataProps.push(metadataProp(reader, length));
  },
};

const NEWER_FUNCTION_FIELDS: Readonly<Record<number, NewerField<FunctionProto>>> = {
  11: (fn, reader, length) => {
    fn.attributeProto ??= [];
    fn.attributeProto.push(onnx.AttributeProto.decode(reader, length));
  },
  13: (fn, reader, length) => {
    fn.overload = text(reader, length);
  },
};

guard<NodeProto>(onnx.NodeProto, NEWER_NODE_FIELDS);
guard<FunctionProto>(onnx.FunctionProto, NEWER_FUNCTION_FIELDS);
for (const type of [
  onnx.ModelProto,
  onnx.GraphProto,
  onnx.AttributeProto,
  onnx.ValueInfoProto,
  onnx.TypeProto,
  onnx.TypeProto.Tensor,
  onnx.TypeProto.Sequence,
  onnx.TypeProto.Map,
  onnx.TypeProto.Optional,
  onnx.TypeProto.SparseTensor,
  onnx.TensorShapeProto,
  onnx.TensorShapeProto.Dimension,
  onnx.SparseTensorProto,
  onnx.StringStringEntryProto,
  onnx.OperatorSetIdProto,
  onnx.TensorAnnotation,
  onnx.TrainingInfoProto,
]) {
  guard<unknown>(type, {});
}
replaceTensorDecoder();

/** Decodes a whole model. Throws `malformed-model` or `limit-exceeded`. */
export function decodeModel(reader: PagedReader): ModelProto {
  return onnx.ModelProto.decode(reader);
}

/** Decode the message of `length` bytes that begins where `reader` stands. */
export const decodeNode = (reader: PagedReader, length: number): NodeProto => onnx.NodeProto.decode(reader, length);
export const decodeValueInfo = (reader: PagedReader, length: number): ValueInfoProto =>
  onnx.ValueInfoProto.decode(reader, length);
export const decodeEntry = (reader: PagedReader, length: number): StringStringEntryProto =>
  onnx.StringStringEntryProto.decode(reader, length);

/** The bytes of messages that are new. */
export const encodeNode = (node: NodeProto): Uint8Array => onnx.NodeProto.encode(node).finish();
export const encodeValueInfo = (info: ValueInfoProto): Uint8Array => onnx.ValueInfoProto.encode(info).finish();
export const encodeTensor = (tensor: onnxProto.onnx.ITensorProto): Uint8Array =>
  onnx.TensorProto.encode(tensor).finish();
export const encodeEntry = (entry: StringStringEntryProto): Uint8Array =>
  onnx.StringStringEntryProto.encode(entry).finish();

function guard<T>(type: MessageType<T>, newerFields: Readonly<Record<number, NewerField<T>>>): void {
  const { decode } = type;
  type.decode = (reader, length) => {
    if (!(reader instanceof PagedReader)) return decode(reader, length);
    const outer = reader.enter(length);
    const message = decode(reader, length);
    for (const field of reader.unknownFields) readNewerField(message, reader, field, newerFields[field.number]);
    reader.leave(outer);
    return message;
  };
}

function readNewerField<T>(message: T, reader: PagedReader, field: UnknownField, read?: NewerField<T>): void {
  if (read === undefined) return;
  const resume = reader.pos;
  reader.pos = field.offset;
  read(message, reader, field.length);
  reader.pos = resume;
}

function text(reader: PagedReader, length: number): string {
  return new TextDecoder().decode(reader.bytesAt(reader.pos, length));
}

function replaceTensorDecoder(): void {
  const { decode } = onnx.TensorProto;
  onnx.TensorProto.decode = (reader, length) => {
    if (!(reader instanceof PagedReader)) return decode(reader, length);
    const outer = reader.enter(length);
    const tensor = decodeTensor(reader);
    reader.leave(outer);
    return tensor;
  };
}
