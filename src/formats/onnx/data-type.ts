import type { DType } from '../../ir/dtype.ts';

/** TensorProto.DataType by number (onnx.proto, opset 26). */
const DATA_TYPES: readonly (DType | null)[] = [
  null,
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
];

/** The element type for its number; null for none, or one that is newer than this table. */
export function dataType(code: number | null | undefined): DType | null {
  return DATA_TYPES[code ?? 0] ?? null;
}

/** The number of an element type. */
export const dataTypeCode = (dtype: DType): number => DATA_TYPES.indexOf(dtype);
