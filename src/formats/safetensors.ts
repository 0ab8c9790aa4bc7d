/**
 * The safetensors format: eight bytes with the length of a JSON header, the header (name → type, shape, offsets), then
 * the elements, little-endian (huggingface/safetensors, "Format").
 */
import type { DType } from '../ir/dtype.ts';
import type { Piece } from './pieces.ts';

export interface SafeTensor {
  readonly name: string;
  readonly dtype: DType & ('float16' | 'bfloat16' | 'float32' | 'float64' | 'int64');
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly make: () => Uint8Array;
}

const TYPE_NAMES: Readonly<Record<SafeTensor['dtype'], string>> = {
  float16: 'F16',
  bfloat16: 'BF16',
  float32: 'F32',
  float64: 'F64',
  int64: 'I64',
};

/** Elements begin at a multiple of this, and the header is filled up with spaces. */
const ALIGNMENT = 8;

export function safetensorsFile(tensors: readonly SafeTensor[]): readonly Piece[] {
  let offset = 0;
  const entries = tensors.map(({ name, dtype, shape, byteLength }) => {
    const begin = offset;
    offset += byteLength;
    return [name, { dtype: TYPE_NAMES[dtype], shape, data_offsets: [begin, offset] }];
  });
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  const header = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, 8);
  return [
    { kind: 'bytes', bytes: header },
    ...tensors.map(({ byteLength, make }): Piece => ({ kind: 'made', length: byteLength, make })),
  ];
}
