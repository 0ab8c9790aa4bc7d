/** NumPy's own files: `.npy`, one array, and `.npz`, a zip archive of such (numpy.lib.format, versions 1 to 3). */
import type { DType } from '../../ir/dtype.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { MAX_INFLATION } from '../limits.ts';
import { type NumberArray, numberArray } from './array.ts';

const MAGIC = '\u0093NUMPY';

/** Element types by NumPy's letter and size; all little-endian. */
const TYPES: Readonly<Record<string, DType>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  b1: 'bool',
};

/** Reads a `.npy` file. Throws `cannot-read`. */
export function readNpy(file: string, bytes: Uint8Array): NumberArray {
  if (String.fromCharCode(...bytes.subarray(0, MAGIC.length)) !== MAGIC) throw unreadable(file, 'is no .npy file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isFirst = bytes[MAGIC.length] === 1;
  const begin = isFirst ? 10 : 12;
  if (bytes.length < begin) throw unreadable(file, 'is truncated');
  const end = begin + (isFirst ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = new TextDecoder().decode(bytes.subarray(begin, end));
  const [, order = '', type = ''] = /'descr':\s*'([<>|=])([a-z]\d+)'/.exec(header) ?? [];
  const extents = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  const dtype = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (dtype === undefined || extents === undefined) throw unreadable(file, 'holds no plain numbers');
  if (order === '>') throw unreadable(file, 'is big-endian; save it with array.astype("<f4")');
  if (/'fortran_order':\s*True/.test(header)) {
    throw unreadable(file, 'lies in columns; save it with numpy.ascontiguousarray(array)');
  }
  const shape = extents.split(',').flatMap((extent) => (extent.trim() === '' ? [] : [Number(extent)]));
  return numberArray(file, dtype, shape, bytes.subarray(end));
}

/** What an archive may hold once it is unpacked. */
const MAX_UNPACKED_BYTES = 2 ** 32;

/** Reads the arrays of a `.npz` file by name. Throws `cannot-read`. */
export async function readNpz(file: string, bytes: Uint8Array): Promise<ReadonlyMap<string, NumberArray>> {
  const { unzipSync } = await import('fflate');
  let unpacked = 0;
  const entries = unpack(file, () =>
    unzipSync(bytes, {
      filter: ({ name, size, originalSize }) => {
        // What is told is allocated: it must be a size that deflate can reach.
        if (originalSize > size * MAX_INFLATION) throw unreadable(file, `tells a size of '${name}' that cannot be`);
        unpacked += originalSize;
        if (unpacked > MAX_UNPACKED_BYTES) throw unreadable(file, 'unpacks to more than 4 GB');
        return name.endsWith('.npy');
      },
    }),
  );
  return new Map(
    Object.entries(entries).map(([name, entry]) => [name.slice(0, -'.npy'.length), readNpy(`${file}/${name}`, entry)]),
  );
}

function unpack<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof DscAuditError) throw error;
    throw unreadable(file, `is no whole zip archive (${error instanceof Error ? error.message : error})`);
  }
}

const unreadable = (file: string, what: string): DscAuditError => new DscAuditError('cannot-read', `${file}: ${what}.`);
