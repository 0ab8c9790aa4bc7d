import { open, stat } from 'node:fs/promises';
import { readText } from '../formats/text-file.ts';
import type { MeasuredReport } from '../gate/measured-report.ts';
import { DscAuditError } from '../ir/errors.ts';

/** A report of 100,000 layers takes about 100 MB; JSON is parsed in one piece. */
const MAX_BYTES = 400_000_000;

/** Reads a file of JSON reports. Throws `cannot-read` or `invalid-report`. */
export async function openReports(path: string): Promise<readonly MeasuredReport[]> {
  const text = readText(path, MAX_BYTES);
  const { checkReports } = await import('../gate/check-reports.ts');
  return checkReports(parse(text, path), path);
}

/** The report in a file, where it is JSON that says it is one; null for anything else, a model most likely. */
export async function openReport(path: string): Promise<MeasuredReport | null> {
  if (!(await beginsLikeJson(path))) return null;
  const { checkReports, isReport } = await import('../gate/check-reports.ts');
  let content: unknown;
  try {
    content = JSON.parse(readText(path, MAX_BYTES));
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
  // Opening a pipe takes what it holds, or waits for it.
  const isFile = await stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
  const file = isFile ? await open(path).catch(() => null) : null;
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

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const what = 'is no JSON: a baseline is a report that --format json wrote.';
    throw new DscAuditError('invalid-report', `${path}: ${what}`);
  }
}
