import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DscAuditError } from '../ir/errors.ts';
import { writeFailure } from './write-failure.ts';

/** A file to be written. */
export interface OutputFile {
  readonly path: string;
  readonly chunks: Iterable<Uint8Array>;
}

/** A name beside `path` that nothing has: renaming never leaves the file system. */
export const temporaryPath = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);

/**
 * What is at `path` is a file or a link, which renaming replaces, or nothing: never a device or a pipe, nor a link to one of
 * the process's own streams, such as `/dev/stdout`, whatever that is directed to. Throws `cannot-write`.
 */
export function checkReplaceable(path: string): void {
  const stats = attempt(path, () => lstatSync(path, { throwIfNoEntry: false }));
  if (!stats || stats.isFile()) return;
  if (!stats.isSymbolicLink() || attempt(path, () => leadsThroughSystem(path))) throw notReplaceable(path);
}

/** Where links are the system's own. */
const SYSTEM_FOLDERS = ['/dev/', '/proc/'];

/** As far as a file system follows links itself. */
const MAX_LINKS = 40;

function leadsThroughSystem(link: string): boolean {
  let place = link;
  for (let followed = 0; followed < MAX_LINKS; followed++) {
    if (!lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) return false;
    const folder = realpathSync(dirname(place));
    if (SYSTEM_FOLDERS.some((system) => `${folder}/`.startsWith(system))) return true;
    place = resolve(folder, readlinkSync(place));
  }
  return false;
}

const notReplaceable = (path: string): DscAuditError =>
  new DscAuditError('cannot-write', `${path}: is no file that could be replaced.`);

/**
 * Writes files beside where they will be and renames them once all are complete, in the order given: what is under
 * their names is whole at any time, and a full disk leaves nothing behind.
 *
 * @throws {DscAuditError} `cannot-write`
 */
export function writeFiles(files: readonly OutputFile[]): void {
  for (const _ of writing(files));
}

/**
 * The same, unless it is called off before all files are complete: then nothing is left behind, either.
 *
 * @throws {DscAuditError} `cannot-write`, and `interrupted` soon after the signal
 */
export async function writeFilesUnless(signal: AbortSignal, files: readonly OutputFile[]): Promise<void> {
  for (const _ of writing(files)) {
    // Whoever calls it off is heard between two chunks.
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) throw new DscAuditError('interrupted', 'Interrupted: no file was written.');
  }
}

/** A chunk a step. Who stops in between has nothing left behind. */
function* writing(files: readonly OutputFile[]): Generator<void> {
  const written: { readonly temporary: string; readonly path: string }[] = [];
  try {
    for (const { path, chunks } of files) {
      checkReplaceable(path);
      const temporary = temporaryPath(path);
      written.push({ temporary, path });
      yield* attemptAll(path, writingWhole(temporary, chunks));
    }
    for (const { temporary, path } of written) attempt(path, () => renameSync(temporary, path));
  } finally {
    for (const { temporary } of written) rmSync(temporary, { force: true });
  }
}

function* writingWhole(path: string, chunks: Iterable<Uint8Array>): Generator<void> {
  const descriptor = openSync(path, 'wx');
  try {
    for (const chunk of chunks) {
      for (let done = 0; done < chunk.length; ) done += writeSync(descriptor, chunk, done);
      yield;
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Holds every file of an outcome to {@link checkOutput}, and no two to one name.
 *
 * @throws {DscAuditError} `cannot-write`
 */
export function checkOutputs(files: readonly OutputFile[], inputs: readonly string[], force: boolean): void {
  const places = new Set<string>();
  for (const { path } of files) {
    checkOutput(path, inputs, force);
    if (places.has(resolve(path))) {
      throw new DscAuditError('cannot-write', `${path}: two files of this command would have this name.`);
    }
    places.add(resolve(path));
  }
}

/**
 * Refuses to write where a file is that is read, or, unless that was asked for, where there is one at all.
 *
 * @throws {DscAuditError} `cannot-write`
 */
export function checkOutput(path: string, inputs: readonly string[], force: boolean): void {
  const stats = attempt(path, () => statSync(path, { throwIfNoEntry: false }));
  if (!stats) return;
  if (!stats.isFile()) throw notReplaceable(path);
  checkReplaceable(path);
  if (inputs.some((input) => isSame(input, path))) {
    throw new DscAuditError('cannot-write', `${path}: is read by this very command; give another name with -o.`);
  }
  if (!force) throw new DscAuditError('cannot-write', `${path}: is there already; --force replaces it.`);
}

function isSame(input: string, path: string): boolean {
  const there = statSync(input, { throwIfNoEntry: false });
  return there !== undefined && realpathSync(resolve(input)) === realpathSync(resolve(path));
}

function* attemptAll(path: string, steps: Iterable<void>): Generator<void> {
  try {
    yield* steps;
  } catch (error) {
    throw writeFailure(path, error);
  }
}

function attempt<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw writeFailure(path, error);
  }
}
