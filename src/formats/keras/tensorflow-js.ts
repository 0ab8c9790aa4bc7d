import { posix } from 'node:path';
import { byteSize, type DType } from '../../ir/dtype.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { countElements } from '../../ir/extents.ts';
import type { TensorData } from '../../ir/graph.ts';
import { type ByteSource, readExactly } from '../byte-source.ts';
import type { ModelSource } from '../model-source.ts';
import { dtypeNamed } from './dtype-policy.ts';
import { describeJson, isList, type Json, member, textOf } from './json.ts';
import { shapeOf, shown } from './model-config.ts';
import { type NamedWeight, namedWeights } from './named-weights.ts';
import type { WeightStore } from './weights.ts';

/** A weight with its entry in the manifest, and where it lies. */
export interface ManifestWeight extends NamedWeight {
  readonly entry: Json;
  /** Null where a file of its group is not there. */
  readonly bytes: ByteSource | null;
  readonly start: number;
  /** As it is stored: fewer bytes where it is quantised. */
  readonly storedBytes: number;
}

/** The weights of a TensorFlow.js model, in files beside it. */
export interface ManifestWeights {
  readonly store: WeightStore;
  /** In the file's order. */
  readonly weights: readonly ManifestWeight[];
  /** Names of the files, as the manifest has them. */
  readonly paths: readonly string[];
  /** Bytes of all files; null where one is missing. */
  readonly fileBytes: number | null;
  /** Files that are not there, with the number of weights that lie in each. */
  readonly missing: ReadonlyMap<string, number>;
  close(): void;
}

const NONE: readonly NamedWeight[] = [];

/** One stretch of weights: the files of a group, one behind the other. */
interface Shards {
  /** In the manifest's order; null for each that is not there. */
  readonly files: readonly (ByteSource | null)[];
  readonly bytes: ByteSource | null;
}

/**
 * The graph of a TensorFlow.js `model.json`: that of a layers model. Null where the JSON is no such file. Throws
 * `not-a-model` for a graph model, which holds TensorFlow's operators.
 */
export function layersTopology(root: Json): Json | null {
  const topology = member(root, 'modelTopology');
  if (topology === undefined) return null;
  const isGraph = member(root, 'format') === 'graph-model' || member(topology, 'node') !== undefined;
  if (isGraph) {
    throw new DscAuditError(
      'not-a-model',
      'is a TensorFlow.js graph model: convert the Keras model itself to a layers model (tensorflowjs_converter --output_format=tfjs_layers_model), or export it to ONNX.',
    );
  }
  return member(topology, 'model_config') ?? topology;
}

/** Reads `weightsManifest`: groups of files, and what lies in them one behind the other. */
export function manifestWeights(source: ModelSource, manifest: Json | undefined): ManifestWeights {
  const groups = isList(manifest) ? manifest : [];
  const opened: ByteSource[] = [];
  const known = new Set<string>();
  const missing = new Map<string, number>();
  const byLayer = new Map<string, NamedWeight[]>();
  const allWeights: ManifestWeight[] = [];
  const allPaths: string[] = [];
  const close = () => {
    for (const file of opened) file.close();
  };
  try {
    for (const group of groups) {
      const weights = listOf(group, 'weights');
      const paths = listOf(group, 'paths').map((path) => textOf(path) ?? '');
      for (const path of paths) addOnce(posix.normalize(path), path, known);
      allPaths.push(...paths);
      const shards = openShards(source, paths, weights.length, opened, missing);
      for (const [index, file] of shards.files.entries()) addOnce(file?.identity ?? null, paths[index] ?? '', known);
      for (const weight of weightsOf(weights, shards)) {
        const [layer = ''] = weight.name.split('/');
        const others = byLayer.get(layer) ?? [];
        others.push(weight);
        allWeights.push(weight);
        byLayer.set(layer, others);
      }
    }
  } catch (error) {
    close();
    throw error;
  }
  const all = [...byLayer.values()].flat();
  return {
    // A model within the model keeps its layers' own names.
    store: namedWeights(([outermost = '', ...inner]) => byLayer.get(outermost) ?? (inner.length > 0 ? all : NONE)),
    weights: allWeights,
    paths: allPaths,
    fileBytes: missing.size > 0 ? null : opened.reduce((sum, { size }) => sum + size, 0),
    missing,
    close,
  };
}

