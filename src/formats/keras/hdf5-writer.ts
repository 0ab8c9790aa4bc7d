/** Makes HDF5 files, of parts of another one and of what is new. The library holds the new file in memory. */
import type { DType } from '../../ir/dtype.ts';
import { DscAuditError } from '../../ir/errors.ts';
import type { ByteSource } from '../byte-source.ts';
import { HDF5_OBJECT_BYTES, maxCopiedBytes } from '../limits.ts';
import { type Hdf5Group, openHdf5, textOfAttribute } from './hdf5-file.ts';
import type { Library } from './hdf5-library.ts';
import { namesIn } from './legacy-h5.ts';
import type { NewWeight } from './replacement-layers.ts';

type LibraryGroup = InstanceType<Library['Group']>;

/** A group of the file that is made. */
export interface TargetGroup {
  /** The group of that name: made where there is none yet. */
  group(name: string): TargetGroup;
  weight(name: string, weight: NewWeight): void;
  text(attribute: string, value: string): void;
  texts(attribute: string, values: readonly string[]): void;
  /** Copies what Keras writes beside groups, but for what is named. */
  copyAttributes(from: Hdf5Group, but?: readonly string[]): void;
  /** Copies a group or a dataset of `from`, with all that it holds. */
  copy(from: Hdf5Group, name: string, as?: string): void;
}

/** Numbers the files that are made in the library's own file system. */
let made = 0;

/**
 * Makes a file out of another one; its bytes.
 *
 * @throws {DscAuditError} `malformed-model` where the source is damaged, `cannot-rewrite` where it holds what cannot be copied,
 * `limit-exceeded` where it makes more of its bytes than real files do
 */
export async function makeHdf5(
  source: ByteSource,
  make: (from: Hdf5Group, to: TargetGroup) => void,
): Promise<Uint8Array> {
  const { library, FS } = await (await import('./hdf5-library.ts')).loadLibrary();
  const from = await openHdf5(source);
  const name = `made-${++made}`;
  try {
    const target = new library.File(name, 'w');
    try {
      const budget = { bytes: maxCopiedBytes(source.size) };
      make(from.root, targetGroup(library, target, budget));
    } finally {
      target.close();
    }
    return FS.readFile(name);
  } finally {
    from.close();
    if (FS.analyzePath(name, false).exists) FS.unlink(name);
  }
}

/** What may still be copied. Links are not kept: each makes a copy, and there may be any number of them to one dataset. */
interface Budget {
  bytes: number;
}

function spend(budget: Budget, bytes: number): void {
  budget.bytes -= bytes;
  if (budget.bytes >= 0) return;
  throw new DscAuditError(
    'limit-exceeded',
    'its HDF5 file holds far more, with all links followed, than it has bytes.',
  );
}

function targetGroup(library: Library, group: LibraryGroup, budget: Budget): TargetGroup {
  return {
    group(name) {
      const there = group.keys().includes(name) ? group.get(name) : null;
      return targetGroup(library, there instanceof library.Group ? there : addGroup(group, name), budget);
    },
    weight: (name, { shape, dtype, make }) => addDataset(group, name, make(), shape, dtype),
    text: (attribute, value) => group.create_attribute(attribute, value, [], 'S'),
    texts: (attribute, values) => writeTexts(group, attribute, values),
    copyAttributes: (from, but = []) => copyAttributes(from, group, but),
    copy: (from, name, as = name) => copyObject(from, name, group, as, budget, 0),
  };
}

/** Depth of groups, at most: links may lead in circles. */
const MAX_DEPTH = 64;

function copyObject(from: Hdf5Group, name: string, to: LibraryGroup, as: string, budget: Budget, depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new DscAuditError('limit-exceeded', `its groups are nested more than ${MAX_DEPTH} deep.`);
  }
  const found = from.group(name);
  if (found) {
    spend(budget, HDF5_OBJECT_BYTES);
    const group = addGroup(to, as);
    copyAttributes(found, group, []);
    for (const inner of found.names) copyObject(found, inner, group, inner, budget, depth + 1);
    return;
  }
  const stored = from.dataset(name);
  if (stored) spend(budget, HDF5_OBJECT_BYTES + stored.data.byteLength);
  const bytes = stored?.data.read() ?? null;
  if (stored === null || bytes === null) throw notCopied(`'${name}'`);
  addDataset(to, as, bytes, stored.shape, stored.dtype);
}

