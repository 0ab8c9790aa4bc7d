/** Writes `.keras` archives. */
import { DscAuditError } from '../../ir/errors.ts';
import { readExactly } from '../byte-source.ts';
import { maxCopiedBytes } from '../limits.ts';
import type { ModelSource } from '../model-source.ts';
import { REWRITE_NOTE } from '../model-writer.ts';
import { numberedNames } from './archive-weights.ts';
import { type KerasContainer, type ReplacedLayer, singleFile } from './container.ts';
import type { Hdf5Group } from './hdf5-file.ts';
import { makeHdf5, type TargetGroup } from './hdf5-writer.ts';
import { isObject, parseJson, textOf } from './json.ts';
import { edited, jsonSpans, setMember } from './json-spans.ts';
import { type ModelSpec, readModelConfig } from './model-config.ts';
import { pathKey } from './path-key.ts';
import { CONFIG, METADATA, readJsonText, WEIGHTS } from './read.ts';
import { KERAS, type LayerPart, type NewLayer } from './replacement-layers.ts';
import { type ArchiveEntry, readArchive } from './zip-archive.ts';

export function archiveContainer(source: ModelSource): KerasContainer {
  const entries = readArchive(source.bytes);
  const config = entries.get(CONFIG);
  if (config === undefined) throw new DscAuditError('not-a-model', `has no '${CONFIG}'.`);
  const text = readJsonText(config, CONFIG);
  const weights = entries.get(WEIGHTS);
  return {
    text,
    modelIn: (span) => span,
    library: KERAS,
    hasWeights: weights !== undefined,
    obstacle: () => null,
    async layOut(change, { output, note }) {
      const { zipSync } = await import('fflate');
      const model = readModelConfig(parseJson(text));
      const files = new Map<string, Uint8Array>();
      checkCopied(entries, source.bytes.size);
      for (const [name, entry] of entries) files.set(name, readExactly(entry.open(), 0, entry.size));
      files.set(CONFIG, new TextEncoder().encode(edited(text, change.edits)));
      const metadata = entries.get(METADATA);
      if (metadata) files.set(METADATA, noted(readJsonText(metadata, METADATA), note));
      if (weights) {
        const make = (from: Hdf5Group, to: TargetGroup) => copyRoot(from, to, model, change.layers);
        files.set(WEIGHTS, await makeHdf5(weights.open(), make));
      }
      // Stored as they are, as Keras does, and under no date: the same model gives the same file.
      return singleFile(output, zipSync(Object.fromEntries(files), { level: 0, mtime: FIRST_DATE }));
    },
  };
}

/** Bytes of a name that fit its field. */
const MAX_ENTRY_NAME_BYTES = 0xffff;

/** What is unpacked is held in memory, all of it; names are keys of an object, which takes this one for its prototype. */
function checkCopied(entries: ReadonlyMap<string, ArchiveEntry>, archiveBytes: number): void {
  let bytes = 0;
  for (const [name, { size }] of entries) {
    bytes += size;
    if (name === '__proto__' || Buffer.byteLength(name) > MAX_ENTRY_NAME_BYTES) {
      throw new DscAuditError('cannot-rewrite', `holds a file whose name cannot be kept: '${name.slice(0, 80)}'.`);
    }
  }
  if (bytes > maxCopiedBytes(archiveBytes)) {
    throw new DscAuditError('limit-exceeded', `holds ${bytes} bytes, unpacked, far more than the archive has.`);
  }
}

/** The first that a zip archive can tell. */
const FIRST_DATE = new Date(1980, 0, 1);

/** Metadata that is no object has no place for a note, and stays as it is. */
function noted(text: string, note: string): Uint8Array {
  const edits = isObject(parseJson(text)) ? [setMember(jsonSpans(text), REWRITE_NOTE, note)] : [];
  return new TextEncoder().encode(edited(text, edits));
}

/** Groups at the root that would be of the old weights. */
const STATE_OF_OLD_WEIGHTS: ReadonlySet<string> = new Set(['optimizer']);

