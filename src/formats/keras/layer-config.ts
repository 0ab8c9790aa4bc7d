import { DscAuditError } from '../../ir/errors.ts';
import { describeJson, isList, isObject, type Json, type JsonObject, member } from './json.ts';

/**
 * The `config` of one layer, read by field and type. A field that Keras always writes has no fallback: a missing or
 * mistyped one is an error that names the layer and the field. Fields that came with later versions have one.
 */
export class LayerConfig {
  readonly #what: string;
  readonly #fields: JsonObject;

  /** `what`: the layer, as messages name it. */
  constructor(what: string, fields: JsonObject) {
    this.#what = what;
    this.#fields = fields;
  }

  has(field: string): boolean {
    return (this.value(field) ?? null) !== null;
  }

  /** The field as it stands; undefined where there is none. */
  value(field: string): Json | undefined {
    return member(this.#fields, field);
  }

  /** A whole number above 0. */
  count(field: string, fallback?: number): number {
    return this.#read(field, 'a whole number above 0', isCount, fallback);
  }

  /** Null where it is null or left out. */
  optionalCount(field: string): number | null {
    return this.has(field) ? this.count(field) : null;
  }

  integer(field: string, fallback?: number): number {
    return this.#read(field, 'a whole number', isInteger, fallback);
  }

  number(field: string, fallback?: number): number {
    return this.#read(field, 'a number', isNumber, fallback);
  }

  optionalNumber(field: string): number | null {
    return this.has(field) ? this.number(field) : null;
  }

  flag(field: string, fallback?: boolean): boolean {
    return this.#read(field, 'true or false', isFlag, fallback);
  }

  text(field: string, fallback?: string): string {
    return this.#read(field, 'a text', isText, fallback);
  }

  optionalText(field: string): string | null {
    return this.has(field) ? this.text(field) : null;
  }

  /** One of a few texts, in whatever case they are written. */
  choice<T extends string>(field: string, choices: readonly T[], fallback?: T): T {
    const given = this.text(field, fallback).toLowerCase();
    const chosen = choices.find((choice) => choice === given);
    if (chosen === undefined) throw this.#mistyped(field, `one of ${choices.join(', ')}`);
    return chosen;
  }

  /** Counts for so many axes: a list of them, or one number for all. */
  counts(field: string, axes: number, fallback?: number): readonly number[] {
    const value = this.value(field);
    if (isCount(value)) return new Array<number>(axes).fill(value);
    if (isList(value) && value.length === axes && value.every(isCount)) return value;
    if (fallback !== undefined && (value ?? null) === null) return new Array<number>(axes).fill(fallback);
    throw this.#mistyped(field, axes === 1 ? 'a whole number above 0' : `${axes} whole numbers above 0`);
  }

  optionalCounts(field: string, axes: number): readonly number[] | null {
    return this.has(field) ? this.counts(field, axes) : null;
  }

  /** A list of whole numbers, or one of them. */
  integers(field: string): readonly number[] {
    const value = this.value(field);
    if (isInteger(value)) return [value];
    if (isList(value) && value.every(isInteger)) return value;
    throw this.#mistyped(field, 'a list of whole numbers');
  }

  /** A list of numbers, nested as deep as it likes, or one of them; in reading order. */
  numbers(field: string): readonly number[] {
    const flat = flattened(this.value(field));
    if (flat.every(isNumber)) return flat;
    throw this.#mistyped(field, 'a list of numbers');
  }

  object(field: string): JsonObject {
    return this.#read(field, 'an object', isObject);
  }

  list(field: string): readonly Json[] {
    return this.#read(field, 'a list', isList);
  }

  /** The error for a field whose type is right and whose value is not. */
  invalid(field: string, needed: string): DscAuditError {
    return this.#mistyped(field, needed);
  }

  #read<T extends Json>(field: string, needed: string, is: (value: Json | undefined) => value is T, fallback?: T): T {
    const value = this.value(field);
    if (is(value)) return value;
    if (fallback !== undefined && (value ?? null) === null) return fallback;
    throw this.#mistyped(field, needed);
  }

  #mistyped(field: string, needed: string): DscAuditError {
    const value = this.value(field);
    const is = value === undefined ? 'is missing' : `is ${describeJson(value)}`;
    return new DscAuditError('malformed-model', `${this.#what}: '${field}' ${is}; ${needed} is needed.`);
  }
}

function flattened(value: Json | undefined): readonly (Json | undefined)[] {
  return isList(value) ? value.flatMap(flattened) : [value];
}

const isInteger = (value: Json | undefined): value is number => Number.isSafeInteger(value);
const isCount = (value: Json | undefined): value is number => isInteger(value) && value > 0;
const isNumber = (value: Json | undefined): value is number => typeof value === 'number';
const isFlag = (value: Json | undefined): value is boolean => typeof value === 'boolean';
const isText = (value: Json | undefined): value is string => typeof value === 'string';
