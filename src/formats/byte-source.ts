import { type BigIntStats, closeSync, openSync, readSync, statSync } from 'node:fs';
import { DscAuditError } from '../ir/errors.ts';

/** Bytes that can be read anywhere, without being loaded. */
export interface ByteSource {
  readonly size: number;
  /** Of a file what the system tells it by: the same under every name that leads to it. */
  readonly identity?: string;
  /** Copies up to `target.length` bytes from `offset` on, and returns how many there were. */
  read(offset: number, target: Uint8Array): number;
  close(): void;
}

/** Bytes in memory, in one piece or in the chunks that a pipe delivered. */
export function bytesSource(chunks: readonly Uint8Array[]): ByteSource {
  const starts: number[] = [];
  let size = 0;
  for (const chunk of chunks) {
    starts.push(size);
    size += chunk.length;
  }
  return {
    size,
    read(offset, target) {
      let copied = 0;
      for (let index = chunkAt(starts, offset); copied < target.length && index < chunks.length; index++) {
        const chunk = chunks[index];
        const start = starts[index];
        if (chunk === undefined || start === undefined) break;
        const from = Math.max(0, offset + copied - start);
        const piece = chunk.subarray(from, from + target.length - copied);
        target.set(piece, copied);
        copied += piece.length;
      }
      return copied;
    },
    close() {},
  };
}

/** Systems read less than 2 GiB at a time. */
const MAX_READ_BYTES = 2 ** 30;

/** A file, opened once and read where asked. Throws `cannot-read` where it is not there, or no file. */
export function fileSource(path: string): ByteSource {
  const stats = attempt(path, () => statSync(path, { bigint: true }));
  // Before it is opened: opening a pipe that nobody writes to never returns.
  if (!stats.isFile()) throw new DscAuditError('cannot-read', `${path}: is ${describe(stats)}.`);
  const descriptor = attempt(path, () => openSync(path, 'r'));
  return {
    size: Number(stats.size),
    identity: `${stats.dev}:${stats.ino}`,
    read(offset, target) {
      let copied = 0;
      while (copied < target.length) {
        const length = Math.min(target.length - copied, MAX_READ_BYTES);
        const count = readSync(descriptor, target, copied, length, offset + copied);
        if (count === 0) break;
        copied += count;
      }
      return copied;
    },
    close() {
      closeSync(descriptor);
    },
  };
}

/** All bytes of a stretch. Throws `malformed-model` where the source ends before. */
export function readExactly(source: ByteSource, offset: number, length: number): Uint8Array {
  const target = new Uint8Array(length);
  if (source.read(offset, target) !== length) {
    throw new DscAuditError('malformed-model', `The file ends before byte ${offset + length}: it is truncated.`);
  }
  return target;
}

function chunkAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

const OPEN_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission to read it is missing',
  ENOTDIR: 'a part of the path is no directory',
  ELOOP: 'its symbolic links go in a circle',
  ENAMETOOLONG: 'the name is too long',
};

/** Whether there is nothing at all under a path. */
export function isMissing(path: string): boolean {
  return attempt(path, () => statSync(path, { throwIfNoEntry: false })) === undefined;
}

function describe(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a directory; give the path of a model file';
  return stats.isFIFO() ? 'a pipe; give it as standard input, and - as the path' : 'not a regular file';
}

function attempt<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new DscAuditError('cannot-read', `${path}: cannot be read: ${OPEN_FAILURES[code] ?? code}.`);
  }
}
