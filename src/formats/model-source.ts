import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve, sep, win32 } from 'node:path';
import { DscAuditError } from '../ir/errors.ts';
import { type ByteSource, bytesSource, fileSource, isMissing } from './byte-source.ts';

/** A model as it is handed in: a name for messages, its bytes, and the files beside it. */
export interface ModelSource {
  /** The path as the user gave it, or `-`. */
  readonly path: string;
  readonly bytes: ByteSource;
  /** Opens a file beside the model. Null where there is none; throws where the path leaves the model's folder. */
  openBeside(relativePath: string): ByteSource | null;
}

/** A model file. Throws `cannot-read`. */
export function modelFile(path: string): ModelSource {
  const bytes = fileSource(path);
  return { path, bytes, openBeside: (relativePath) => openConfined(dirname(resolve(path)), relativePath) };
}

/** A model in memory, in the chunks that it came in; files beside it are out of reach. */
export function modelBytes(path: string, chunks: readonly Uint8Array[]): ModelSource {
  return {
    path,
    bytes: bytesSource(chunks),
    openBeside(relativePath) {
      refuseEscape(relativePath);
      return null;
    },
  };
}

/** Opens a file only within a folder, symbolic links resolved. */
function openConfined(folder: string, relativePath: string): ByteSource | null {
  refuseEscape(relativePath);
  const path = resolve(folder, relativePath);
  if (isMissing(path)) return null;
  const inside = relative(realpathSync(folder), realpathSync(path));
  if (inside === '' || inside.split(sep)[0] === '..' || isAbsolute(inside)) throw outside(relativePath);
  return fileSource(path);
}

/** As both systems spell paths: a model made on one is audited on the other. */
function refuseEscape(relativePath: string): void {
  const parts = relativePath.split(/[\\/]/);
  if (isAbsolute(relativePath) || win32.isAbsolute(relativePath) || /^[a-z]:/i.test(relativePath)) {
    throw outside(relativePath);
  }
  if (parts.includes('..') || relativePath.includes('\0')) throw outside(relativePath);
}

function outside(relativePath: string): DscAuditError {
  return new DscAuditError(
    'malformed-model',
    `external data at '${relativePath}' lies outside the model's folder: refused.`,
  );
}
