import type { DType } from './dtype.ts';
import { countElements } from './extents.ts';
import type { Constant } from './graph.ts';

type ReadElement = (view: DataView, index: number) => number;

const nibble = (view: DataView, index: number): number => (view.getUint8(index >> 1) >> (4 * (index & 1))) & 15;

/** How one element of a type is read. Types that never steer a shape are left out: their values are not tracked. */
const READ_ELEMENT: Partial<Record<DType, ReadElement>> = {
  float64: (view, index) => view.getFloat64(8 * index, true),
  float32: (view, index) => view.getFloat32(4 * index, true),
  float16: (view, index) => fromFloat16(view.getUint16(2 * index, true)),
  bfloat16: (view, index) => fromBfloat16(view.getUint16(2 * index, true)),
  int64: (view, index) => Number(view.getBigInt64(8 * index, true)),
  uint64: (view, index) => Number(view.getBigUint64(8 * index, true)),
  int32: (view, index) => view.getInt32(4 * index, true),
  uint32: (view, index) => view.getUint32(4 * index, true),
  int16: (view, index) => view.getInt16(2 * index, true),
  uint16: (view, index) => view.getUint16(2 * index, true),
  int8: (view, index) => view.getInt8(index),
  uint8: (view, index) => view.getUint8(index),
  bool: (view, index) => (view.getUint8(index) === 0 ? 0 : 1),
  uint4: nibble,
  int4: (view, index) => (nibble(view, index) << 28) >> 28,
};

/**
 * The elements of a constant as numbers, row-major; null where they are not there, or of a type that has no number.
 * Integers beyond 2⁵³ are rounded: they only ever mean "to the end".
 */
export function readElements(constant: Constant): readonly number[] | null {
  const read = READ_ELEMENT[constant.dtype];
  const bytes = read === undefined ? null : constant.data.read();
  if (read === undefined || bytes === null) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = countElements(constant.shape);
  return Array.from({ length: count }, (_, index) => read(view, index));
}

/** IEEE 754 half precision: 1 sign, 5 exponent, 10 fraction bits. */
function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** bfloat16 is the upper half of a float32. */
function fromBfloat16(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits << 16);
  return view.getFloat32(0);
}
