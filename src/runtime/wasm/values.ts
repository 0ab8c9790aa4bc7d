/**
 * Expressions of WebAssembly, typed: an object holds the code that leaves one value on the stack, and its methods are
 * the instructions on it. Opcodes: WebAssembly core specification 3.0, section 5.4.
 */
import { type Bytes, float32, signed, unsigned } from './bytes.ts';

export type ValueType = 'i32' | 'f32' | 'v128';

export const TYPE_CODES: Record<ValueType, number> = { i32: 0x7f, f32: 0x7d, v128: 0x7b };

/** Where an integer is asked for, a number stands for the constant. */
export type Int = I32 | number;

const SIMD = 0xfd;

const simd = (opcode: number, ...operands: Bytes[]): Bytes => [...operands, SIMD, unsigned(opcode)];

/** Alignment hints are left at a byte: no engine needs them. */
const memoryArgument = (offset: number): Bytes => [0, unsigned(offset)];

/** A 32-bit integer: an address, a count, or a truth value. */
export class I32 {
  readonly type = 'i32';
  readonly code: Bytes;

  constructor(code: Bytes) {
    this.code = code;
  }

  add = (other: Int): I32 => this.with(0x6a, other);
  sub = (other: Int): I32 => this.with(0x6b, other);
  mul = (other: Int): I32 => this.with(0x6c, other);
  /** Unsigned, like every comparison of addresses here. */
  div = (other: Int): I32 => this.with(0x6e, other);
  rem = (other: Int): I32 => this.with(0x70, other);
  and = (other: Int): I32 => this.with(0x71, other);
  or = (other: Int): I32 => this.with(0x72, other);
  shl = (other: Int): I32 => this.with(0x74, other);
  shr = (other: Int): I32 => this.with(0x76, other);
  eq = (other: Int): I32 => this.with(0x46, other);
  ne = (other: Int): I32 => this.with(0x47, other);
  /** Signed comparisons. */
  lt = (other: Int): I32 => this.with(0x48, other);
  gt = (other: Int): I32 => this.with(0x4a, other);
  le = (other: Int): I32 => this.with(0x4c, other);
  ge = (other: Int): I32 => this.with(0x4e, other);
  isZero = (): I32 => new I32([this.code, 0x45]);
  toFloat = (): F32 => new F32([this.code, 0xb2]);
  /** The same integer in every lane. */
  splat = (): V128 => new V128(simd(0x11, this.code));

  /** The smaller one, signed; both are evaluated twice. */
  min = (other: Int): I32 => this.lt(other).select(this, other);
  max = (other: Int): I32 => this.gt(other).select(this, other);

  /** `then` where this is not zero. Both are evaluated. */
  select = (then: Int, otherwise: Int): I32 => new I32([int(then).code, int(otherwise).code, this.code, 0x1b]);
  selectFloat = (then: F32, otherwise: F32): F32 => new F32([then.code, otherwise.code, this.code, 0x1b]);

  selectVector = (then: V128, otherwise: V128): V128 => new V128([then.code, otherwise.code, this.code, 0x1b]);

  loadI32 = (offset = 0): I32 => new I32([this.code, 0x28, memoryArgument(offset)]);
  loadF32 = (offset = 0): F32 => new F32([this.code, 0x2a, memoryArgument(offset)]);
  /** Four consecutive floats. */
  loadVector = (offset = 0): V128 => new V128([this.code, SIMD, 0x00, memoryArgument(offset)]);
  /** One float in every lane. */
  loadSplat = (offset = 0): V128 => new V128([this.code, SIMD, 0x09, memoryArgument(offset)]);

  private with(opcode: number, other: Int): I32 {
    return new I32([this.code, int(other).code, opcode]);
  }
}

export function int(value: Int): I32 {
  return typeof value === 'number' ? new I32([0x41, signed(value)]) : value;
}

export class F32 {
  readonly type = 'f32';
  readonly code: Bytes;

  constructor(code: Bytes) {
    this.code = code;
  }

  add = (other: F32): F32 => this.with(0x92, other);
  sub = (other: F32): F32 => this.with(0x93, other);
  mul = (other: F32): F32 => this.with(0x94, other);
  div = (other: F32): F32 => this.with(0x95, other);
  min = (other: F32): F32 => this.with(0x96, other);
  max = (other: F32): F32 => this.with(0x97, other);
  sqrt = (): F32 => new F32([this.code, 0x91]);
  floor = (): F32 => new F32([this.code, 0x8e]);
  ceil = (): F32 => new F32([this.code, 0x8d]);
  truncate = (): I32 => new I32([this.code, 0xfc, 0x00]);
  splat = (): V128 => new V128(simd(0x13, this.code));
  gt = (other: F32): I32 => new I32([this.code, other.code, 0x5e]);
  ge = (other: F32): I32 => new I32([this.code, other.code, 0x60]);

