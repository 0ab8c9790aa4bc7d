import type { DType } from '../../ir/dtype.ts';
import { encodeFloats, isWeightType } from '../../ir/elements.ts';
import { DscAuditError } from '../../ir/errors.ts';
import type { Constant } from '../../ir/graph.ts';

type Encode = (values: readonly number[]) => Uint8Array;

/** How whole numbers are written, for the types that literals have. */
const WHOLE: Partial<Record<DType, Encode>> = {
  int64: (values) => new Uint8Array(BigInt64Array.from(values, (value) => BigInt(Math.trunc(value))).buffer),
  int32: (values) => new Uint8Array(Int32Array.from(values).buffer),
  uint8: (values) => Uint8Array.from(values),
  bool: (values) => Uint8Array.from(values, (value) => (value === 0 ? 0 : 1)),
};

/** Channels of real networks take a thousandth of this; beyond it the elements count as not there. */
const MAX_FILLED_BYTES = 2 ** 26;

/** One axis of the same number throughout. How long it is comes from the file: nothing is made of it until it is read. */
export function filledLiteral(dtype: DType, value: number, count: number): Constant {
  const { dtype: type, data } = literal(dtype, [value], []);
  const byteLength = data.byteLength * count;
  if (!Number.isSafeInteger(byteLength)) {
    throw new DscAuditError('malformed-model', `an axis of ${count} is too long for any machine.`);
  }
  const one = data.read();
  const read = () => (one === null || byteLength > MAX_FILLED_BYTES ? null : Buffer.alloc(byteLength, one));
  return { dtype: type, shape: [count], origin: 'literal', data: { byteLength, read } };
}

/** A constant that lowering itself makes; in float32 where the type is one that literals do not have. */
export function literal(dtype: DType, values: readonly number[], shape: readonly number[]): Constant {
  const whole = WHOLE[dtype];
  const type = whole !== undefined || isWeightType(dtype) ? dtype : 'float32';
  const bytes = whole ? whole(values) : encodeFloats(isWeightType(type) ? type : 'float32', Float64Array.from(values));
  return { dtype: type, shape, origin: 'literal', data: { byteLength: bytes.byteLength, read: () => bytes } };
}
