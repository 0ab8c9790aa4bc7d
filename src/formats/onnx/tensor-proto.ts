import onnxProto from 'onnx-proto';
import { INLINE_PAYLOAD_BYTES } from '../limits.ts';
import type { PagedReader } from './paged-reader.ts';

const { onnx } = onnxProto;

/** How a payload's bytes spell the elements. */
export type PayloadEncoding = 'raw' | 'fixed32' | 'fixed64' | 'varint';

/** Where a tensor's elements lie in the file. Small ones are at hand. */
export interface Payload {
  readonly encoding: PayloadEncoding;
  readonly offset: number;
  readonly length: number;
  readonly bytes: Uint8Array | null;
}

/** A tensor whose elements were left in the file. */
export class DeferredTensor extends onnx.TensorProto {
  /** Null where the file holds none: an empty tensor, external data, or strings. */
  payload: Payload | null = null;
  /** Elements written one by one rather than packed, as old writers did. */
  readonly loose: number[] = [];
  strings = 0;
}

/** Field numbers of TensorProto that hold elements, and how they are packed (onnx.proto). */
const PAYLOAD_FIELDS: Readonly<Record<number, PayloadEncoding>> = {
  4: 'fixed32',
  5: 'varint',
  7: 'varint',
  9: 'raw',
  10: 'fixed64',
  11: 'varint',
};

const LENGTH_DELIMITED = 2;

/** Reads one TensorProto up to the end of the message that `reader` is in, stepping over its elements. */
export function decodeTensor(reader: PagedReader): DeferredTensor {
  const tensor = new DeferredTensor();
  while (reader.pos < reader.end) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    const wireType = tag & 7;
    const encoding = PAYLOAD_FIELDS[field];
    if (encoding !== undefined) readElements(tensor, reader, encoding, wireType);
    else readDescription(tensor, reader, field, wireType);
  }
  return tensor;
}

function readElements(tensor: DeferredTensor, reader: PagedReader, encoding: PayloadEncoding, wireType: number): void {
  if (wireType === LENGTH_DELIMITED) {
    const length = reader.uint32();
    const offset = reader.pos;
    reader.skip(length);
    tensor.payload = {
      encoding,
      offset,
      length,
      bytes: length <= INLINE_PAYLOAD_BYTES ? reader.bytesAt(offset, length) : null,
    };
  } else if (encoding === 'fixed32') tensor.loose.push(reader.float());
  else if (encoding === 'fixed64') tensor.loose.push(reader.double());
  else tensor.loose.push(Number(reader.int64()));
}

function readDescription(tensor: DeferredTensor, reader: PagedReader, field: number, wireType: number): void {
  switch (field) {
    case 1:
      readDims(tensor, reader, wireType);
      break;
    case 2:
      tensor.dataType = reader.int32();
      break;
    case 6:
      tensor.strings++;
      reader.skipType(wireType);
      break;
    case 8:
      tensor.name = reader.string();
      break;
    case 13:
      tensor.externalData.push(onnx.StringStringEntryProto.decode(reader, reader.uint32()));
      break;
    case 14:
      tensor.dataLocation = reader.int32();
      break;
    default:
      reader.skipType(wireType);
  }
}

function readDims(tensor: DeferredTensor, reader: PagedReader, wireType: number): void {
  if (wireType !== LENGTH_DELIMITED) {
    tensor.dims.push(reader.int64());
    return;
  }
  const length = reader.uint32();
  const end = reader.pos + length;
  while (reader.pos < end) tensor.dims.push(reader.int64());
}
