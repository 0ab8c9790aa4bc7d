import { readFile, stat } from 'node:fs/promises';
import type { MeasuredReport } from '../gate/measured-report.ts';
import { DscAuditError } from '../ir/errors.ts';

/** A report of 100,000 layers takes about 100 MB; JSON is parsed in one piece. */
const MAX_BYTES = 400_000_000;

/** Reads a file of JSON reports. Throws `cannot-read` or `invalid-report`. */
export async function openReports(path: string): Promise<readonly MeasuredReport[]> {
  const text = await readText(path);
  const { checkReports } = await import('../gate/check-reports.ts');
  return checkReports(parse(text, path), path);
}

async function readText(path: string): Promise<string> {
  const stats = await stat(path).catch(() => null);
  if (stats === null) throw new DscAuditError('cannot-read', `${path}: there is no such file.`);
  if (!stats.isFile()) throw new DscAuditError('cannot-read', `${path}: is not a file.`);
  if (stats.size > MAX_BYTES) throw new DscAuditError('limit-exceeded', `${path}: is too large for a report.`);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DscAuditError('cannot-read', `${path}: cannot be read: ${reason}.`);
  }
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    const what = 'is no JSON: a baseline is a report that --format json wrote.';
    throw new DscAuditError('invalid-report', `${path}: ${what}`);
  }
}