function listOf(group: Json, key: string): readonly Json[] {
  const list = member(group, key);
  if (isList(list)) return list;
  throw malformed(`'weightsManifest' has ${describeJson(list)} for '${key}' where a list is needed`);
}

/** A file that many groups name, or links lead to under many names, would hold any number of weights. */
function addOnce(file: string | null, path: string, known: Set<string>): void {
  if (file === null) return;
  if (known.has(file)) throw malformed(`'weightsManifest' names the file '${shown(path)}' twice`);
  known.add(file);
}

function openShards(
  source: ModelSource,
  paths: readonly string[],
  weights: number,
  opened: ByteSource[],
  missing: Map<string, number>,
): Shards {
  const files = paths.map((path) => {
    const file = source.openBeside(path.replace(/^\.\//, ''));
    if (file === null) missing.set(path, weights);
    else opened.push(file);
    return file;
  });
  const present = files.filter((file) => file !== null);
  return { files, bytes: present.length < files.length ? null : joined(present) };
}

/** Files one behind the other as one. */
function joined(files: readonly ByteSource[]): ByteSource {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  return {
    size,
    read(offset, target) {
      let copied = 0;
      let start = 0;
      for (const file of files) {
        const from = offset + copied - start;
        if (copied < target.length && from < file.size) copied += file.read(from, target.subarray(copied));
        start += file.size;
      }
      return copied;
    },
    close() {},
  };
}

function weightsOf(weights: readonly Json[], { bytes }: Pick<Shards, 'bytes'>): readonly ManifestWeight[] {
  let offset = 0;
  return weights.flatMap((weight) => {
    const name = textOf(member(weight, 'name')) ?? '';
    const shape = shapeOf(member(weight, 'shape'));
    const dtype = dtypeNamed(textOf(member(weight, 'dtype')) ?? '');
    if (shape === null || !shape.every((extent) => extent !== null) || dtype === null) {
      throw malformed(`weight '${shown(name)}' of 'weightsManifest' has no known 'dtype' and 'shape'`);
    }
    const elements = countElements(shape);
    const quantization = member(weight, 'quantization');
    const packed = dtypeNamed(textOf(member(quantization, 'dtype')) ?? '') ?? dtype;
    const scale = member(quantization, 'scale') ?? 1;
    const min = member(quantization, 'min') ?? 0;
    if (typeof scale !== 'number' || typeof min !== 'number') {
      throw malformed(`the 'quantization' of weight '${shown(name)}' has no numbers for 'scale' and 'min'`);
    }
    const start = offset;
    const byteLength = byteSize(packed, elements);
    offset += byteLength;
    if (!Number.isSafeInteger(offset)) throw malformed(`weight '${shown(name)}' has more than 2^53 bytes`);
    if (bytes !== null && offset > bytes.size) {
      throw malformed(`weight '${shown(name)}' lies beyond the end of its file, which has ${bytes.size} bytes`);
    }
    const read = () => (bytes === null ? null : readExactly(bytes, start, byteLength));
    const data = { byteLength: byteSize(dtype, elements), read: () => unpacked(read(), packed, dtype, { scale, min }) };
    const stored = { dtype, shape, data: data satisfies TensorData };
    return [{ name, stored, entry: weight, bytes, start, storedBytes: byteLength }];
  });
}

interface Quantization {
  readonly scale: number;
  readonly min: number;
}

/** Quantised weights are min + scale · q; halves are widened. (TensorFlow.js, io/io_utils) */
function unpacked(
  bytes: Uint8Array | null,
  packed: DType,
  dtype: DType,
  { scale, min }: Quantization,
): Uint8Array | null {
  if (bytes === null || packed === dtype) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const READERS: Partial<Record<DType, (index: number) => number>> = {
    uint8: (index) => view.getUint8(index),
    uint16: (index) => view.getUint16(2 * index, true),
  };
  const reader = READERS[packed];
  if (reader === undefined || dtype !== 'float32') return null;
  const count = bytes.length / (byteSize(packed, 8) / 8);
  const values = Float32Array.from({ length: count }, (_, index) => min + scale * reader(index));
  return new Uint8Array(values.buffer);
}

function malformed(what: string): DscAuditError {
  return new DscAuditError('malformed-model', `${what}.`);
}
