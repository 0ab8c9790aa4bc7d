import type { RewriteNotes, RewrittenFiles } from '../model-writer.ts';
import type { JsonSpan, TextEdit } from './json-spans.ts';
import type { LayerPlace } from './layer-places.ts';
import type { LayerLibrary, NewLayer } from './replacement-layers.ts';

/** How a kind of file holds a model's JSON, and its weights beside it. */
export interface KerasContainer {
  /** The JSON that the model stands in. */
  readonly text: string;
  /** Where the model's `{class_name, config}` stands in it. */
  modelIn(root: JsonSpan): JsonSpan;
  readonly library: LayerLibrary;
  readonly hasWeights: boolean;
  /** Why the weights of a layer cannot be replaced in such a file; null where they can. */
  obstacle(place: LayerPlace): string | null;
  layOut(change: KerasChange, notes: RewriteNotes): RewrittenFiles | Promise<RewrittenFiles>;
}

/** What is to be changed in a model. */
export interface KerasChange {
  /** Edits of the JSON. */
  readonly edits: readonly TextEdit[];
  readonly layers: readonly ReplacedLayer[];
}

export interface ReplacedLayer {
  /** The models around the layer and the layer itself, outermost first. */
  readonly path: readonly string[];
  /** What takes its place. */
  readonly fresh: NewLayer;
}

/** A model in one file, whose bytes are at hand. */
export const singleFile = (path: string, bytes: Uint8Array): RewrittenFiles => ({
  files: [{ path, pieces: [{ kind: 'bytes', bytes }] }],
  readFiles: [],
  close() {},
});
