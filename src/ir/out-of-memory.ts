import { DscAuditError } from './errors.ts';

/** The engine has no class of its own for it: it says so in words. */
const WORDS = /out of memory|could not allocate memory|cannot allocate wasm|array buffer allocation failed/i;

/** What to throw for an error: where memory could not be had, `limit-exceeded`, which says so; else the error. */
export function orOutOfMemory(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DscAuditError || !WORDS.test(error.message)) return error;
  return new DscAuditError(
    'limit-exceeded',
    'needs more memory than this process may have. WebAssembly reserves about 10 GB of addresses, which a limit such as ulimit -v counts.',
  );
}
