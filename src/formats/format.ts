import type { Diagnostic } from '../ir/diagnostic.ts';
import type { Model } from '../ir/graph.ts';
import type { ModelSource } from './model-source.ts';
import type { Limits } from './raisable-limits.ts';

/** A model as a format's reader hands it over. */
export interface ReadModel {
  readonly model: Model;
  readonly diagnostics: readonly Diagnostic[];
  /** Closes the files that the model's weights are read from. */
  close(): void;
}

/** A file format, recognised by content. */
export interface Format {
  readonly name: Model['format'];
  /** Whether a file that begins so may be one. */
  recognises(head: Uint8Array): boolean;
  read(source: ModelSource, limits: Limits): ReadModel | Promise<ReadModel>;
}
