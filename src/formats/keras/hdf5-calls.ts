/** What the thread that reads HDF5 is asked, and what it answers: plain data. Groups are told by the names that lead to them. */
import type { DType } from '../../ir/dtype.ts';
import type { ErrorCode } from '../../ir/errors.ts';
import type { Limits } from '../raisable-limits.ts';

type Path = readonly string[];

/** A dataset without its elements. */
export interface DatasetHead {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/** Every call with what it takes: a group, and mostly the name of something in it. */
export interface Takes {
  readonly open: readonly [];
  readonly names: readonly [group: Path];
  readonly hasGroup: readonly [group: Path, name: string];
  readonly dataset: readonly [group: Path, name: string];
  readonly texts: readonly [group: Path, attribute: string];
  readonly bytes: readonly [group: Path, name: string];
}

/** What each gives. */
export interface Gives {
  readonly open: null;
  readonly names: readonly string[];
  readonly hasGroup: boolean;
  readonly dataset: DatasetHead | null;
  readonly texts: readonly string[];
  readonly bytes: Uint8Array | null;
}

export type CallName = keyof Takes;

export type Hdf5Calls = { readonly [Name in CallName]: (...args: Takes[Name]) => Gives[Name] };

export interface Request<Name extends CallName = CallName> {
  readonly call: Name;
  readonly args: Takes[Name];
}

/** What one call gives, under its name. */
export type Answers = { -readonly [Name in CallName]?: Gives[Name] };

/** What the thread says: that it needs a stretch of the file, or the answer. */
export type Said =
  | { readonly read: { readonly offset: number; readonly length: number } }
  | { readonly answers: Answers }
  | { readonly failure: { readonly code: ErrorCode; readonly message: string } }
  | { readonly bug: string };

/** Memory that both sides see: words, then a stretch of the file. */
export const WORDS = {
  /** Counts what the thread has said. */
  said: 0,
  /** Counts the stretches that were handed to it. */
  served: 1,
  /** Bytes of the latest stretch. */
  length: 2,
} as const;

export const WORD_BYTES = 16;
export const STRETCH_BYTES = 256 * 1024;

export interface ThreadSetting {
  readonly shared: SharedArrayBuffer;
  /** Bytes of the whole file. */
  readonly fileBytes: number;
  readonly limits: Limits;
}
