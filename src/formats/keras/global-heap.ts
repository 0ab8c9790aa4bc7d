/** "GCOL": a collection of variable-length values. (HDF5 file format specification 3.0, III.E) */
const SIGNATURE = 0x4c4f4347;
const COLLECTION_HEADER_BYTES = 16;
const OBJECT_HEADER_BYTES = 16;

/**
 * Whether a stretch of a file is a global heap that the HDF5 library would walk without end: object 0 is the free space
 * behind all others, and one of no bytes leads back to itself.
 */
export function isEndlessHeap(bytes: Uint8Array): boolean {
  if (bytes.length < COLLECTION_HEADER_BYTES) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== SIGNATURE) return false;
  let at = COLLECTION_HEADER_BYTES;
  while (at + OBJECT_HEADER_BYTES <= bytes.length) {
    const isFree = view.getUint16(at, true) === 0;
    const size = Number(view.getBigUint64(at + 8, true));
    if (isFree && size === 0) return true;
    at += isFree ? size : OBJECT_HEADER_BYTES + Math.ceil(size / 8) * 8;
  }
  return false;
}
