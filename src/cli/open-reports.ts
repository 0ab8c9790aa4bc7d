import { open, readFile, stat } from 'node:fs/promises';
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

/** The report in a file, where it is JSON that says it is one; null for anything else, a model most likely. */
export async function openReport(path: string): Promise<MeasuredReport | null> {
  if (!(await beginsLikeJson(path))) return null;
  const { checkReports, isReport } = await import('../gate/check-reports.ts');
  let content: unknown;
  try {
    content = JSON.parse(await readText(path));
  } catch {
    return null;
  }
  if (!isReport(content)) return null;
  const reports = checkReports(content, path);
  const [only] = reports;
  if (reports.length === 1 && only) return only;
  throw new DscAuditError('invalid-report', `${path}: holds ${reports.length} reports; give one of a single model.`);
}

/** JSON of any kind that holds a report begins with a bracket; a model in binary does not. */
async function beginsLikeJson(path: string): Promise<boolean> {
  const file = await open(path).catch(() => null);
  if (file === null) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
    return /^\uFEFF?\s*[{[]/.test(buffer.toString('utf8', 0, bytesRead));
  } catch {
    return false;
  } finally {
    await file.close();
  }
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
