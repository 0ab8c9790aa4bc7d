/** Where profiles of this machine are kept, and how they are read and written. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeFiles } from '../formats/output-file.ts';
import { readTextIfThere } from '../formats/text-file.ts';
import { writeFailure } from '../formats/write-failure.ts';
import { DscAuditError } from '../ir/errors.ts';
import { type Profile, parseProfile } from './profile.ts';

export interface StorePlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
}

/** The user's cache folder, as each system has it. */
function cacheFolder({ env, platform }: StorePlace): string {
  if (env.XDG_CACHE_HOME) return env.XDG_CACHE_HOME;
  if (platform === 'win32' && env.LOCALAPPDATA) return env.LOCALAPPDATA;
  const home = env.HOME ?? env.USERPROFILE ?? homedir();
  return platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache');
}

/** The profile of this machine for a backend. */
export function machineProfilePath(place: StorePlace, backend: string): string {
  return join(cacheFolder(place), 'dsc-audit', `profile-${backend}.json`);
}

/** A profile is some tens of kilobytes. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Null where there is no such file. */
export function readProfileIfThere(path: string): Profile | null {
  const text = readTextIfThere(path, MAX_BYTES);
  return text === null ? null : parseProfile(text, path);
}

export function readProfile(path: string): Profile {
  const profile = readProfileIfThere(path);
  if (profile === null)
    throw new DscAuditError('cannot-read', `There is no profile ${path}. dsc-audit calibrate -o ${path} writes one.`);
  return profile;
}

/** Writes all of it or nothing, with the folders on the way. Throws `cannot-write`. */
export function writeProfile(path: string, profile: Profile): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw writeFailure(path, error);
  }
  writeFiles([{ path, chunks: [Buffer.from(`${JSON.stringify(profile, null, 1)}\n`)] }]);
}

/** Tells profiles apart. */
export const profileId = (contents: unknown): string =>
  createHash('sha256').update(JSON.stringify(contents)).digest('hex').slice(0, 8);
