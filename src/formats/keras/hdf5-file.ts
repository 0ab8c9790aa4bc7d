import type { ByteSource } from '../byte-source.ts';
import { DEFAULT_LIMITS, type Limits } from '../raisable-limits.ts';
import type { StoredWeight } from './weights.ts';

/** A group of an HDF5 file: other groups, datasets and attributes, by name. */
export interface Hdf5Group {
  /** Names of everything in it. */
  readonly names: readonly string[];
  group(name: string): Hdf5Group | null;
  /** Null for what is no tensor of numbers. */
  dataset(name: string): StoredWeight | null;
  /** The texts of an attribute; none where it is not there, or holds something else. */
  texts(attribute: string): readonly string[];
}

export interface Hdf5File {
  readonly root: Hdf5Group;
  close(): void;
}

/** The first text of an attribute; null where there is none. */
export const textOfAttribute = (group: Hdf5Group, attribute: string): string | null =>
  group.texts(attribute)[0] ?? null;

/**
 * Opens an HDF5 file. The library asks for the stretches that it needs; nothing else is read. It runs in a thread of its own,
 * that is ended where it does not come to an end by itself. From its sources, which no thread can load, it runs in this one.
 *
 * @throws {DscAuditError} `malformed-model` where it is no such file, `limit-exceeded` where it takes too long
 */
export async function openHdf5(source: ByteSource, limits: Limits = DEFAULT_LIMITS): Promise<Hdf5File> {
  const program = __DSC_AUDIT_HDF5_THREAD__;
  if (program === null) return (await (await import('./hdf5-library.ts')).loadHdf5())(source, limits);
  const { openInThread } = await import('./hdf5-in-thread.ts');
  return openInThread(source, new URL(program, import.meta.url), limits);
}
