import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { audit } from '../audit/audit.ts';
import { readTextIfThere } from '../formats/text-file.ts';
import { writeFailure } from '../formats/write-failure.ts';
import { startingBudgets } from '../gate/starting-budgets.ts';
import { DscAuditError } from '../ir/errors.ts';
import { plainText } from '../report/plain-text.ts';
import { findConfiguration } from './find-configuration.ts';
import { filesMatching } from './find-models.ts';
import { configurationFile, type StartingEntry, type StartingFile, workflowFile } from './starting-files.ts';
import { print, type Terminal } from './terminal.ts';

/** How models are named; what they are is found by their content. */
const MODEL_FILES = ['**/*.onnx', '**/*.keras', '**/*.h5'];

/** Models that a new configuration lists; a folder with more of them is better named by a glob. */
const MAX_MODELS = 50;

/** Writes what is not there yet, and says what it did. */
export async function runInit(terminal: Terminal): Promise<void> {
  await print(terminal.stdout, await init(terminal.cwd()));
}

async function init(folder: string): Promise<string> {
  const lines: string[] = [];
  const present = await findConfiguration(folder, undefined);
  const files: StartingFile[] = [];
  if (present === null) {
    const { entries, leftOut } = await startingEntries(folder);
    files.push(configurationFile(entries, schemaFor(folder)));
    lines.push(...leftOut);
  } else lines.push(`left alone  ${relative(folder, present.file)}`);
  files.push(workflowFile(__DSC_AUDIT_VERSION__, usesLfs(folder)));
  for (const file of files) lines.push(`${(await written(folder, file)) ? 'wrote     ' : 'left alone'}  ${file.path}`);
  return `${[...lines, '', ...NEXT_STEPS].map(plainText).join('\n')}\n`;
}

const NEXT_STEPS = [
  'Next:',
  '  dsc-audit             holds the models against their budgets',
  '  edit the budgets      "params": "12M" and the like; dsc-audit --help lists them',
  '  commit the files      and a pull request that makes a model grow too far turns red',
];

async function startingEntries(folder: string) {
  const found = await filesMatching(MODEL_FILES, folder);
  const entries: StartingEntry[] = [];
  const leftOut: string[] = [];
  for (const path of found.slice(0, MAX_MODELS)) {
    try {
      const report = await audit(join(folder, path));
      entries.push({ path: literal(path), budgets: startingBudgets(report) });
    } catch (error) {
      if (!(error instanceof DscAuditError)) throw error;
      leftOut.push(`left out    ${error.message.replace(`${folder}${sep}`, '')}`);
    }
  }
  if (found.length > MAX_MODELS)
    leftOut.push(`left out    ${found.length - MAX_MODELS} more models: add them as a glob`);
  if (entries.length > 0) return { entries, leftOut };
  const why = leftOut.length > 0 ? ` that can be audited:\n${leftOut.join('\n')}` : ' (*.onnx, *.keras, *.h5).';
  throw new DscAuditError('cannot-read', `${folder}: there is no model in this folder or below${why}`);
}

/** A path as a glob that matches it alone. */
function literal(path: string): string {
  return path.replace(/[\\*?[\]{}()!+@|]/g, '\\$&');
}

function schemaFor(folder: string): string {
  const installed = 'node_modules/dsc-audit/schema/config.schema.json';
  const published = `https://unpkg.com/dsc-audit@${__DSC_AUDIT_VERSION__}/schema/config.schema.json`;
  return existsSync(join(folder, installed)) ? `./${installed}` : published;
}

function usesLfs(folder: string): boolean {
  const attributes = readTextIfThere(join(folder, '.gitattributes'), MAX_ATTRIBUTES_BYTES);
  return attributes?.includes('filter=lfs') ?? false;
}

/** Git's own attributes are a few lines. */
const MAX_ATTRIBUTES_BYTES = 1_000_000;

/** Writes a file that is not there; false where it is. */
async function written(folder: string, { path, content }: StartingFile): Promise<boolean> {
  const file = join(folder, path);
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw writeFailure(file, error);
  }
}
