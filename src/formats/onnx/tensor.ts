import { byteSize, DTYPES, type DType } from '../../ir/dtype.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { countElements } from '../../ir/extents.ts';
import { MAX_RANK } from '../../ir/fact.ts';
import type { Constant, TensorData } from '../../ir/graph.ts';
import { type ByteSource, readExactly } from '../byte-source.ts';
import { dataType } from './data-type.ts';
import { type ExternalFiles, externalLocation } from './external-data.ts';
import type { DeferredTensor, Payload } from './tensor-proto.ts';

const EXTERNAL = 1;

/** What reading a tensor's elements takes. */
export interface TensorContext {
  readonly file: ByteSource;
  readonly externals: ExternalFiles;
}

/** The constant that a TensorProto stands for. Throws `malformed-model` where its parts contradict each other. */
export function readTensor(tensor: DeferredTensor, origin: Constant['origin'], context: TensorContext): Constant {
  const name = tensor.name || '(unnamed)';
  const dtype = dataType(tensor.dataType);
  if (dtype === null) {
    throw new DscAuditError('malformed-model', `tensor '${name}' has data type ${tensor.dataType}, which is unknown.`);
  }
  const shape = readExtents(name, tensor.dims);
  const elements = countElements(shape);
  if (!Number.isSafeInteger(elements)) {
    throw new DscAuditError(
      'malformed-model',
      `tensor '${name}' has the shape ${shape.join('x')}: beyond 2^53 elements.`,
    );
  }
  return { dtype, shape, origin, data: readData(name, tensor, dtype, elements, context) };
}

/** Extents as plain numbers, none negative. */
export function readExtents(name: string, dims: readonly unknown[]): readonly number[] {
  if (dims.length > MAX_RANK) {
    throw new DscAuditError(
      'limit-exceeded',
      `tensor '${name}' has ${dims.length} axes; at most ${MAX_RANK} are read.`,
    );
  }
  return dims.map((dim) => {
    const extent = Number(dim);
    if (!Number.isSafeInteger(extent) || extent < 0) {
      throw new DscAuditError('malformed-model', `tensor '${name}' has a dimension of ${extent}.`);
    }
    return extent;
  });
}

function readData(
  name: string,
  tensor: DeferredTensor,
  dtype: DType,
  elements: number,
  { file, externals }: TensorContext,
): TensorData {
  const byteLength = byteSize(dtype, elements);
  if (tensor.dataLocation === EXTERNAL) {
    const { file: path, offset, length } = externalLocation(name, tensor.externalData);
    const source = externals.open(path);
    if (length !== null && length !== byteLength) throw mismatch(name, length, byteLength);
    if (source !== null && offset + byteLength > source.size) {
      throw new DscAuditError(
        'malformed-model',
        `tensor '${name}' should lie in ${path} up to byte ${offset + byteLength}, but that file has ${source.size}.`,
      );
    }
    return { byteLength, read: () => (source === null ? null : readExactly(source, offset, byteLength)) };
  }
  const { payload, loose } = tensor;
  if (loose.length > 0) {
    const least = Math.min(elements, byteLength);
    if (loose.length < least) throw mismatch(name, loose.length, least);
    return { byteLength, read: () => encodeElements(dtype, loose, least) };
  }
  if (payload === null) {
    if (dtype !== 'string' && elements > 0) throw mismatch(name, 0, byteLength);
    return { byteLength, read: () => (elements === 0 ? new Uint8Array(0) : null) };
  }
  checkLength(name, payload, byteLength, elements);
  return { byteLength, read: () => decodePayload(payload, dtype, elements, byteLength, file) };
}

/** Varints are of any length, at least one byte each; one holds a whole element, or a packed pair of 4-bit ones. */
function checkLength(name: string, payload: Payload, byteLength: number, elements: number): void {
  if (payload.encoding === 'varint') {
    const least = Math.min(elements, byteLength);
    if (payload.length < least) throw mismatch(name, payload.length, least);
  } else if (payload.length !== byteLength) throw mismatch(name, payload.length, byteLength);
}

function mismatch(name: string, stored: number, needed: number): DscAuditError {
  return new DscAuditError(
    'malformed-model',
    `tensor '${name}' holds ${stored} bytes where its shape needs ${needed}.`,
  );
}

function decodePayload(
  { bytes, offset, length, encoding }: Payload,
  dtype: DType,
  elements: number,
  byteLength: number,
  file: ByteSource,
): Uint8Array {
  const stored = bytes ?? readExactly(file, offset, length);
  return encoding === 'varint' ? encodeElements(dtype, readVarints(stored), Math.min(elements, byteLength)) : stored;
}

/** Varints as signed 64-bit integers. */
function readVarints(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte < 0x80) {
      values.push(BigInt.asIntN(64, value));
      value = 0n;
      shift = 0n;
    }
  }
  return values;
}

/** Elements as the raw, little-endian bytes that their type takes. 4-bit pairs and float16 come as their bits. */
function encodeElements(dtype: DType, values: readonly (number | bigint)[], elements: number): Uint8Array {
  const bytesPerElement = Math.max(1, DTYPES[dtype].bits / 8);
  const bytes = new Uint8Array(elements * bytesPerElement);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < Math.min(elements, values.length); index++) {
    const value = values[index] ?? 0;
    const at = index * bytesPerElement;
    if (dtype === 'float32') view.setFloat32(at, Number(value), true);
    else if (dtype === 'float64') view.setFloat64(at, Number(value), true);
    else writeInteger(view, at, bytesPerElement, typeof value === 'bigint' ? value : truncate(value));
  }
  return bytes;
}

function writeInteger(view: DataView, at: number, bytes: number, value: bigint): void {
  for (let index = 0; index < bytes; index++) {
    view.setUint8(at + index, Number((value >> BigInt(8 * index)) & 0xffn));
  }
}

function truncate(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
}
