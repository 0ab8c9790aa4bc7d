import { open, rename, rm } from 'node:fs/promises';
import { checkReplaceable, temporaryPath } from '../formats/output-file.ts';
import { writeFailure } from '../formats/write-failure.ts';

/** A file that takes the place of `path` once it is whole; until then, and if it never is, what was there stays. */
export interface PendingFile {
  write(text: string): Promise<void>;
  /** Puts the file in place. A symbolic link at `path` is replaced, not followed. */
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/** Opens a new file beside `path`. Throws `cannot-write`. */
export async function pendingFile(path: string): Promise<PendingFile> {
  checkReplaceable(path);
  const temporary = temporaryPath(path);
  const file = await orCannotWrite(path, () => open(temporary, 'wx'));
  const discard = async (): Promise<void> => {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
  };
  return {
    write: (text) => orCannotWrite(path, () => file.appendFile(text, 'utf8')),
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

/** What the file system refuses, as one sentence. */
export async function orCannotWrite<T>(path: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    throw writeFailure(path, error);
  }
}
