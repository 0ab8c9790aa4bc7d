import type { ChalkInstance } from 'chalk';
import Table from 'cli-table3';
import type { Report } from '../audit/report.ts';
import { plainText, shorten } from './plain-text.ts';
import { type Row, rowsOf, SORTS, type Sort } from './rows.ts';
import { summaryLines } from './summary.ts';
import { bytes, change, percent, quantity, shapeText } from './units.ts';

export interface TableOptions {
  /** Columns of the terminal; null where there is no limit (a pipe). */
  readonly width: number | null;
  readonly sort: Sort;
  /** Names deep that layers are put together; null for each layer by itself. */
  readonly depth: number | null;
  /** Every layer, however small. */
  readonly all: boolean;
  readonly style: ChalkInstance;
}

/** Rows that are shown of a long model; what is left out is told below. */
const MAX_ROWS = 40;

/** The report for a person at a terminal. */
export function renderTable(report: Report, options: TableOptions): string {
  const rows = [...rowsOf(report, options.depth)].sort(SORTS[options.sort]);
  const shown = options.all ? rows : cut(rows);
  const parts = [
    headerLines(report, options.style),
    layerTable(shown, report, options),
    leftOutLines(rows, shown, report, options),
    [''],
    summaryLines(report, options),
  ];
  return `${parts.flat().join('\n')}\n`;
}

/** Layers that cost something, or nobody knows what; of very many the costliest, in the order that was asked for. */
function cut(rows: readonly Row[]): readonly Row[] {
  const costly = rows.filter(({ macs, params }) => macs === null || macs > 0 || params > 0);
  const kept = costly.length > 0 ? costly : rows;
  if (kept.length <= MAX_ROWS) return kept;
  const costliest = new Set([...kept].sort((a, b) => (b.macs ?? 0) - (a.macs ?? 0)).slice(0, MAX_ROWS));
  return kept.filter((row) => costliest.has(row));
}

function headerLines({ model }: Report, style: ChalkInstance): readonly string[] {
  const opset = model.opsets[''];
  const facts = [model.format.toUpperCase(), model.producer, opset === undefined ? null : `opset ${opset}`]
    .filter((fact) => fact !== null)
    .map(plainText);
  const tensors = (list: Report['model']['inputs']) =>
    list.map(({ name, shape, dtype }) => `${plainText(name)} ${plainText(shapeText(shape))} ${dtype ?? ''}`.trim());
  return [
    `${style.bold(plainText(model.path))}  ${style.dim(facts.join(' · '))}`,
    ...wrapList('in   ', tensors(model.inputs), style),
    ...wrapList('out  ', tensors(model.outputs), style),
    '',
  ];
}

/** Inputs and outputs that are named before the rest is only counted. */
const MAX_TENSORS = 4;

function wrapList(label: string, items: readonly string[], style: ChalkInstance): readonly string[] {
  const shown = items.slice(0, MAX_TENSORS);
  const rest = items.length - shown.length;
  return [style.dim(label) + shown.join(', ') + (rest > 0 ? style.dim(` and ${rest} more`) : '')];
}

interface Column {
  readonly head: string;
  readonly align: 'left' | 'right';
  /** Shown from this many columns of terminal on. */
  readonly from: number;
  cell(row: Row, report: Report, style: ChalkInstance): string;
}

const BAR_WIDTH = 8;

const COLUMNS: readonly Column[] = [
  { head: 'Operator', align: 'left', from: 110, cell: ({ what }) => plainText(what) },
  { head: 'Output', align: 'left', from: 0, cell: ({ output }) => plainText(shapeText(output)) },
  { head: 'Params', align: 'right', from: 0, cell: ({ params }) => quantity(params) },
  { head: 'Memory', align: 'right', from: 110, cell: ({ activationBytes }) => bytes(activationBytes) },
  { head: 'MACs', align: 'right', from: 0, cell: ({ macs }) => quantity(macs) },
  {
    head: '',
    align: 'right',
    from: 0,
    cell: ({ macs }, { totals }) => (macs === null ? '' : percent(macs, totals.macs)),
  },
  { head: 'Share', align: 'left', from: 96, cell: ({ macs }, { totals }, style) => style.cyan(bar(macs, totals.macs)) },
  { head: 'As DSC', align: 'left', from: 0, cell: verdictCell },
];

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

function bar(part: number | null, whole: number): string {
  if (part === null || whole === 0) return ' '.repeat(BAR_WIDTH);
  const eighths = Math.round((8 * BAR_WIDTH * part) / whole);
  return ('█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '')).padEnd(BAR_WIDTH);
}

function verdictCell({ verdict, layers }: Row, _report: Report, style: ChalkInstance): string {
  if (verdict === null) return '';
  if (verdict.reason !== null) return style.dim(verdict.reason);
  const { before, after, candidates } = verdict;
  const saved = before === null || after === null ? 'candidate' : change(before, after);
  return style.green(layers > 1 ? `${saved} (${candidates})` : saved);
}

const GAP = 2;
const MIN_NAME_WIDTH = 16;

function layerTable(rows: readonly Row[], report: Report, { width, style }: TableOptions): readonly string[] {
  const columns = COLUMNS.filter(({ from }) => width === null || width >= from);
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row, report, style)));
  const widths = columns.map(({ head }, index) =>
    Math.max(head.length, ...cells.map((row) => visible(row[index] ?? ''))),
  );
  const names = rows.map(({ name }) => plainText(name));
  const taken = widths.reduce((sum, column) => sum + column + GAP, 0);
  const longest = Math.max(5, ...names.map((name) => name.length));
  const room = width === null ? longest : Math.max(MIN_NAME_WIDTH, width - taken);
  const nameWidth = Math.min(longest, room);
  const table = new Table({
    head: ['Layer', ...columns.map(({ head }) => head)].map((head) => style.dim(head)),
    colAligns: ['left', ...columns.map(({ align }) => align)],
    chars: NO_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': GAP },
  });
  rows.forEach((_, index) => {
    table.push([shorten(names[index] ?? '', nameWidth), ...(cells[index] ?? [])]);
  });
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

/** Length without colour codes, which are the only escapes that are written here. */
function visible(text: string): number {
  return text.replaceAll(COLOUR, '').length;
}

const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

function leftOutLines(
  rows: readonly Row[],
  shown: readonly Row[],
  { totals }: Report,
  { style, depth }: TableOptions,
): readonly string[] {
  if (rows.length === shown.length) return [];
  const visibleRows = new Set(shown);
  const hidden = rows.filter((row) => !visibleRows.has(row));
  const macs = hidden.reduce((sum, row) => sum + (row.macs ?? 0), 0);
  const what = depth === null ? 'layers' : 'modules';
  const unknown = hidden.filter((row) => row.macs === null).length;
  const ofUnknown = unknown > 0 ? `, ${unknown} of them not counted` : '';
  return [
    style.dim(
      `and ${hidden.length} smaller ${what} with ${percent(macs, totals.macs)} of the MACs${ofUnknown}: --all shows them`,
    ),
  ];
}
