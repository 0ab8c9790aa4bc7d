import { lstat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { repeatedKey } from '../formats/repeated-key.ts';
import { readText } from '../formats/text-file.ts';
import type { Configuration } from '../gate/configuration.ts';
import { DscAuditError } from '../ir/errors.ts';

/** A configuration with where it lies: its paths start from there. */
export interface FoundConfiguration {
  readonly file: string;
  readonly folder: string;
  readonly settings: Configuration;
}

/** Names under which a configuration is found. */
const CONFIGURATION_FILES = ['dsc-audit.config.json', '.dsc-audit.json'] as const;

/** The key of package.json that may hold it instead. */
const PACKAGE_KEY = 'dsc-audit';

/** Configurations are written by people. */
const MAX_BYTES = 4_000_000;

/**
 * The configuration that `--config` names, or the first one upwards from a folder. The search ends at the root of the
 * repository, so that what lies around a checkout does not decide about it. Null where there is none.
 *
 * @throws {DscAuditError} where it cannot be read, or two of them lie side by side
 */
export async function findConfiguration(cwd: string, named: string | undefined): Promise<FoundConfiguration | null> {
  if (named !== undefined) return openConfiguration(resolve(cwd, named));
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const found = await configurationIn(folder);
    if (found !== null) return found;
    if (folder === dirname(folder) || (await exists(join(folder, '.git')))) return null;
  }
}

async function configurationIn(folder: string): Promise<FoundConfiguration | null> {
  const candidates = CONFIGURATION_FILES.map((name) => join(folder, name));
  const present: string[] = [];
  for (const file of candidates) if (await exists(file)) present.push(file);
  const inPackage = await packageConfiguration(join(folder, 'package.json'));
  if (inPackage !== undefined) present.push(inPackage.file);
  if (present.length > 1) {
    const what = `${folder}: only one of ${present.map((file) => basename(file)).join(' and ')} can count; remove the others.`;
    throw new DscAuditError('invalid-configuration', what);
  }
  const [only] = present;
  if (only === undefined) return null;
  return inPackage ? checked(inPackage.content, inPackage.file, folder) : openConfiguration(only);
}

async function openConfiguration(file: string): Promise<FoundConfiguration> {
  if (basename(file) === 'package.json') {
    const inPackage = await packageConfiguration(file);
    if (inPackage !== undefined) return checked(inPackage.content, inPackage.file, dirname(file));
    throw new DscAuditError('invalid-configuration', `${file}: has no key "${PACKAGE_KEY}".`);
  }
  const { content, text } = readJson(file);
  refuseRepeatedKeys(text, file);
  return checked(content, file, dirname(file));
}

async function packageConfiguration(file: string) {
  if (!(await exists(file))) return undefined;
  const { content, text } = readJson(file);
  const own = ownKey(content, PACKAGE_KEY);
  if (own === undefined) return undefined;
  refuseRepeatedKeys(text, file);
  return { content: own, file: `${file}#${PACKAGE_KEY}` };
}

/** Of two budgets for one figure only the last would count, and nobody would know. */
function refuseRepeatedKeys(text: string, file: string): void {
  const key = repeatedKey(text);
  if (key === null) return;
  throw new DscAuditError('invalid-configuration', `${file}: has the key "${key}" twice in one object; remove one.`);
}

async function checked(content: unknown, file: string, folder: string): Promise<FoundConfiguration> {
  const { checkConfiguration } = await import('../gate/configuration.ts');
  return { file, folder, settings: checkConfiguration(content, file) };
}

function readJson(file: string): { readonly content: unknown; readonly text: string } {
  const text = readText(file, MAX_BYTES);
  try {
    return { content: JSON.parse(text), text };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DscAuditError('invalid-configuration', `${file}: is no JSON: ${reason}. (--no-config leaves it aside.)`);
  }
}

/** A link to nowhere is there, and cannot be read: what a configuration would hold must not be left out without a word. */
async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function ownKey(content: unknown, key: string): unknown {
  if (typeof content !== 'object' || content === null) return undefined;
  return Object.getOwnPropertyDescriptor(content, key)?.value;
}
