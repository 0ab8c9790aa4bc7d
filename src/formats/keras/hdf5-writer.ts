/** Makes HDF5 files, of parts of another one and of what is new. The library holds the new file in memory. */
import type { DType } from '../../ir/dtype.ts';
import { DscAuditError } from '../../ir/errors.ts';
import type { ByteSource } from '../byte-source.ts';
import { guarded, type Library, type LibraryDataset, type LibraryGroup, mountHdf5, storedWeight } from './hdf5-file.ts';
import type { NewWeight } from './replacement-layers.ts';

/** A group of the file that is copied from. */
export interface SourceGroup {
  readonly names: readonly string[];
  /** Null where there is none of that name, or it is no group. */
  group(name: string): SourceGroup | null;
  texts(attribute: string): readonly string[];
}

/** A group of the file that is made. */
export interface TargetGroup {
  /** The group of that name: made where there is none yet. */
  group(name: string): TargetGroup;
  weight(name: string, weight: NewWeight): void;
  text(attribute: string, value: string): void;
  texts(attribute: string, values: readonly string[]): void;
  /** Copies attributes, but for those that are named, and lists of that name in parts (`layer_names0`, …). */
  copyAttributes(from: SourceGroup, but?: readonly string[]): void;
  /** Copies a group or a dataset of `from`, with all that it holds. */
  copy(from: SourceGroup, name: string, as?: string): void;
}

/** Numbers the files that are made in the library's own file system. */
let made = 0;

/**
 * Makes a file out of another one; its bytes.
 *
 * @throws {DscAuditError} `malformed-model` where the source is damaged, `cannot-rewrite` where it holds what cannot be copied
 */
export async function makeHdf5(
  source: ByteSource,
  make: (from: SourceGroup, to: TargetGroup) => void,
): Promise<Uint8Array> {
  const { library, file, close } = await mountHdf5(source);
  const { FS } = await library.ready;
  const name = `made-${++made}`;
  try {
    const target = new library.File(name, 'w');
    try {
      make(sourceGroup(library, file), targetGroup(library, target));
    } finally {
      target.close();
    }
    return FS.readFile(name);
  } finally {
    close();
    if (FS.analyzePath(name, false).exists) FS.unlink(name);
  }
}

/** The library's groups behind the plain ones. */
const SOURCES = new WeakMap<SourceGroup, LibraryGroup>();

function sourceGroup(library: Library, group: LibraryGroup): SourceGroup {
  const result: SourceGroup = {
    get names() {
      return guarded(() => group.keys());
    },
    group(name) {
      const found = guarded(() => group.get(name));
      return found instanceof library.Group ? sourceGroup(library, found) : null;
    },
    texts(attribute) {
      const value: unknown = guarded(() => group.attrs[attribute]?.value);
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      return values.filter((text) => typeof text === 'string');
    },
  };
  SOURCES.set(result, group);
  return result;
}

function targetGroup(library: Library, group: LibraryGroup): TargetGroup {
  return {
    group(name) {
      const there = group.keys().includes(name) ? group.get(name) : null;
      return targetGroup(library, there instanceof library.Group ? there : group.create_group(name));
    },
    weight(name, { shape, dtype, make }) {
      addDataset(group, name, make(), shape, dtype);
    },
    text: (attribute, value) => group.create_attribute(attribute, value, [], 'S'),
    texts: (attribute, values) => writeTexts(group, attribute, values),
    copyAttributes: (from, but = []) => copyAttributes(libraryGroup(from), group, but),
    copy: (from, name, as = name) => copyObject(library, libraryGroup(from), name, group, as, 0),
  };
}

function libraryGroup(group: SourceGroup): LibraryGroup {
  const found = SOURCES.get(group);
  if (found === undefined) throw new Error('The group is of no open file.');
  return found;
}

/** Keras keeps lists that are longer than an attribute can be in several, numbered ones. */
const MAX_ATTRIBUTE_BYTES = 64_512;

function writeTexts(group: LibraryGroup, attribute: string, values: readonly string[]): void {
  const width = Math.max(1, ...values.map((value) => Buffer.byteLength(value)));
  const perChunk = Math.max(1, Math.floor(MAX_ATTRIBUTE_BYTES / width));
  if (values.length === 0) group.create_attribute(attribute, new Float64Array(0), [0], '<d');
  else if (values.length <= perChunk) group.create_attribute(attribute, [...values], [values.length], `S${width}`);
  else {
    for (let chunk = 0; chunk * perChunk < values.length; chunk++) {
      const part = values.slice(chunk * perChunk, (chunk + 1) * perChunk);
      group.create_attribute(`${attribute}${chunk}`, part, [part.length], `S${width}`);
    }
  }
}

/** Depth of groups, at most: links may lead in circles. */
const MAX_DEPTH = 64;

function copyObject(
  library: Library,
  from: LibraryGroup,
  name: string,
  to: LibraryGroup,
  as: string,
  depth: number,
): void {
  if (depth > MAX_DEPTH)
    throw new DscAuditError('limit-exceeded', `its groups are nested more than ${MAX_DEPTH} deep.`);
  const found = guarded(() => from.get(name));
  if (found instanceof library.Group) {
    const group = to.create_group(as);
    copyAttributes(found, group, []);
    for (const inner of guarded(() => found.keys())) copyObject(library, found, inner, group, inner, depth + 1);
  } else if (found instanceof library.Dataset) copyDataset(found, to, as);
  else throw notCopied(`what is called '${name}'`);
}

function copyDataset(dataset: LibraryDataset, to: LibraryGroup, as: string): void {
  const stored = storedWeight(dataset);
  const bytes = stored?.data.read() ?? null;
  if (stored === null || bytes === null) throw notCopied(`'${dataset.path}'`);
  addDataset(to, as, bytes, stored.shape, stored.dtype);
  const copied = to.get(as);
  if (copied !== null && 'attrs' in copied) copyAttributes(dataset, copied, []);
}

interface WithAttributes {
  readonly attrs: LibraryGroup['attrs'];
}

function copyAttributes(
  from: WithAttributes,
  to: Pick<LibraryGroup, 'create_attribute'>,
  but: readonly string[],
): void {
  for (const [name, attribute] of Object.entries(guarded(() => from.attrs))) {
    if (but.includes(name.replace(/\d+$/, ''))) continue;
    const { metadata } = attribute;
    const shape = (metadata.shape ?? []).map(Number);
    const value = guarded(() => attribute.value);
    const isText =
      typeof value === 'string' || (Array.isArray(value) && value.every((text) => typeof text === 'string'));
    if (isText) to.create_attribute(name, value, shape, metadata.vlen ? 'S' : `S${metadata.size}`);
    else if (ArrayBuffer.isView(value) || typeof value === 'number') {
      to.create_attribute(name, value, shape, attribute.dtype);
    } else if (typeof value === 'bigint') to.create_attribute(name, BigInt64Array.of(value), shape, attribute.dtype);
    else throw notCopied(`the attribute '${name}'`);
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
  group.create_dataset({ name, data, shape: [...shape], dtype: type.letter });
}

const notCopied = (what: string): DscAuditError =>
  new DscAuditError('cannot-rewrite', `its HDF5 file holds what cannot be copied: ${what.slice(0, 200)}.`);