/** All that Keras says of a file, a model and a layer. */
const TEXTS = ['backend', 'keras_version', 'model_config', 'training_config', 'name'];
const LISTS = ['layer_names', 'weight_names'];

function copyAttributes(from: Hdf5Group, to: LibraryGroup, but: readonly string[]): void {
  for (const name of TEXTS.filter((text) => !but.includes(text))) {
    const text = textOfAttribute(from, name);
    if (text !== null) to.create_attribute(name, text, [], 'S');
  }
  for (const name of LISTS.filter((list) => !but.includes(list))) writeTexts(to, name, namesIn(from, name));
}

/** Keras keeps lists that are longer than an attribute can be in several, numbered ones. */
const MAX_ATTRIBUTE_BYTES = 64_512;

function writeTexts(group: LibraryGroup, attribute: string, values: readonly string[]): void {
  if (values.length === 0) return;
  const width = Math.max(1, ...values.map((value) => Buffer.byteLength(value)));
  const perChunk = Math.max(1, Math.floor(MAX_ATTRIBUTE_BYTES / width));
  for (let start = 0; start < values.length; start += perChunk) {
    const part = values.slice(start, start + perChunk);
    const name = values.length > perChunk ? `${attribute}${start / perChunk}` : attribute;
    group.create_attribute(name, part, [part.length], `S${width}`);
  }
}

/** Types by the library's letters, and as it takes their elements. Halves it can neither read nor write. */
const TYPES: Partial<Record<DType, { readonly letter: string; readonly view: (buffer: ArrayBuffer) => TypedArray }>> = {
  float64: { letter: '<d', view: (buffer) => new Float64Array(buffer) },
  float32: { letter: '<f', view: (buffer) => new Float32Array(buffer) },
  int64: { letter: '<q', view: (buffer) => new BigInt64Array(buffer) },
  uint64: { letter: '<Q', view: (buffer) => new BigUint64Array(buffer) },
  int32: { letter: '<i', view: (buffer) => new Int32Array(buffer) },
  uint32: { letter: '<I', view: (buffer) => new Uint32Array(buffer) },
  int16: { letter: '<h', view: (buffer) => new Int16Array(buffer) },
  uint16: { letter: '<H', view: (buffer) => new Uint16Array(buffer) },
  int8: { letter: '<b', view: (buffer) => new Int8Array(buffer) },
  uint8: { letter: '<B', view: (buffer) => new Uint8Array(buffer) },
};

type TypedArray = Extract<Parameters<LibraryGroup['create_dataset']>[0]['data'], ArrayBufferView>;

function addDataset(
  group: LibraryGroup,
  name: string,
  bytes: Uint8Array,
  shape: readonly number[],
  dtype: DType,
): void {
  const type = TYPES[dtype];
  if (type === undefined) throw notCopied(`'${name}', which is of type ${dtype}`);
  // A copy begins where its elements are aligned.
  const data = type.view(Uint8Array.from(bytes).buffer);
  added(name, () => group.create_dataset({ name, data, shape: [...shape], dtype: type.letter }));
}

const addGroup = (group: LibraryGroup, name: string): LibraryGroup => added(name, () => group.create_group(name));

/** The library refuses a name that another object has, and one that is a path. */
function added<T>(name: string, add: () => T): T {
  try {
    return add();
  } catch {
    throw notCopied(`'${name}', whose name is taken by something else, or none that an object can have`);
  }
}

const notCopied = (what: string): DscAuditError =>
  new DscAuditError('cannot-rewrite', `its HDF5 file holds what cannot be copied: ${what.slice(0, 200)}.`);
