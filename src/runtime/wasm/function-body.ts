/** Statements of one WebAssembly function, written down in order. */
import { type Bytes, signed, unsigned } from './bytes.ts';
import {
  type F32,
  F32 as F32Value,
  I32,
  type Int,
  int,
  TYPE_CODES,
  type V128,
  V128 as V128Value,
  type ValueType,
} from './values.ts';

/** A variable: an expression that reads it, and the index to write it. */
export type Local<T extends I32 | F32 | V128> = T & { readonly index: number };

/** A function that can be called; its index in the module's function space. */
export interface FunctionReference {
  readonly index: number;
}

const VOID_BLOCK = 0x40;
const ATOMIC = 0xfe;

/** What `atomicWait` gives where nobody woke it. */
export const WAIT_TIMED_OUT = 2;

export class FunctionBody {
  private readonly statements: Bytes[] = [];
  private readonly localTypes: ValueType[] = [];
  private readonly parameterCount: number;

  constructor(parameterCount: number) {
    this.parameterCount = parameterCount;
  }

  parameter = (index: number): Local<I32> => Object.assign(new I32([0x20, unsigned(index)]), { index });

  vectorParameter = (index: number): Local<V128> => Object.assign(new V128Value([0x20, unsigned(index)]), { index });

  i32 = (initial?: Int): Local<I32> => {
    const index = this.declare('i32');
    const local = Object.assign(new I32([0x20, unsigned(index)]), { index });
    if (initial !== undefined) this.set(local, initial);
    return local;
  };

  f32 = (initial?: F32): Local<F32> => {
    const index = this.declare('f32');
    const local = Object.assign(new F32Value([0x20, unsigned(index)]), { index });
    if (initial !== undefined) this.set(local, initial);
    return local;
  };

  v128 = (initial?: V128): Local<V128> => {
    const index = this.declare('v128');
    const local = Object.assign(new V128Value([0x20, unsigned(index)]), { index });
    if (initial !== undefined) this.set(local, initial);
    return local;
  };

  set(local: Local<I32>, value: Int): void;
  set(local: Local<F32>, value: F32): void;
  set(local: Local<V128>, value: V128): void;
  set(local: { readonly index: number }, value: Int | F32 | V128): void {
    const { code } = typeof value === 'number' ? int(value) : value;
    this.statements.push([code, 0x21, unsigned(local.index)]);
  }

  /** local += value. */
  increase = (local: Local<I32>, value: Int): void => this.set(local, local.add(value));

  storeI32 = (address: Int, value: Int, offset = 0): void => {
    this.statements.push([int(address).code, int(value).code, 0x36, 0, unsigned(offset)]);
  };

  storeF32 = (address: I32, value: F32, offset = 0): void => {
    this.statements.push([address.code, value.code, 0x38, 0, unsigned(offset)]);
  };

  storeVector = (address: I32, value: V128, offset = 0): void => {
    this.statements.push([address.code, value.code, 0xfd, 0x0b, 0, unsigned(offset)]);
  };

  /** `for (counter = from; counter < to; counter += step)`; the counter may be a local of the caller's. */
  loop(from: Int, to: Int, step: Int, body: (counter: Local<I32>) => void): void {
    const counter = this.i32(from);
    this.whileTrue(counter.lt(to), () => {
      body(counter);
      this.increase(counter, step);
    });
  }

  /** Tests before the first turn and, as one jump backwards, after every turn. */
  whileTrue(condition: I32, body: () => void): void {
    this.statements.push([condition.code, 0x04, VOID_BLOCK, 0x03, VOID_BLOCK]);
    body();
    this.statements.push([condition.code, 0x0d, 0, 0x0b, 0x0b]);
  }

  /** At least one turn. */
  doWhile(body: () => void, condition: () => I32): void {
    this.statements.push([0x03, VOID_BLOCK]);
    body();
    this.statements.push([condition().code, 0x0d, 0, 0x0b]);
  }

