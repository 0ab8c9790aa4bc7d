import { DTYPES, type DType } from '../../ir/dtype.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { countElements } from '../../ir/extents.ts';
import type { ByteSource } from '../byte-source.ts';
import { MAX_HDF5_OBJECTS, MAX_JSON_BYTES } from '../limits.ts';
import { withEndingHeaps } from './global-heap.ts';
import { literal } from './literal.ts';
import type { StoredWeight } from './weights.ts';

export type Library = typeof import('h5wasm');
export type LibraryGroup = InstanceType<Library['Group']>;
export type LibraryDataset = InstanceType<Library['Dataset']>;
type Attribute = InstanceType<Library['Attribute']>;

/** A group of an HDF5 file: other groups, datasets and attributes, by name. */
export interface Hdf5Group {
  /** Names of everything in it. */
  readonly names: readonly string[];
  group(name: string): Hdf5Group | null;
  dataset(name: string): StoredWeight | null;
  /** An attribute of text; null where there is none. */
  text(attribute: string): string | null;
  texts(attribute: string): readonly string[];
}

export interface Hdf5File {
  readonly root: Hdf5Group;
  close(): void;
}

/** Names of open files in the library's own file system. */
let opened = 0;

/**
 * Opens an HDF5 file. The library asks for the stretches that it needs; nothing else is read. Throws `malformed-model`
 * where it is no such file.
 */
export async function openHdf5(source: ByteSource): Promise<Hdf5File> {
  const { library, file, close } = await mountHdf5(source);
  return { root: groupOf(library, file, { objects: 0 }), close };
}

/** A file as the library opens it. */
export interface MountedHdf5 {
  readonly library: Library;
  readonly file: InstanceType<Library['File']>;
  close(): void;
}

/** Opens an HDF5 file for whoever needs all of it. Throws as {@link openHdf5}. */
export async function mountHdf5(source: ByteSource): Promise<MountedHdf5> {
  const library = await import('h5wasm');
  const { FS, activate_throwing_error_handler: throwErrors } = await library.ready;
  throwErrors();
  const name = `model-${++opened}`;
  FS.writeFile(name, new Uint8Array(0));
  Object.assign(FS.lookupPath(name, {}).node, readThrough(withEndingHeaps(source)));
  const file = guarded(() => new library.File(name, 'r'));
  return {
    library,
    file,
    close() {
      try {
        file.close();
      } finally {
        FS.unlink(name);
      }
    },
  };
}

/** What makes a file of the library's file system read from elsewhere. (Emscripten, FS: stream operations) */
function readThrough(source: ByteSource) {
  const ends = [() => 0, (stream: { readonly position: number }) => stream.position, () => source.size];
  return {
    usedBytes: source.size,
    stream_ops: {
      llseek: (stream: { readonly position: number }, offset: number, whence: number) =>
        offset + (ends[whence]?.(stream) ?? 0),
      read: (_stream: unknown, memory: Int8Array, at: number, length: number, position: number): number =>
        source.read(position, new Uint8Array(memory.buffer, memory.byteOffset + at, length)),
    },
  };
}

function groupOf(library: Library, group: LibraryGroup, budget: { objects: number }): Hdf5Group {
  const attributeOf = (name: string): Attribute | null => guarded(() => group.attrs[name] ?? null);
  const child = (name: string) => {
    budget.objects++;
    if (budget.objects > MAX_HDF5_OBJECTS) {
      throw new DscAuditError('limit-exceeded', `holds more than ${MAX_HDF5_OBJECTS} groups and weights.`);
    }
    return guarded(() => group.get(name));
  };
  return {
    get names() {
      return guarded(() => group.keys());
    },
    group(name) {
      const found = child(name);
      return found instanceof library.Group ? groupOf(library, found, budget) : null;
    },
    dataset(name) {
      const found = child(name);
      return found instanceof library.Dataset ? storedWeight(found) : null;
    },
    text(name) {
      const [text] = textsOf(attributeOf(name));
      return text ?? null;
    },
    texts: (name) => textsOf(attributeOf(name)),
  };
}

function textsOf(attribute: Attribute | null): readonly string[] {
  if (attribute === null) return [];
  if (attribute.metadata.total_size > MAX_JSON_BYTES) {
    throw new DscAuditError('limit-exceeded', `has an attribute of ${attribute.metadata.total_size} bytes.`);
  }
  const value = guarded(() => attribute.value);
  const values = Array.isArray(value) ? value : [value];
  return values.filter((text) => typeof text === 'string');
}

/** Null for what is no tensor of numbers. */
export function storedWeight(dataset: LibraryDataset): StoredWeight | null {
  const metadata = guarded(() => dataset.metadata);
  const dtype = dtypeOf(metadata);
  if (dtype === null || metadata.shape === null) return null;
  const shape = metadata.shape.map(Number);
  const elements = countElements(shape);
  if (!Number.isSafeInteger(elements)) throw malformed('a weight has more than 2^53 elements');
  const byteLength = elements * (DTYPES[dtype].bits / 8);
  return { dtype, shape, data: { byteLength, read: () => bytesOf(dataset, dtype, byteLength) } };
}

function bytesOf(dataset: LibraryDataset, dtype: DType, byteLength: number): Uint8Array {
  const value = guarded(() => dataset.value);
  const bytes = ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : scalarBytes(value, dtype);
  if (bytes.length !== byteLength)
    throw malformed(`a weight has ${bytes.length} bytes, where its shape needs ${byteLength}`);
  return bytes;
}

/** The library hands out a tensor of no axes as the number that it holds. */
function scalarBytes(value: unknown, dtype: DType): Uint8Array {
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  return (isNumber ? literal(dtype, [Number(value)], []).data.read() : null) ?? new Uint8Array(0);
}

const FLOATS: Readonly<Record<number, DType>> = { 2: 'float16', 4: 'float32', 8: 'float64' };
const SIGNED: Readonly<Record<number, DType>> = { 1: 'int8', 2: 'int16', 4: 'int32', 8: 'int64' };
const UNSIGNED: Readonly<Record<number, DType>> = { 1: 'uint8', 2: 'uint16', 4: 'uint32', 8: 'uint64' };

/** Type classes of HDF5 (H5T_class_t). */
const INTEGER = 0;
const FLOAT = 1;

function dtypeOf({ type, size, signed }: LibraryDataset['metadata']): DType | null {
  if (type === FLOAT) return FLOATS[size] ?? null;
  if (type !== INTEGER) return null;
  return (signed ? SIGNED : UNSIGNED)[size] ?? null;
}

/** Whatever the library throws is trouble with the file. */
export function guarded<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (error instanceof DscAuditError) throw error;
    throw malformed('it is no valid HDF5 file, or damaged');
  }
}

function malformed(what: string): DscAuditError {
  return new DscAuditError('malformed-model', `${what}.`);
}
