import { byteSize, type DType } from './dtype.ts';
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

/** How one number is written as an element of a type that weights are stored in. */
const WRITE_ELEMENT = {
  float64: (view, index, value) => view.setFloat64(8 * index, value, true),
  float32: (view, index, value) => view.setFloat32(4 * index, value, true),
  float16: (view, index, value) => view.setUint16(2 * index, toFloat16(value), true),
  bfloat16: (view, index, value) => view.setUint16(2 * index, toBfloat16(value), true),
} as const satisfies Partial<Record<DType, (view: DataView, index: number, value: number) => void>>;

/** Types that weights can be written in. */
export type WeightType = keyof typeof WRITE_ELEMENT;

export function isWeightType(dtype: DType | null): dtype is WeightType {
  return dtype !== null && Object.hasOwn(WRITE_ELEMENT, dtype);
}

/** Numbers as raw, little-endian elements, rounded to the nearest. */
export function encodeFloats(dtype: WeightType, values: Float32Array | Float64Array): Uint8Array {
  const bytes = new Uint8Array(byteSize(dtype, values.length));
  const view = new DataView(bytes.buffer);
  const write = WRITE_ELEMENT[dtype];
  for (const [index, value] of values.entries()) write(view, index, value);
  return bytes;
}

/** Half precision, ties to even; what is too large becomes infinite. */
function toFloat16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  // Below 2⁻¹⁴ all numbers are multiples of 2⁻²⁴; above, of 2⁻¹⁰ of their power of two.
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const units = roundToEven(size / 2 ** (exponent - 10));
  return sign | (units + (exponent + 14) * 1024);
}

/** The upper half of a float32, ties to even. */
function toBfloat16(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  const bits = view.getUint32(0);
  if (Number.isNaN(value)) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
