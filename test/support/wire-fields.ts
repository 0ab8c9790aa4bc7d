/** A field of a protobuf message, as it lies in the file. */
export interface WireField {
  readonly start: number;
  readonly content: number;
  readonly end: number;
  readonly isVarint?: boolean;
}

/** Every field of a message and, as far as they parse, of the messages in it. */
export function scanFields(bytes: Uint8Array): readonly WireField[] {
  return scan(bytes, 0, bytes.length, 0) ?? [];
}

const MAX_DEPTH = 12;

function scan(bytes: Uint8Array, from: number, to: number, depth: number): readonly WireField[] | null {
  const fields: WireField[] = [];
  let at = from;
  while (at < to) {
    const start = at;
    const tag = varint(bytes, at, to);
    if (tag === null || tag.value >>> 3 === 0) return null;
    const field = content(bytes, tag.end, to, tag.value & 7);
    if (field === null) return null;
    fields.push({ start, content: field.content, end: field.end, isVarint: (tag.value & 7) === 0 });
    if ((tag.value & 7) === 2 && depth < MAX_DEPTH) {
      fields.push(...(scan(bytes, field.content, field.end, depth + 1) ?? []));
    }
    at = field.end;
  }
  return fields;
}

function content(bytes: Uint8Array, at: number, to: number, wireType: number) {
  if (wireType === 0) {
    const value = varint(bytes, at, to);
    return value && { content: at, end: value.end };
  }
  if (wireType === 2) {
    const length = varint(bytes, at, to);
    if (length === null || length.end + length.value > to) return null;
    return { content: length.end, end: length.end + length.value };
  }
  const size = wireType === 1 ? 8 : wireType === 5 ? 4 : null;
  return size === null || at + size > to ? null : { content: at, end: at + size };
}

function varint(bytes: Uint8Array, from: number, to: number): { readonly value: number; readonly end: number } | null {
  let value = 0;
  for (let at = from; at < Math.min(to, from + 10); at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * (at - from));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return null;
}
