import { DTYPES, type DType } from '../../ir/dtype.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { countElements } from '../../ir/extents.ts';
import type { ByteSource } from '../byte-source.ts';
import { MAX_INFLATION } from '../limits.ts';
import { type Limits, limitMet } from '../raisable-limits.ts';
import { withEndingHeaps } from './global-heap.ts';
import type { Hdf5File, Hdf5Group } from './hdf5-file.ts';
import { literal } from './literal.ts';
import type { StoredWeight } from './weights.ts';

export type Library = typeof import('h5wasm');
type LibraryGroup = InstanceType<Library['Group']>;
type LibraryDataset = InstanceType<Library['Dataset']>;
type Attribute = InstanceType<Library['Attribute']>;

/** Names of open files in the library's own file system. */
let opened = 0;

/** The library, and its file system. Trouble that it meets is thrown from now on. */
export async function loadLibrary() {
  const library = await import('h5wasm');
  const { FS, activate_throwing_error_handler: throwErrors } = await library.ready;
  throwErrors();
  return { library, FS };
}

/** Loads the library, and gives what opens a file with it. Throws `malformed-model` where it is no such file. */
export async function loadHdf5(): Promise<(source: ByteSource, limits: Limits) => Hdf5File> {
  const { library, FS } = await loadLibrary();
  return (source, limits) => {
    const name = `model-${++opened}`;
    FS.writeFile(name, new Uint8Array(0));
    Object.assign(FS.lookupPath(name, {}).node, readThrough(withEndingHeaps(source, limits['json-size'])));
    const file = guarded(() => new library.File(name, 'r'));
    return {
      root: groupOf(library, file, { objects: 0, limits, mostBytes: MAX_INFLATION * source.size }),
      close() {
        try {
          file.close();
        } finally {
          FS.unlink(name);
        }
      },
    };
  };
}

/** What one file may ask for. */
interface Budget {
  objects: number;
  readonly limits: Limits;
  /** Bytes of one weight. */
  readonly mostBytes: number;
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

function groupOf(library: Library, group: LibraryGroup, budget: Budget): Hdf5Group {
  const attributeOf = (name: string): Attribute | null => guarded(() => group.attrs[name] ?? null);
  const child = (name: string) => {
    budget.objects++;
    const most = budget.limits['hdf5-objects'];
    if (budget.objects > most) {
      throw limitMet('hdf5-objects', budget.limits, `holds more than ${most} groups and weights`);
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
      return found instanceof library.Dataset ? storedWeight(found, budget) : null;
    },
    texts: (name) => textsOf(attributeOf(name), budget.limits),
  };
}

function textsOf(attribute: Attribute | null, limits: Limits): readonly string[] {
  if (attribute === null) return [];
  const { total_size: size } = attribute.metadata;
  if (size > limits['json-size']) throw limitMet('json-size', limits, `has an attribute of ${size} bytes`);
  const value = guarded(() => attribute.value);
  const values = Array.isArray(value) ? value : [value];
  return values.filter((text) => typeof text === 'string');
}

/** Null for what is no tensor of numbers. */
function storedWeight(dataset: LibraryDataset, { mostBytes }: Budget): StoredWeight | null {
  const metadata = guarded(() => dataset.metadata);
  const dtype = dtypeOf(metadata);
  if (dtype === null || metadata.shape === null) return null;
  const shape = metadata.shape.map(Number);
  const elements = countElements(shape);
  if (!Number.isSafeInteger(elements)) throw malformed('a weight has more than 2^53 elements');
  const byteLength = elements * (DTYPES[dtype].bits / 8);
  return { dtype, shape, data: { byteLength, read: () => bytesOf(dataset, dtype, byteLength, mostBytes) } };
}

/** Space that was never written is not in the file, and the library makes it nevertheless. */
function bytesOf(dataset: LibraryDataset, dtype: DType, byteLength: number, mostBytes: number): Uint8Array {
  if (byteLength > mostBytes) {
    throw new DscAuditError('limit-exceeded', `holds a weight of ${byteLength} bytes, more than it has room for.`);
  }
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
function guarded<T>(use: () => T): T {
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
