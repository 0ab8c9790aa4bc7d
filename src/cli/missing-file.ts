import { existsSync } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { nearest } from '../gate/nearest.ts';
import { DscAuditError } from '../ir/errors.ts';

/**
 * The error for a path that is not there, with what was most likely meant: a command, where the path could be one, or
 * the nearest file of its folder. Null where there is something under that path.
 */
export async function missingFile(path: string, commands: readonly string[]): Promise<DscAuditError | null> {
  if (existsSync(path)) return null;
  const target = await readlink(path).catch(() => null);
  if (target !== null) return new DscAuditError('cannot-read', `${path}: is a link to ${target}, which is not there.`);
  const command = path === basename(path) ? nearest(path, commands) : null;
  const meant = command === null ? await nearestFile(path) : `the command ${command}`;
  const hint = meant === null ? '.' : `; did you mean ${meant}?`;
  return new DscAuditError('cannot-read', `${path}: there is no such file${hint}`);
}

async function nearestFile(path: string): Promise<string | null> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => []);
  const name = nearest(basename(path), names);
  return name === null ? null : folder === '.' ? name : join(folder, name);
}