  /** A block that `exitIf` leaves. */
  block(body: () => void): void {
    this.statements.push([0x02, VOID_BLOCK]);
    body();
    this.statements.push([0x0b]);
  }

  /** Leaves the block or loop that is `depth` levels around. */
  exitIf(condition: I32, depth: number): void {
    this.statements.push([condition.code, 0x0d, unsigned(depth)]);
  }

  if(condition: I32, then: () => void, otherwise?: () => void): void {
    this.statements.push([condition.code, 0x04, VOID_BLOCK]);
    then();
    if (otherwise) {
      this.statements.push([0x05]);
      otherwise();
    }
    this.statements.push([0x0b]);
  }

  /** Runs the case with the index `selector`; nothing where there is none. Cases do not fall through. */
  switch(selector: I32, cases: readonly (() => void)[]): void {
    const depths = cases.map((_, index) => unsigned(index));
    this.statements.push([0x02, VOID_BLOCK], ...cases.map((): Bytes => [0x02, VOID_BLOCK]));
    this.statements.push([selector.code, 0x0e, unsigned(cases.length), ...depths, unsigned(cases.length)]);
    for (const [index, body] of cases.entries()) {
      this.statements.push([0x0b]);
      body();
      this.statements.push([0x0c, unsigned(cases.length - 1 - index)]);
    }
    this.statements.push([0x0b]);
  }

  call(target: FunctionReference, ...operands: readonly (Int | F32 | V128)[]): void {
    this.statements.push([...operands.map(codeOf), 0x10, unsigned(target.index)]);
  }

  /** Calls the function at `slot` of the table, of the type with this index. */
  callIndirect(slot: I32, typeIndex: number, ...operands: readonly Int[]): void {
    this.statements.push([...operands.map(codeOf), slot.code, 0x11, unsigned(typeIndex), 0]);
  }

  return(value: V128 | I32): void {
    this.statements.push([value.code, 0x0f]);
  }

  trap(): void {
    this.statements.push([0x00]);
  }

  global = (index: number): I32 => new I32([0x23, unsigned(index)]);

  setGlobal(index: number, value: Int): void {
    this.statements.push([int(value).code, 0x24, unsigned(index)]);
  }

  atomicLoad = (address: Int): I32 => new I32([int(address).code, ATOMIC, 0x10, 2, 0]);

  atomicStore(address: Int, value: Int): void {
    this.statements.push([int(address).code, int(value).code, ATOMIC, 0x17, 2, 0]);
  }

  /** Adds, and gives what was there before. */
  atomicAdd = (address: Int, value: Int): I32 => new I32([int(address).code, int(value).code, ATOMIC, 0x1e, 2, 0]);

  /** Sleeps while the word at `address` is `expected`, at most that long; gives `WAIT_TIMED_OUT` where it was too long. */
  atomicWait = (address: Int, expected: I32, timeoutNs: number): I32 =>
    new I32([int(address).code, expected.code, 0x42, signed(timeoutNs), ATOMIC, 0x01, 2, 0]);

  atomicNotifyAll(address: Int): void {
    this.statements.push([int(address).code, int(-1).code, ATOMIC, 0x00, 2, 0, 0x1a]);
  }

  /** Evaluates and forgets. */
  drop(value: I32): void {
    this.statements.push([value.code, 0x1a]);
  }

  /** The declarations of locals, one a group, then the statements. */
  encode(): Bytes {
    const groups = this.localTypes.map((type): Bytes => [1, TYPE_CODES[type]]);
    return [unsigned(groups.length), ...groups, ...this.statements, 0x0b];
  }

  private declare(type: ValueType): number {
    this.localTypes.push(type);
    return this.parameterCount + this.localTypes.length - 1;
  }
}

const codeOf = (operand: Int | F32 | V128): Bytes => (typeof operand === 'number' ? int(operand) : operand).code;