  private with(opcode: number, other: F32): F32 {
    return new F32([this.code, other.code, opcode]);
  }
}

export const float = (value: number): F32 => new F32([0x43, float32(value)]);

/** Four floats, or the same 128 bits as integers or as a mask. */
export class V128 {
  readonly type = 'v128';
  readonly code: Bytes;

  constructor(code: Bytes) {
    this.code = code;
  }

  add = (other: V128): V128 => this.with(0xe4, other);
  sub = (other: V128): V128 => this.with(0xe5, other);
  mul = (other: V128): V128 => this.with(0xe6, other);
  div = (other: V128): V128 => this.with(0xe7, other);
  /** `other < this ? other : this`: one instruction, and a NaN in this stays. */
  min = (other: V128): V128 => this.with(0xea, other);
  max = (other: V128): V128 => this.with(0xeb, other);
  abs = (): V128 => new V128(simd(0xe0, this.code));
  neg = (): V128 => new V128(simd(0xe1, this.code));
  sqrt = (): V128 => new V128(simd(0xe3, this.code));
  ceil = (): V128 => new V128(simd(0x67, this.code));
  floor = (): V128 => new V128(simd(0x68, this.code));
  /** To the nearest integer, ties to even. */
  round = (): V128 => new V128(simd(0x6a, this.code));
  eq = (other: V128): V128 => this.with(0x41, other);
  lt = (other: V128): V128 => this.with(0x43, other);
  gt = (other: V128): V128 => this.with(0x44, other);
  le = (other: V128): V128 => this.with(0x45, other);
  ge = (other: V128): V128 => this.with(0x46, other);
  and = (other: V128): V128 => this.with(0x4e, other);
  or = (other: V128): V128 => this.with(0x50, other);
  /** As a mask: lanes of `then` where it is set, of `otherwise` elsewhere. */
  choose = (then: V128, otherwise: V128): V128 => new V128(simd(0x52, then.code, otherwise.code, this.code));
  /** Bytes picked by the indices in `lanes`. */
  swizzle = (lanes: V128): V128 => new V128(simd(0x0e, this.code, lanes.code));
  lane = (index: number): F32 => new F32([simd(0x1f, this.code), index]);
  /** Lanes 0 to 3 of this, 4 to 7 of `other`. */
  shuffle = (other: V128, lanes: readonly [number, number, number, number]): V128 =>
    new V128([
      this.code,
      other.code,
      SIMD,
      0x0d,
      lanes.flatMap((lane) => [lane * 4, lane * 4 + 1, lane * 4 + 2, lane * 4 + 3]),
    ]);

  toIntegers = (): V128 => new V128(simd(0xf8, this.code));
  fromIntegers = (): V128 => new V128(simd(0xfa, this.code));
  addIntegers = (other: V128): V128 => this.with(0xae, other);
  subIntegers = (other: V128): V128 => this.with(0xb1, other);
  shiftLeft = (bits: number): V128 => new V128([this.code, int(bits).code, SIMD, unsigned(0xab)]);
  shiftRight = (bits: number): V128 => new V128([this.code, int(bits).code, SIMD, unsigned(0xac)]);

  private with(opcode: number, other: V128): V128 {
    return new V128(simd(opcode, this.code, other.code));
  }
}

/** The same float in every lane. */
export const splat = (value: number): V128 => new V128([SIMD, 0x0c, [0, 1, 2, 3].map(() => float32(value))]);

/** The same bits in every lane. */
export const splatBits = (bits: number): V128 =>
  new V128([
    SIMD,
    0x0c,
    [0, 1, 2, 3].map(() => [bits & 255, (bits >> 8) & 255, (bits >> 16) & 255, (bits >> 24) & 255]),
  ]);

/** a·b + c, rounded twice. */
export const multiplyAdd = (a: V128, b: V128, c: V128): V128 => a.mul(b).add(c);

/** a·b + c of the relaxed SIMD extension: rounded once where the machine can. */
export const relaxedMultiplyAdd = (a: V128, b: V128, c: V128): V128 => new V128(simd(0x105, a.code, b.code, c.code));

export type MultiplyAdd = typeof multiplyAdd;
