/**
 * Bounds on what a model file may ask of us. Files come from strangers: each bound is far above what real models need,
 * and low enough that a hostile file costs little time and memory. Those that a user may move are in `raisable-limits.ts`.
 */

/** Nesting of messages in the file. Protobuf's own readers stop at 100; a subgraph takes three levels. */
export const MAX_MESSAGE_DEPTH = 120;

/** Bytes of one string. Names are short; descriptions may be long. */
export const MAX_STRING_BYTES = 16 * 2 ** 20;

/** Characters of a name. Exporters write a few hundred; names are joined to paths. */
export const MAX_NAME_LENGTH = 4096;

/** What local functions and nested models may make of a file, however small it is. */
export const FREE_EXPANSION = 100_000;

/** Depth of calls and bodies around a node, together: each takes a part of the call stack. */
export const MAX_NESTING = 64;

/**
 * Payloads up to this many bytes are kept with the graph (shapes, axes, scalars); larger ones stay in the file until
 * somebody asks.
 */
export const INLINE_PAYLOAD_BYTES = 1024;

/** What one read from a file fetches. */
export const PAGE_BYTES = 16 * 1024;

/** Brackets around a value of a JSON file. A Keras model nested in others takes about six for each. */
export const MAX_JSON_DEPTH = 512;

/** Milliseconds more that the library for HDF5 may take for a byte of the file. It reads 100 MB a second and more. */
export const MAX_HDF5_MS_A_BYTE = 1000 / 10e6;

/** By how much more its memory may grow for each byte of the file. */
export const MAX_HDF5_GROWTH = 4;

/**
 * Bytes that a rewrite copies out of a file of so many, links followed and streams unpacked, all of which it holds in memory.
 * A link or a name may stand for any number of bytes. Trained weights hardly shrink; deflate makes 98 % zeroes 30 times
 * smaller, and 95 % zeroes among 16 values 32 times.
 */
export const maxCopiedBytes = (fileBytes: number): number =>
  fileBytes + Math.min(256 * 2 ** 20 + 40 * fileBytes, MAX_INFLATED_BYTES);

/** What an object of an HDF5 file counts as, besides its elements: its header, and its entry in its group. */
export const HDF5_OBJECT_BYTES = 1024;

/** Megabytes of JavaScript's own memory for the thread that it runs in, and for each object: names of a million weights take half. */
export const HDF5_HEAP_MB = 64;
export const HDF5_HEAP_MB_AN_OBJECT = 192e-6;

/** Files in one archive. Keras writes four, and one more for each vocabulary. */
export const MAX_ARCHIVE_ENTRIES = 65_536;

/** Bytes of an archive's table of contents. */
export const MAX_ARCHIVE_DIRECTORY_BYTES = 16 * 2 ** 20;

/** Times that a compressed file may grow: deflate itself reaches 1032. */
export const MAX_INFLATION = 1032;

/** Bytes of compressed weights that are unpacked in memory. Keras stores weights as they are. */
export const MAX_INFLATED_BYTES = 2 ** 31;
