import type { MeasuredReport } from './measured-report.ts';

/**
 * The report of a model among those of a baseline: the one with its path, or else the only one with its file's name.
 * A lone report is that of a lone model, whatever it is called. Null where none fits.
 */
export function baselineOf(
  path: string,
  isLoneModel: boolean,
  reports: readonly MeasuredReport[],
): MeasuredReport | null {
  const [first] = reports;
  if (isLoneModel && reports.length === 1 && first) return first;
  const same = reports.filter(({ model }) => normal(model.path) === normal(path));
  const alike = reports.filter(({ model }) => fileName(model.path) === fileName(path));
  return same.length === 1 ? (same[0] ?? null) : alike.length === 1 ? (alike[0] ?? null) : null;
}

const normal = (path: string): string => path.replaceAll('\\', '/').replace(/^(\.\/)+/, '');
const fileName = (path: string): string | undefined => normal(path).split('/').at(-1);
