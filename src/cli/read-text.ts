import { readFile, stat } from 'node:fs/promises';
import { DscAuditError } from '../ir/errors.ts';

/** The text of a small file, without a byte order mark. Throws `cannot-read`, and `limit-exceeded` beyond `maxBytes`. */
export async function readText(path: string, maxBytes: number): Promise<string> {
  const stats = await stat(path).catch(() => null);
  if (stats === null) throw new DscAuditError('cannot-read', `${path}: there is no such file.`);
  if (!stats.isFile()) throw new DscAuditError('cannot-read', `${path}: is not a file.`);
  if (stats.size > maxBytes) {
    throw new DscAuditError('limit-exceeded', `${path}: is larger than ${maxBytes} bytes: refused.`);
  }
  try {
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DscAuditError('cannot-read', `${path}: cannot be read: ${reason}.`);
  }
}
