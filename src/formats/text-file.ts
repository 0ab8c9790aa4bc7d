import { closeSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { DscAuditError } from '../ir/errors.ts';

/** The text of a small file, without a byte order mark. Throws `cannot-read`, and `limit-exceeded` beyond `maxBytes`. */
export function readText(path: string, maxBytes: number): string {
  const text = readTextIfThere(path, maxBytes);
  if (text === null) throw new DscAuditError('cannot-read', `${path}: there is no such file.`);
  return text;
}

/** The same; null where there is no such file. */
export function readTextIfThere(path: string, maxBytes: number): string | null {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return null;
    // Before it is opened: opening a pipe that nobody writes to never returns, and a device may have no end.
    if (!stats.isFile()) throw new DscAuditError('cannot-read', `${path}: is ${kindOf(stats)}, not a file.`);
    if (stats.size > maxBytes) {
      throw new DscAuditError('limit-exceeded', `${path}: is larger than ${maxBytes} bytes: refused.`);
    }
    return decode(readBytes(path, stats.size));
  } catch (error) {
    if (error instanceof DscAuditError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DscAuditError('cannot-read', `${path}: cannot be read: ${reason}.`);
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  return stats.isFIFO() ? 'a pipe' : 'a device';
}

/** No more than there was when it was looked at. */
function readBytes(path: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const descriptor = openSync(path, 'r');
  try {
    let done = 0;
    for (let count = 1; count > 0 && done < size; done += count)
      count = readSync(descriptor, bytes, done, size - done, done);
    return bytes.subarray(0, done);
  } finally {
    closeSync(descriptor);
  }
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
