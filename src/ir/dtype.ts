/** What a tensor's elements are. `bits` is what one element takes in memory and on disk; 4-bit types are packed. */
export interface DTypeInfo {
  readonly bits: number;
  readonly family: 'float' | 'integer' | 'bool' | 'string' | 'complex';
}

const float = (bits: number): DTypeInfo => ({ bits, family: 'float' });
const integer = (bits: number): DTypeInfo => ({ bits, family: 'integer' });

export const DTYPES = {
  float64: float(64),
  float32: float(32),
  float16: float(16),
  bfloat16: float(16),
  float8e4m3fn: float(8),
  float8e4m3fnuz: float(8),
  float8e5m2: float(8),
  float8e5m2fnuz: float(8),
  float8e8m0: float(8),
  float4e2m1: float(4),
  int64: integer(64),
  int32: integer(32),
  int16: integer(16),
  int8: integer(8),
  int4: integer(4),
  int2: integer(2),
  uint64: integer(64),
  uint32: integer(32),
  uint16: integer(16),
  uint8: integer(8),
  uint4: integer(4),
  uint2: integer(2),
  bool: { bits: 8, family: 'bool' },
  complex64: { bits: 64, family: 'complex' },
  complex128: { bits: 128, family: 'complex' },
  /** Strings have no fixed size; counted as none. */
  string: { bits: 0, family: 'string' },
} as const satisfies Record<string, DTypeInfo>;

export type DType = keyof typeof DTYPES;

export function isFloat(dtype: DType): boolean {
  return DTYPES[dtype].family === 'float';
}

export function isInteger(dtype: DType): boolean {
  return DTYPES[dtype].family === 'integer' || dtype === 'bool';
}

/** Bytes of `elements` packed elements. */
export function byteSize(dtype: DType, elements: number): number {
  return Math.ceil((elements * DTYPES[dtype].bits) / 8);
}
