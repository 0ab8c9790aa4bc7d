import type { ValueId } from '../../../ir/graph.ts';
import { isList, type Json, member } from '../json.ts';
import { type CallArgument, type LayerCall, tensorsIn, UnknownInput } from '../layer-call.ts';
import { type NumberArray, numberArray } from './number-array.ts';

/**
 * The arguments of a function of a graph, wherever a version of Keras writes them: by position, by name, or, of
 * `keras.ops`, in the config. A position of -1 stands for an argument that is only named.
 */
export class FunctionArguments {
  readonly call: LayerCall;

  constructor(call: LayerCall) {
    this.call = call;
  }

  /** A plain value; undefined where there is none, or a tensor. */
  value(position: number, ...names: readonly string[]): Json | undefined {
    const given = this.#given(position, names);
    const plain = given && jsonOf(given);
    if (plain !== undefined) return plain;
    const name = names.find((each) => this.call.config.value(each) !== undefined);
    return name === undefined ? undefined : this.call.config.value(name);
  }

  /** A tensor, or numbers as one. */
  tensor(position: number, ...names: readonly string[]): ValueId {
    const given = this.#given(position, names);
    if (given?.type === 'tensor') return given.id;
    const array = numbersOf(this.value(position, ...names));
    if (array === null) throw this.call.invalid(`has no tensor or numbers as '${names[0] ?? position}'`);
    return this.call.numbers(array.values, array.shape, this.#typeOfTensors());
  }

  /** Tensors of a list, or of the arguments one by one. */
  tensors(position: number, ...names: readonly string[]): readonly ValueId[] {
    const given = this.#given(position, names);
    if (given?.type === 'list') return given.items.flatMap(tensorsIn);
    return this.call.inputs;
  }

  integer(fallback: number, position: number, ...names: readonly string[]): number {
    const value = this.value(position, ...names) ?? fallback;
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw this.#mistyped(names, 'a whole number');
    return value;
  }

  number(fallback: number, position: number, ...names: readonly string[]): number {
    const value = this.value(position, ...names) ?? fallback;
    if (typeof value !== 'number') throw this.#mistyped(names, 'a number');
    return value;
  }

  flag(position: number, ...names: readonly string[]): boolean {
    return this.value(position, ...names) === true;
  }

  text(fallback: string, position: number, ...names: readonly string[]): string {
    const value = this.value(position, ...names) ?? fallback;
    if (typeof value !== 'string') throw this.#mistyped(names, 'a text');
    return value;
  }

  /** Whole numbers, or one; null where there are none. Throws `UnknownInput` where a tensor tells them. */
  integers(position: number, ...names: readonly string[]): readonly number[] | null {
    const given = this.#given(position, names);
    if (given !== undefined && tensorsIn(given).length > 0) throw new UnknownInput(`a tensor tells '${names[0]}'`);
    const value = this.value(position, ...names) ?? null;
    if (value === null) return null;
    const list = isList(value) ? value : [value];
    const integers = list.filter((item): item is number => Number.isSafeInteger(item));
    if (integers.length < list.length) throw this.#mistyped(names, 'a list of whole numbers');
    return integers;
  }

  /** Axes counted from the front; null where none are given. */
  axes(x: ValueId, position: number, ...names: readonly string[]): readonly number[] | null {
    const rank = this.call.rank(x);
    return this.integers(position, ...names)?.map((axis) => (axis < 0 ? axis + rank : axis)) ?? null;
  }

  #given(position: number, names: readonly string[]): CallArgument | undefined {
    const named = names.map((name) => this.call.arguments.named.get(name)).find((argument) => argument !== undefined);
    return named ?? (position < 0 ? undefined : this.call.arguments.positional[position]);
  }

  #typeOfTensors() {
    const [first] = this.call.inputs;
    return first === undefined ? undefined : (this.call.dtype(first) ?? undefined);
  }

  #mistyped(names: readonly string[], needed: string) {
    return this.call.invalid(`takes ${needed} as '${names[0] ?? 'argument'}'`);
  }
}

/** An argument of plain values as JSON; undefined where tensors are among them. */
function jsonOf(argument: CallArgument): Json | undefined {
  switch (argument.type) {
    case 'value':
      return argument.value;
    case 'tensor':
      return undefined;
    case 'list': {
      const items = argument.items.map(jsonOf);
      const known = items.filter((item) => item !== undefined);
      return known.length < items.length ? undefined : known;
    }
    case 'map': {
      const entries = Array.from(argument.items, ([key, item]) => [key, jsonOf(item)] as const);
      const known = entries.flatMap(([key, item]) => (item === undefined ? [] : [[key, item] as const]));
      return known.length < entries.length ? undefined : Object.fromEntries(known);
    }
  }
}

/** Numbers as they stand, or as Keras 3 writes arrays. */
function numbersOf(value: Json | undefined): NumberArray | null {
  if (typeof value === 'boolean') return { values: [value ? 1 : 0], shape: [] };
  return numberArray(member(member(value, 'config'), 'value') ?? value);
}
