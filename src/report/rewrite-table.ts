import type { ChalkInstance } from 'chalk';
import type { RewriteReport, RewrittenLayer } from '../audit/rewrite-report.ts';
import { coverageLines, diagnosticLines } from './diagnostic-lines.ts';
import { lowerBounds } from './lower-bounds.ts';
import { plainText, shorten, wrap } from './plain-text.ts';
import { bytes, change, milliseconds, quantity } from './units.ts';

const MAX_NAME_WIDTH = 48;

interface Column {
  readonly head: string;
  cell(layer: RewrittenLayer): string;
}

const COLUMNS: readonly Column[] = [
  { head: 'Rank', cell: ({ rank }) => String(rank) },
  { head: 'Energy', cell: ({ energy }) => (energy === null ? '' : share(energy)) },
  { head: 'MACs', cell: ({ before, after }) => changed(before.macs, after.macs) },
  { head: 'Params', cell: ({ before, after }) => changed(before.params, after.params) },
  { head: 'Error', cell: ({ outputError }) => (outputError === null ? '' : share(outputError)) },
];

const share = (part: number): string => `${(100 * part).toFixed(1)} %`;

const changed = (before: number | null, after: number | null): string =>
  before === null || after === null ? '' : change(before, after);

interface TableOptions {
  readonly style: ChalkInstance;
  /** Columns of the terminal; null for no limit. */
  readonly width: number | null;
}

/** What was rewritten, for a person at a terminal. `written` are all files, a recipe's too. */
export function renderRewrite(report: RewriteReport, written: readonly string[], options: TableOptions): string {
  const { style, width } = options;
  const { layers, skipped } = report;
  const where = written.length === 0 ? '(not written)' : written.map(plainText).join(', ');
  const columns = COLUMNS.filter(({ cell }) => layers.some((layer) => cell(layer) !== ''));
  const names = layers.map(({ layer }) => shorten(plainText(layer), MAX_NAME_WIDTH));
  const lines = [
    style.bold(`${plainText(report.model.path)} → ${where}`),
    '',
    ...aligned([
      ['Layer', ...columns.map(({ head }) => head)],
      ...layers.map((layer, index) => [names[index] ?? '', ...columns.map(({ cell }) => cell(layer))]),
    ]),
    '',
    ...totalLines(report),
    ...validationLines(report),
    ...skipped.flatMap(({ layer, reason }) =>
      wrap(`left alone: ${plainText(layer)}: ${plainText(reason)}`, width).map((line) => style.dim(line)),
    ),
    ...(report.coverage.counted < report.coverage.nodes ? ['', ...coverageLines(report.coverage, options)] : []),
    ...diagnosticLines(report.diagnostics, options),
  ];
  return `${lines.join('\n')}\n`;
}

/** Names to the left, figures to the right. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}

function totalLines(report: RewriteReport): readonly string[] {
  const { before, after, layers, loss, strategy, target } = report;
  const atLeast = lowerBounds({ ...report, totals: before });
  const convolutions = layers.length === 1 ? '1 convolution' : `${layers.length} convolutions`;
  const aim = target === null ? '' : `, for ${plainText(target)}`;
  const line = (
    what: string,
    was: number | null,
    is: number | null,
    text: (value: number | null) => string,
    sign = '',
  ): string =>
    `  ${what.padEnd(8)} ${sign}${text(was)} → ${sign}${text(is)}${was === null || is === null ? '' : ` (${change(was, is)})`}`;
  return [
    `${convolutions} as ${strategy}${aim}${loss === null ? '' : `; energy lost, all layers together: ${loss.toFixed(3)}`}`,
    line('MACs', before.macs, after.macs, quantity, atLeast.macs),
    line('Params', before.params, after.params, quantity, atLeast.params),
    line('Files', before.fileBytes, after.fileBytes, bytes),
    ...(before.latencyMs && after.latencyMs
      ? [line('Latency', before.latencyMs.value, after.latencyMs.value, milliseconds, atLeast.latency)]
      : []),
  ];
}

function validationLines({ samples, validation }: RewriteReport): readonly string[] {
  if (validation === null) {
    return ['', 'Fine-tune it before use, or fit it to sample inputs: --samples images.npy'];
  }
  const { count, cosine, top1Agreement, accuracyBefore, accuracyAfter } = validation;
  const agreement = top1Agreement === null ? '' : `, same class for ${share(top1Agreement)}`;
  const accuracy =
    accuracyBefore === null || accuracyAfter === null
      ? []
      : [`  accuracy ${share(accuracyBefore)} → ${share(accuracyAfter)}`];
  return [
    '',
    `Fitted to ${samples?.count ?? 0} samples, judged on ${count}:`,
    `  outputs  cosine ${cosine.toFixed(4)}${agreement}`,
    ...accuracy,
  ];
}
