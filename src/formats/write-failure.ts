import { DscAuditError } from '../ir/errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'a part of the path is no directory',
  EISDIR: 'it is a directory',
  EACCES: 'permission to write there is missing',
  EPERM: 'permission to write there is missing',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENAMETOOLONG: 'the name is too long',
};

/** What to throw for an error met while `path` was written: what the file system refused, as `cannot-write`; else the error. */
export function writeFailure(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  const code = 'code' in error ? String(error.code) : 'unknown';
  return new DscAuditError('cannot-write', `${path}: cannot be written: ${REASONS[code] ?? code}.`);
}
