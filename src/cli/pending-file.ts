import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DscAuditError } from '../ir/errors.ts';

/** A file that takes the place of `path` once it is whole; until then, and if it never is, what was there stays. */
export interface PendingFile {
  write(text: string): Promise<void>;
  /** Puts the file in place. A symbolic link at `path` is replaced, not followed. */
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/** Opens a new file beside `path`. Throws `cannot-write`. */
export async function pendingFile(path: string): Promise<PendingFile> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  const file = await orCannotWrite(path, () => open(temporary, 'wx'));
  const discard = async (): Promise<void> => {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
  };
  return {
    write: (text) => orCannotWrite(path, () => writeAll(file, text)),
    commit: () =>
      orCannotWrite(path, async () => {
        try {
          await file.close();
          await rename(temporary, path);
        } catch (error) {
          await discard();
          throw error;
        }
      }),
    discard,
  };
}

async function writeAll(file: FileHandle, text: string): Promise<void> {
  await file.appendFile(text, 'utf8');
}

/** What the file system refuses, as one sentence. */
export async function orCannotWrite<T>(path: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
    throw new DscAuditError('cannot-write', `${path} cannot be written: ${reason}.`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'there is no such folder',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'its name is too long',
};
