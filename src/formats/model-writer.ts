import type { ConvReplacement } from './conv-replacement.ts';
import type { ModelFileKind } from './output-name.ts';
import type { Piece } from './pieces.ts';

/** Writes a model with convolutions replaced, in the format that it came in. */
export interface ModelWriter {
  readonly kind: ModelFileKind;
  /** False where the file holds a graph alone: then so does the new one. */
  readonly hasWeights: boolean;
  /** Why this replacement cannot be written; null where it can. */
  obstacle(replacement: ConvReplacement): string | null;
  /**
   * What the files will hold: their sizes are known before anything is written.
   *
   * @throws {DscAuditError} `malformed-model`, `cannot-read` where an external file is not there, `cannot-rewrite`
   */
  layOut(replacements: readonly ConvReplacement[], notes: RewriteNotes): RewrittenFiles | Promise<RewrittenFiles>;
}

export interface RewriteNotes {
  /** The model's new path: files beside it are named after it. */
  readonly output: string;
  /** What was done, as JSON, for whoever reads the model's metadata. */
  readonly note: string;
}

/** A rewritten model that is ready to be written. Its pieces are read from files that stay open till `close`. */
export interface RewrittenFiles {
  /** In the order in which they are to appear. The model comes last: once it is there, its data is. */
  readonly files: readonly { readonly path: string; readonly pieces: readonly Piece[] }[];
  /** Files beside the model that pieces are copied from, as the model names them. */
  readonly readFiles: readonly string[];
  close(): void;
}

/** What is written of a rewrite into a model's own metadata, under this key. */
export const REWRITE_NOTE = 'dsc-audit.rewrite';