const LAYERS = 'layers';

/** By {@link pathKey} of the layer that they replace. */
type Layers = ReadonlyMap<string, NewLayer>;

function copyRoot(from: Hdf5Group, to: TargetGroup, model: ModelSpec, replaced: readonly ReplacedLayer[]): void {
  const layers = new Map(replaced.map(({ path, fresh }) => [pathKey(path), fresh]));
  copyModel(from, to, model, [], layers, STATE_OF_OLD_WEIGHTS);
}

/** A model's group: its layers are numbered by class, so those behind a replaced one may be called otherwise. */
function copyModel(
  from: Hdf5Group,
  to: TargetGroup,
  model: ModelSpec,
  scope: readonly string[],
  layers: Layers,
  without: ReadonlySet<string> = new Set(),
): void {
  to.copyAttributes(from);
  for (const name of from.names) {
    const inner = name === LAYERS ? from.group(name) : null;
    if (inner) copyLayers(inner, to.group(name), model, scope, layers);
    else if (!without.has(name)) to.copy(from, name);
  }
}

function copyLayers(
  from: Hdf5Group,
  to: TargetGroup,
  model: ModelSpec,
  scope: readonly string[],
  layers: Layers,
): void {
  to.copyAttributes(from);
  const before = numberedNames(model.layers.map(({ className }) => className));
  const replacedBy = model.layers.map(({ name }) => layers.get(pathKey([...scope, name])));
  const after = numberedNames(model.layers.map(({ className }, index) => classOf(replacedBy[index]) ?? className));
  for (const [index, spec] of model.layers.entries()) {
    const [was = '', name = ''] = [before[index], after[index]];
    const group = from.group(was);
    const fresh = replacedBy[index];
    if (group === null) {
      // A layer without weights may be left out of the file; one that is replaced has some.
      if (fresh) throw missing(`the group of the layer '${[...scope, spec.name].join('/')}'`);
      continue;
    }
    if (fresh?.isModel) writeModel(group, to.group(name), fresh);
    else if (fresh) writeLayer(group, to.group(name), fresh, spec.className === 'TimeDistributed');
    else if (spec.model) copyModel(group, to.group(name), spec.model, [...scope, spec.name], layers);
    else to.copy(from, was, name);
  }
}

const classOf = (layer: NewLayer | undefined): string | null => textOf(layer?.json.class_name);

const VARS = 'vars';

/** A wrapper keeps its layer in a group within its own. */
const WRAPPED = 'layer';

function writeModel(original: Hdf5Group, to: TargetGroup, { parts }: NewLayer): void {
  const names = numberedNames(parts.map(({ className }) => className));
  const inner = to.group(LAYERS);
  for (const [index, part] of parts.entries()) writeWeights(original, inner.group(names[index] ?? ''), part);
}

function writeLayer(original: Hdf5Group, to: TargetGroup, { parts }: NewLayer, isWrapped: boolean): void {
  const holder = isWrapped ? original.group(WRAPPED) : original;
  if (isWrapped) for (const name of original.names.filter((other) => other !== WRAPPED)) to.copy(original, name);
  if (holder === null) throw missing(`the group of a layer within 'TimeDistributed'`);
  for (const part of parts) writeWeights(holder, isWrapped ? to.group(WRAPPED) : to, part);
}

function writeWeights(original: Hdf5Group, to: TargetGroup, { weights }: LayerPart): void {
  const vars = to.group(VARS);
  for (const [at, weight] of weights.entries()) {
    if (weight.kind === 'new') vars.weight(String(at), weight);
    else vars.copy(heldIn(original), BIAS, String(at));
  }
}

/** A convolution makes its kernel first, and then its bias. */
const BIAS = '1';

function heldIn(layer: Hdf5Group): Hdf5Group {
  const vars = layer.group(VARS);
  if (vars === null) throw missing(`the bias of a replaced layer`);
  return vars;
}

const missing = (what: string): DscAuditError => new DscAuditError('malformed-model', `${what} is not in the file.`);
