import type { DType } from '../../ir/dtype.ts';
import type { Constant } from '../../ir/graph.ts';
import type { AttributeProto, SparseTensorProto } from './proto.ts';

interface TensorReaders {
  tensor(proto: object): Constant | null;
  sparse(proto: SparseTensorProto): Constant | null;
}

/** How each attribute of a Constant node spells its value. */
const VALUE_ATTRIBUTES: Readonly<
  Record<string, (attribute: AttributeProto, readers: TensorReaders) => Constant | null>
> = {
  value: ({ t }, { tensor }) => (t ? tensor(t) : null),
  sparse_value: ({ sparseTensor }, { sparse }) => (sparseTensor ? sparse(sparseTensor) : null),
  value_float: ({ f }) => encoded('float32', [f ?? 0], []),
  value_floats: ({ floats }) => encoded('float32', floats ?? [], [floats?.length ?? 0]),
  value_int: ({ i }) => encoded('int64', [Number(i ?? 0)], []),
  value_ints: ({ ints }) => encoded('int64', (ints ?? []).map(Number), [ints?.length ?? 0]),
  value_string: () => strings([]),
  value_strings: ({ strings: values }) => strings([values?.length ?? 0]),
};

/** The constant that a Constant node holds; null where it holds none that is understood. */
export function readConstantNode(
  attributes: ReadonlyMap<string, AttributeProto>,
  readers: TensorReaders,
): Constant | null {
  for (const [name, attribute] of attributes) {
    const read = Object.hasOwn(VALUE_ATTRIBUTES, name) ? VALUE_ATTRIBUTES[name] : undefined;
    if (read) return read(attribute, readers);
  }
  return null;
}

/** A constant of numbers that are already in memory. */
export function encoded(
  dtype: DType & ('float32' | 'int64'),
  values: readonly number[],
  shape: readonly number[],
): Constant {
  const bytes = dtype === 'int64' ? new BigInt64Array(values.map(toInt64)).buffer : new Float32Array(values).buffer;
  return { dtype, shape, origin: 'inline', data: { byteLength: bytes.byteLength, read: () => new Uint8Array(bytes) } };
}

function toInt64(value: number): bigint {
  return BigInt.asIntN(64, Number.isFinite(value) ? BigInt(Math.min(Math.trunc(value), MAX_INT64)) : 0n);
}

/** The largest float64 below 2⁶³. */
const MAX_INT64 = 2 ** 63 - 1024;

function strings(shape: readonly number[]): Constant {
  return { dtype: 'string', shape, origin: 'inline', data: { byteLength: 0, read: () => null } };
}
