import type { ByteSource } from '../byte-source.ts';

/** "GCOL": a collection of variable-length values. (HDF5 file format specification 3.0, III.E) */
const SIGNATURE = 'GCOL';
const COLLECTION_HEADER_BYTES = 16;
const OBJECT_HEADER_BYTES = 16;
const SIZE_AT = 8;

/**
 * A file as the HDF5 library may read it. Object 0 of a global heap is the free space behind all others; one of no
 * bytes leads back to itself, and the library walks it without end. Such a one is read as reaching to the heap's end.
 *
 * @param mostBytes of a heap that are looked at
 */
export function withEndingHeaps(source: ByteSource, mostBytes: number): ByteSource {
  const seen = new Set<number>();
  const repairs = new Map<number, Uint8Array>();
  return {
    ...source,
    read(offset, target) {
      const count = source.read(offset, target);
      const bytes = Buffer.from(target.buffer, target.byteOffset, count);
      for (let at = bytes.indexOf(SIGNATURE); at >= 0; at = bytes.indexOf(SIGNATURE, at + 1)) {
        if (!seen.has(offset + at)) findRepair(source, offset + at, mostBytes, repairs);
        seen.add(offset + at);
      }
      for (const [at, size] of repairs) {
        size.forEach((byte, index) => {
          const position = at + index - offset;
          if (position >= 0 && position < count) target[position] = byte;
        });
      }
      return count;
    },
  };
}

/** Walks a heap as the library does, up to a free object of no bytes. */
function findRepair(source: ByteSource, start: number, mostBytes: number, repairs: Map<number, Uint8Array>): void {
  const header = Buffer.alloc(COLLECTION_HEADER_BYTES);
  if (source.read(start, header) < COLLECTION_HEADER_BYTES) return;
  const told = Number(header.readBigUInt64LE(SIZE_AT));
  const heap = Buffer.alloc(Math.min(told, source.size - start, mostBytes));
  const end = source.read(start, heap);
  let at = COLLECTION_HEADER_BYTES;
  while (at + OBJECT_HEADER_BYTES <= end) {
    const isFree = heap.readUInt16LE(at) === 0;
    const size = Number(heap.readBigUInt64LE(at + SIZE_AT));
    if (isFree && size === 0) {
      const rest = Buffer.alloc(8);
      rest.writeBigUInt64LE(BigInt(end - at));
      repairs.set(start + at + SIZE_AT, rest);
      return;
    }
    at += isFree ? size : OBJECT_HEADER_BYTES + Math.ceil(size / 8) * 8;
  }
}
