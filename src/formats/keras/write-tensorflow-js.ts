/** Writes TensorFlow.js layers models: `model.json`, and all weights in one file beside it. */
import { basename } from 'node:path';
import { DscAuditError } from '../../ir/errors.ts';
import type { ModelSource } from '../model-source.ts';
import { REWRITE_NOTE, type RewriteNotes, type RewrittenFiles } from '../model-writer.ts';
import { joined, type Piece } from '../pieces.ts';
import type { KerasChange, KerasContainer } from './container.ts';
import { type Json, member } from './json.ts';
import { edited, type JsonSpan, jsonSpans, setMember, type TextEdit } from './json-spans.ts';
import { isConvWeightOf, isKernelOf, newName } from './named-weights.ts';
import { type LayerWeight, TENSORFLOW_JS } from './replacement-layers.ts';
import { type ManifestWeight, manifestWeights } from './tensorflow-js.ts';

export function tensorflowJsContainer(source: ModelSource, text: string, root: Json): KerasContainer {
  const open = () => manifestWeights(source, member(root, 'weightsManifest'));
  const { weights, close } = open();
  close();
  return {
    text,
    modelIn({ members }) {
      const topology = members.get('modelTopology');
      const model = topology?.members.get('model_config') ?? topology;
      if (!model) throw new Error('A TensorFlow.js model has a topology.');
      return model;
    },
    library: TENSORFLOW_JS,
    hasWeights: member(root, 'weightsManifest') !== undefined,
    obstacle: ({ path }) =>
      weights.filter(({ name }) => isPartOf(name, path) && isKernelOf(name, path)).length === 1
        ? null
        : 'its kernel cannot be told from others in the file',
    layOut: (change, notes) => {
      const { weights: all, paths, close: closeFiles } = open();
      try {
        return { ...filesOf(text, all, change, notes), readFiles: paths, close: closeFiles };
      } catch (error) {
        closeFiles();
        throw error;
      }
    },
  };
}

/** Weights are called after their layer; those of a model within the model after the inner one. */
const isPartOf = (name: string, path: readonly string[]): boolean => path.length > 1 || name.split('/')[0] === path[0];

function filesOf(
  text: string,
  all: readonly ManifestWeight[],
  { edits, layers }: KerasChange,
  { output, note }: RewriteNotes,
): Pick<RewrittenFiles, 'files'> {
  const stored = all.flatMap((weight): readonly StoredPiece[] => {
    const part = layers.find(({ path }) => isPartOf(weight.name, path) && isConvWeightOf(weight.name, path));
    if (!part) return [kept(weight, weight.entry)];
    if (!isKernelOf(weight.name, part.path)) return [];
    const bias = all.find(
      (other) => other !== weight && isPartOf(other.name, part.path) && isConvWeightOf(other.name, part.path),
    );
    return part.fresh.parts.flatMap(({ name, weights }) =>
      weights.map((made) => newPiece(weight.name, part.path, name, made, bias)),
    );
  });
  const weightsPath = `${output.replace(/\.json$/i, '')}.weights.bin`;
  const manifest = [{ paths: [basename(weightsPath)], weights: stored.map(({ entry }) => entry) }];
  const root = jsonSpans(text);
  const changes = [...edits, setMember(root, 'weightsManifest', JSON.stringify(manifest)), noteEdit(root, note)];
  const model = new TextEncoder().encode(edited(text, changes));
  return {
    files: [
      { path: weightsPath, pieces: joined(stored.map(({ piece }) => piece)) },
      { path: output, pieces: [{ kind: 'bytes', bytes: model }] },
    ],
  };
}

interface StoredPiece {
  readonly entry: Json;
  readonly piece: Piece;
}

function kept({ name, bytes, start, storedBytes }: ManifestWeight, entry: Json): StoredPiece {
  if (bytes === null) throw new DscAuditError('cannot-read', `the file of the weight '${name}' is not there.`);
  return { entry, piece: { kind: 'copy', source: bytes, offset: start, length: storedBytes } };
}

function newPiece(
  kernel: string,
  path: readonly string[],
  layer: string,
  weight: LayerWeight,
  bias: ManifestWeight | undefined,
): StoredPiece {
  if (weight.kind === 'new') {
    const { shape, dtype, byteLength, make } = weight;
    return {
      entry: { name: newName(kernel, path, layer, weight.name), shape, dtype },
      piece: { kind: 'made', length: byteLength, make },
    };
  }
  if (!bias) throw new DscAuditError('malformed-model', `the bias of '${path.join('/')}' is not in the manifest.`);
  const entry = bias.entry;
  const name = newName(kernel, path, layer, 'bias');
  return kept(bias, typeof entry === 'object' && entry !== null && !Array.isArray(entry) ? { ...entry, name } : entry);
}

/** The format has a place for what others want to say. */
function noteEdit(root: JsonSpan, note: string): TextEdit {
  const own = root.members.get('userDefinedMetadata');
  return own?.end !== undefined && own.members.size > 0
    ? setMember(own, REWRITE_NOTE, note)
    : setMember(root, 'userDefinedMetadata', `{${JSON.stringify(REWRITE_NOTE)}: ${note}}`);
}
