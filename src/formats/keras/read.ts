import { type Diagnostic, diagnostic } from '../../ir/diagnostic.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { readExactly } from '../byte-source.ts';
import type { ReadModel } from '../format.ts';
import type { ModelSource } from '../model-source.ts';
import { DEFAULT_LIMITS, type Limits, limitMet, spelt } from '../raisable-limits.ts';
import { archiveWeights } from './archive-weights.ts';
import { GraphBuilder } from './build-graph.ts';
import { type FileKind, fileKind } from './file-kind.ts';
import { type Hdf5File, type Hdf5Group, openHdf5, textOfAttribute } from './hdf5-file.ts';
import { type Json, member, parseJson, textOf } from './json.ts';
import { legacyWeights, modelConfigOf } from './legacy-h5.ts';
import { type ModelSpec, readModelConfig } from './model-config.ts';
import { layersTopology, manifestWeights } from './tensorflow-js.ts';
import { NO_WEIGHTS, type WeightStore } from './weights.ts';
import { type ArchiveEntry, readArchive } from './zip-archive.ts';

/** What a kind of file comes to: the model's graph, its weights, and what it says of itself. */
interface KerasFile {
  readonly model: ModelSpec;
  readonly weights: WeightStore;
  readonly producer: string | null;
  /** Null where a part of it is missing. */
  readonly fileBytes: number | null;
  readonly diagnostics: readonly Diagnostic[];
  close(): void;
}

const READERS: Readonly<Record<FileKind, (source: ModelSource, limits: Limits) => KerasFile | Promise<KerasFile>>> = {
  archive: readKerasArchive,
  h5: readH5,
  json: readJsonFile,
};

/**
 * Reads a Keras model: JSON, a `.keras` archive, an `.h5` file, or the `model.json` of a TensorFlow.js layers model.
 * Throws `not-a-model`, `malformed-model` or `limit-exceeded`.
 */
export async function readKeras(source: ModelSource, limits: Limits = DEFAULT_LIMITS): Promise<ReadModel> {
  const file = await READERS[fileKind(source.bytes)](source, limits);
  try {
    const builder = new GraphBuilder(file.weights, countLayers(file.model), limits);
    const graph = builder.build(file.model);
    return {
      model: {
        name: file.model.name,
        format: 'keras',
        producer: file.producer,
        opsets: {},
        fileBytes: file.fileBytes,
        values: builder.values,
        graph,
      },
      diagnostics: [...file.diagnostics, ...builder.diagnostics],
      close() {
        file.close();
        source.bytes.close();
      },
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

function readJsonFile(source: ModelSource, limits: Limits): KerasFile {
  const root = readJson({ size: source.bytes.size, open: () => source.bytes }, 'JSON', limits);
  const topology = layersTopology(root);
  const model = readModelConfig(topology ?? root);
  const producer = textOf(member(root, 'generatedBy')) ?? producerOf(topology ?? root);
  if (topology === null) {
    return { model, weights: NO_WEIGHTS, producer, fileBytes: source.bytes.size, diagnostics: [], close() {} };
  }
  const { store, fileBytes, missing, close } = manifestWeights(source, member(root, 'weightsManifest'));
  return {
    model,
    weights: store,
    producer,
    fileBytes: fileBytes === null ? null : source.bytes.size + fileBytes,
    diagnostics: Array.from(missing, ([file, tensors]) =>
      diagnostic('external-data-missing', 'warning', null, { file, tensors }),
    ),
    close,
  };
}

/** Files of a `.keras` archive. */
export const CONFIG = 'config.json';
export const METADATA = 'metadata.json';
export const WEIGHTS = 'model.weights.h5';

async function readKerasArchive(source: ModelSource, limits: Limits): Promise<KerasFile> {
  const entries = readArchive(source.bytes);
  const config = entries.get(CONFIG);
  if (config === undefined) throw notKeras(entries);
  const model = readModelConfig(readJson(config, CONFIG, limits));
  const metadata = entries.get(METADATA);
  const version = metadata && textOf(member(readJson(metadata, METADATA, limits), 'keras_version'));
  const weights = entries.get(WEIGHTS);
  const file = weights ? await openHdf5(weights.open(), limits) : null;
  return {
    model,
    weights: file ? archiveWeights(file.root, model) : NO_WEIGHTS,
    producer: version ? `keras ${version}` : null,
    fileBytes: source.bytes.size,
    diagnostics: [],
    close: () => file?.close(),
  };
}

/** Other tools pack their models in zip archives too. */
function notKeras(entries: ReadonlyMap<string, ArchiveEntry>): DscAuditError {
  const names = [...entries.keys()];
  const isPyTorch = names.some((name) => name.endsWith('/data.pkl') || name.endsWith('.data/pkl'));
  return new DscAuditError(
    'not-a-model',
    isPyTorch
      ? 'is a PyTorch checkpoint: export the model with torch.onnx.export.'
      : `is a zip archive without '${CONFIG}', which every .keras file has: unpack it, and give the model that is in it.`,
  );
}

async function readH5(source: ModelSource, limits: Limits): Promise<KerasFile> {
  const file = await openHdf5(source.bytes, limits);
  return closedOnError(file, () => {
    const version = producerVersion(file.root);
    return {
      model: readModelConfig(modelConfigOf(file.root)),
      weights: legacyWeights(file.root),
      producer: version ? `keras ${version}` : null,
      fileBytes: source.bytes.size,
      diagnostics: [],
      close: () => file.close(),
    };
  });
}

function producerVersion(root: Hdf5Group): string | null {
  const weights = root.group('model_weights');
  return textOfAttribute(root, 'keras_version') ?? (weights && textOfAttribute(weights, 'keras_version'));
}

function closedOnError<T>(file: Hdf5File, read: () => T): T {
  try {
    return read();
  } catch (error) {
    file.close();
    throw error;
  }
}

const readJson = (entry: ArchiveEntry, what: string, limits: Limits): Json =>
  parseJson(readJsonText(entry, what, limits));

/** Its size is looked at before it is unpacked. */
export function readJsonText({ size, open }: ArchiveEntry, what: string, limits: Limits = DEFAULT_LIMITS): string {
  const most = limits['json-size'];
  if (size > most) {
    throw limitMet('json-size', limits, `has ${size} bytes of ${what}; at most ${spelt(most, 'bytes')} are read`);
  }
  return new TextDecoder().decode(readExactly(open(), 0, size));
}

/** Keras 2 writes its version beside the graph; Keras 3 tells itself by the modules of its classes. */
function producerOf(root: Json): string | null {
  const version = textOf(member(root, 'keras_version'));
  if (version !== null) return `keras ${version}`;
  return member(root, 'module') === undefined ? null : 'keras 3';
}

function countLayers({ layers }: ModelSpec): number {
  return layers.reduce((sum, { model }) => sum + 1 + (model ? countLayers(model) : 0), 0);
}
