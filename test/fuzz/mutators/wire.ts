import type { Chance } from '../chance.ts';
import { mutateBytes } from './bytes.ts';

/** A field of a protobuf message: a number, bytes, or a message, as far as its bytes read as one. */
interface Field {
  readonly number: number;
  readonly wireType: number;
  varint: bigint;
  bytes: Uint8Array;
  fields: Field[] | null;
}

const MAX_DEPTH = 24;
const LENGTH_DELIMITED = 2;
const NONE = new Uint8Array(0);
const FIXED_BYTES: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

function readVarint(bytes: Uint8Array, from: number): readonly [value: bigint, end: number] | null {
  let value = 0n;
  for (let at = from; at < Math.min(bytes.length, from + 10); at++) {
    const byte = bytes[at] ?? 0;
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - from));
    if (byte < 0x80) return [value, at + 1];
  }
  return null;
}

/** A field and where it ends; null where there is none. */
function readField(bytes: Uint8Array, at: number, depth: number): readonly [field: Field, end: number] | null {
  const tag = readVarint(bytes, at);
  if (tag === null || tag[0] >> 3n === 0n || tag[0] > 2n ** 32n) return null;
  const [key, start] = tag;
  const field: Field = { number: Number(key >> 3n), wireType: Number(key & 7n), varint: 0n, bytes: NONE, fields: null };
  if (field.wireType === 0) {
    const value = readVarint(bytes, start);
    return value && [{ ...field, varint: value[0] }, value[1]];
  }
  const isDelimited = field.wireType === LENGTH_DELIMITED;
  const length = isDelimited ? readVarint(bytes, start) : ([BigInt(FIXED_BYTES[field.wireType] ?? -1), start] as const);
  if (length === null || length[0] < 0n || length[1] + Number(length[0]) > bytes.length) return null;
  const end = length[1] + Number(length[0]);
  field.bytes = bytes.subarray(length[1], end);
  if (isDelimited && field.bytes.length > 1 && depth < MAX_DEPTH) field.fields = parse(field.bytes, depth + 1);
  return [field, end];
}

/** The fields of a message; null where the bytes are none. */
function parse(bytes: Uint8Array, depth: number): Field[] | null {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const read = readField(bytes, at, depth);
    if (read === null) return null;
    fields.push(read[0]);
    at = read[1];
  }
  return fields;
}

function varintBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from([...bytes, Number(rest)]);
}

function serialize(fields: readonly Field[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { number, wireType, varint, bytes, fields: inner } of fields) {
    parts.push(varintBytes(BigInt(number * 8 + wireType)));
    if (wireType === 0) parts.push(varintBytes(varint));
    else {
      const content = inner === null ? bytes : serialize(inner);
      if (wireType === LENGTH_DELIMITED) parts.push(varintBytes(BigInt(content.length)));
      parts.push(content);
    }
  }
  return new Uint8Array(Buffer.concat(parts));
}

interface Place {
  readonly list: Field[];
  readonly field: Field;
}

const placesIn = (fields: Field[]): readonly Place[] => {
  const places: Place[] = [];
  const walk = (list: Field[]): void => {
    for (const field of list) {
      places.push({ list, field });
      if (field.fields) walk(field.fields);
    }
  };
  walk(fields);
  return places;
};

const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  3n,
  7n,
  16n,
  255n,
  65_536n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n,
  -1n,
  -2n,
];

const copied = (field: Field): Field => ({ ...field, fields: field.fields?.map(copied) ?? null });

/** A number, or numbers one behind the other, or text. */
function changeContent(field: Field, chance: Chance): void {
  if (field.wireType === 0) {
    field.varint = chance.pick([
      chance.pick(EDGES),
      field.varint + 1n,
      field.varint - 1n,
      field.varint * 2n,
      BigInt(chance.below(24)),
    ]);
    return;
  }
  field.fields = null;
  const edges = Array.from({ length: 1 + chance.below(5) }, () => chance.pick(EDGES));
  field.bytes = chance.pick([
    () => mutateBytes(field.bytes, chance),
    () => new Uint8Array(Buffer.concat(edges.map(varintBytes))),
    () => new Uint8Array(BigUint64Array.from(edges, (edge) => BigInt.asUintN(64, edge)).buffer),
    () => NONE,
  ])();
}

type Mutation = (place: Place, other: Place, chance: Chance) => void;

/** Damage that keeps the wire format whole, and so reaches the graph. */
const MUTATIONS: readonly Mutation[] = [
  ({ field }, _, chance) => changeContent(field, chance),
  ({ field }, _, chance) => changeContent(field, chance),
  ({ list, field }) => void list.splice(list.indexOf(field), 1),
  ({ list, field }, _, chance) => {
    for (let count = 1 + chance.below(chance.oneIn(10) ? 300 : 3); count > 0; count--) list.push(copied(field));
  },
  // A name becomes another one: edges are drawn anew, cycles too.
  ({ field }, other) =>
    Object.assign(field, {
      bytes: other.field.bytes,
      varint: other.field.varint,
      fields: other.field.fields?.map(copied) ?? null,
    }),
  ({ list, field }, other) =>
    void list.splice(list.indexOf(field), 1, { ...copied(other.field), number: field.number }),
  ({ list, field }) => void list.splice(list.indexOf(field), 1, { ...field, number: field.number + 1 }),
  ({ list, field }, other) => void list.splice(list.indexOf(field), 0, copied(other.field)),
  ({ field }, other) => void field.fields?.push(copied(other.field)),
];

/** Larger than any fixture: mutations that double must come to an end. */
const MAX_BYTES = 2_000_000;

/** Where two names are to be alike, both are picked among fields of the same number. */
function pickOther(places: readonly Place[], { field }: Place, chance: Chance): Place {
  const alike = places.filter(
    (place) => place.field.number === field.number && place.field.wireType === field.wireType,
  );
  return chance.pick(chance.oneIn(3) ? places : alike);
}

/** A protobuf message with a few of its fields changed; now and then its bytes. */
export function mutateWire(bytes: Uint8Array, chance: Chance): Uint8Array {
  const fields = chance.oneIn(6) ? null : parse(bytes, 0);
  if (fields === null) return mutateBytes(bytes, chance);
  for (let left = 1 + chance.below(4); left > 0; left--) {
    const places = placesIn(fields);
    if (places.length === 0) break;
    const place = chance.pick(places);
    chance.pick(MUTATIONS)(place, pickOther(places, place, chance), chance);
  }
  return serialize(fields).subarray(0, MAX_BYTES);
}
