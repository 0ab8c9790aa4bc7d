import { extname } from 'node:path';
import { DscAuditError } from '../ir/errors.ts';

/** Kinds of files that models are written to. */
export type ModelFileKind = 'onnx' | 'archive' | 'h5' | 'json';

interface KindOfFile {
  readonly what: string;
  /** How names of such files end; the first is the usual one. */
  readonly endings: readonly [string, ...string[]];
}

const KINDS: Readonly<Record<ModelFileKind, KindOfFile>> = {
  onnx: { what: 'an ONNX model', endings: ['.onnx'] },
  archive: { what: 'a Keras archive', endings: ['.keras'] },
  h5: { what: 'an HDF5 file of Keras', endings: ['.h5', '.hdf5'] },
  json: { what: 'a Keras model in JSON', endings: ['.json'] },
};

/**
 * Refuses a name that says another kind of file than the one that is written: whoever opens it goes by the name. Other
 * endings, and none, say nothing.
 *
 * @throws {DscAuditError} `invalid-option`
 */
export function checkOutputName(path: string, kind: ModelFileKind): void {
  const ending = extname(path);
  const named = Object.values(KINDS).find(({ endings }) => endings.some((known) => known === ending.toLowerCase()));
  const { what, endings } = KINDS[kind];
  if (named === undefined || named === KINDS[kind]) return;
  throw new DscAuditError(
    'invalid-option',
    `is ${what}, and so is what is written, but '${path}' names ${named.what}. Write -o ${path.slice(0, -ending.length)}${endings[0]}.`,
  );
}
