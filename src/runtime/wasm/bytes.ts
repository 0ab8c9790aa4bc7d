/** Bytes of a module, nested as its parts are built, so that nothing is copied until the end. */
export type Bytes = readonly (number | Bytes)[];

export function flatten(bytes: Bytes): number[] {
  const flat: number[] = [];
  const append = (part: Bytes): void => {
    for (const item of part) {
      if (typeof item === 'number') flat.push(item);
      else append(item);
    }
  };
  append(bytes);
  return flat;
}

/** Unsigned LEB128. */
export function unsigned(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** Signed LEB128 of a 32-bit integer. */
export function signed(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

/** The four bytes of a float32. */
export function float32(value: number): Bytes {
  return [...new Uint8Array(new Float32Array([value]).buffer)];
}

/** Content with its length in front. */
export function sized(content: Bytes): Bytes {
  const flat = flatten(content);
  return [unsigned(flat.length), flat];
}

/** A vector: the number of items, then the items. */
export function vector(items: readonly Bytes[]): Bytes {
  return [unsigned(items.length), ...items];
}

export function text(value: string): Bytes {
  return sized([...new TextEncoder().encode(value)]);
}
