import { Chalk, type ChalkInstance } from 'chalk';
import type { Report } from '../audit/report.ts';
import { notesOfCall } from './call-notes.ts';
import { GAP, lineOf, type TextColumn, widest } from './columns.ts';
import { diagnosticLines } from './diagnostic-lines.ts';
import type { Document, Format, Layout } from './format.ts';
import { FORMAT_NAMES } from './format-names.ts';
import type { FailedModel, ModelSummary } from './model-summary.ts';
import { overviewLines } from './overview.ts';
import { plainText, shorten, wrap } from './plain-text.ts';
import { type Row, rowsOf, SORTS, type Sort } from './rows.ts';
import { STRATEGY_WORDS } from './strategy-text.ts';
import { summaryLines } from './summary.ts';
import { bytes, change, milliseconds, percent, quantity, shapeText } from './units.ts';
import { verdictLines } from './verdict.ts';

type TableOptions = Pick<Layout, 'width' | 'sort' | 'grouping' | 'all' | 'models'> & { readonly style: ChalkInstance };

/** The report for a person at a terminal. */
export const table: Format = {
  section: (report, layout) => renderTable(report, { ...layout, style: styleOf(layout) }),
  document: tableDocument,
};

const styleOf = ({ colour }: Layout): ChalkInstance => new Chalk({ level: colour });

/** One table after the other; of several models an overview at the end, where a terminal shows it. */
function tableDocument(layout: Layout): Document {
  const models: (ModelSummary | FailedModel)[] = [];
  let gap = '';
  return {
    add({ model, section }) {
      models.push(model);
      if (section === null) return '';
      const text = gap + section;
      gap = '\n';
      return text;
    },
    end: () => (layout.models === 1 ? [] : [`\n${closingLines(models, layout).join('\n')}\n`]),
  };
}

/** All models side by side, and what is to be said of all of them. */
function closingLines(models: readonly (ModelSummary | FailedModel)[], layout: Layout): readonly string[] {
  const options = { width: layout.width, style: styleOf(layout) };
  return [...overviewLines(models, options), ...diagnosticLines(notesOfCall(models), options)];
}

/** Rows that are shown of a long model; what is left out is told below. */
const MAX_ROWS = 40;

export function renderTable(report: Report, options: TableOptions): string {
  const rows = [...rowsOf(report, options.grouping)].sort(SORTS[options.sort]);
  const shown = options.all ? rows : cut(rows, options.sort);
  const parts = [
    headerLines(report, options),
    layerTable(shown, report, options),
    leftOutLines(rows, shown, report, options),
    [''],
    summaryLines(report, options),
    verdictLines(report, options),
  ];
  return `${parts.flat().join('\n')}\n`;
}

/** Unknown operators first, which may cost anything; what only has an unknown extent last: there may be very many. */
function byCostOrDoubt(a: Row, b: Row): number {
  const weigh = ({ macs, isUnknown }: Row) => (isUnknown ? Number.MAX_VALUE : (macs ?? 0));
  return weigh(b) - weigh(a);
}

/** Layers that cost something, or nobody knows what; of very many the first by what was asked for, else the costliest. */
function cut(rows: readonly Row[], sort: Sort): readonly Row[] {
  if (sort !== 'order') return rows.slice(0, MAX_ROWS);
  const costly = rows.filter(({ macs, params }) => macs === null || macs > 0 || params > 0);
  const kept = costly.length > 0 ? costly : rows;
  if (kept.length <= MAX_ROWS) return kept;
  const costliest = new Set([...kept].sort(byCostOrDoubt).slice(0, MAX_ROWS));
  return kept.filter((row) => costliest.has(row));
}

function headerLines({ model }: Report, { style, width }: TableOptions): readonly string[] {
  const opset = model.opsets[''];
  const facts = [FORMAT_NAMES[model.format], model.producer, opset === undefined ? null : `opset ${opset}`]
    .filter((fact) => fact !== null)
    .map(plainText);
  return [
    `${style.bold(plainText(model.path))}  ${style.dim(facts.join(' · '))}`,
    ...tensorLines('in   ', model.inputs, style, width),
    ...tensorLines('out  ', model.outputs, style, width),
    '',
  ];
}

/** Inputs and outputs that are named before the rest is only counted. */
const MAX_TENSORS = 4;

function tensorLines(
  label: string,
  tensors: Report['model']['inputs'],
  style: ChalkInstance,
  width: number | null,
): readonly string[] {
  const shown = tensors
    .slice(0, MAX_TENSORS)
    .map(({ name, shape, dtype }) => `${plainText(name)} ${plainText(shapeText(shape))} ${dtype ?? ''}`.trim());
  const rest = tensors.length - shown.length;
  const sentence = shown.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
  const lines = wrap(sentence, width === null ? null : width - label.length);
  return lines.map((line, index) => style.dim(index === 0 ? label : ' '.repeat(label.length)) + line);
}

interface Column {
  readonly head: string | ((report: Report) => string);
  readonly align: 'left' | 'right';
  /** Columns above 0 are shown where there is room, the lowest first. */
  readonly priority: number;
  /** Left out, it is there for every report. */
  isFor?(report: Report): boolean;
  cell(row: Row, report: Report, style: ChalkInstance): string;
}

const BAR_WIDTH = 8;

const COLUMNS: readonly Column[] = [
  { head: 'Operator', align: 'left', priority: 2, cell: ({ what }) => plainText(what) },
  { head: 'Output', align: 'left', priority: 0, cell: ({ output }) => plainText(shapeText(output)) },
  { head: 'Params', align: 'right', priority: 0, cell: ({ params }) => quantity(params) },
  { head: 'Written', align: 'right', priority: 3, cell: ({ activationBytes }) => bytes(activationBytes) },
  { head: 'MACs', align: 'right', priority: 0, cell: ({ macs }) => quantity(macs) },
  {
    head: '',
    align: 'right',
    priority: 0,
    cell: ({ macs }, { totals }) => (macs === null ? '' : percent(macs, totals.macs)),
  },
  {
    head: 'Share',
    align: 'left',
    priority: 1,
    cell: ({ macs }, { totals }, style) => style.cyan(bar(macs, totals.macs)),
  },
  {
    head: 'Latency',
    align: 'right',
    priority: 0,
    isFor: ({ profile }) => profile !== null,
    cell: ({ latencyMs }) => milliseconds(latencyMs),
  },
  { head: ({ dsc }) => STRATEGY_WORDS[dsc.strategy].head, align: 'left', priority: 0, cell: verdictCell },
  {
    head: '',
    align: 'right',
    priority: 1,
    isFor: ({ profile }) => profile !== null,
    cell: savedCell,
  },
];

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

function bar(part: number | null, whole: number): string {
  if (part === null || whole === 0) return ' '.repeat(BAR_WIDTH);
  const eighths = Math.round((8 * BAR_WIDTH * part) / whole);
  return ('█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '')).padEnd(BAR_WIDTH);
}

/** What is left of the row's MACs with its candidates converted; of a module, with how many there are. */
function verdictCell({ verdict, layers, macs }: Row, _report: Report, style: ChalkInstance): string {
  if (verdict === null) return '';
  if (verdict.reason !== null) return style.dim(verdict.reason);
  const { before, after, candidates } = verdict;
  const saved = macs === null || before === null || after === null ? 'candidate' : change(macs, macs - before + after);
  return style.green(layers > 1 ? `${saved} (${candidates})` : saved);
}

/** What its candidates save in milliseconds: signed, and red where they are slower. */
function savedCell({ verdict }: Row, _report: Report, style: ChalkInstance): string {
  const saved = verdict?.savedMs ?? null;
  if (saved === null) return '';
  return saved > 0 ? style.green(`−${milliseconds(saved)}`) : style.red(`+${milliseconds(-saved)}`);
}

/** A name is cut to this before a column is dropped for it. */
const ENOUGH_FOR_A_NAME = 30;
const MIN_NAME_WIDTH = 16;

interface LaidOutColumn {
  readonly column: Column;
  readonly head: string;
  readonly width: number;
  readonly cells: readonly string[];
}

/** The columns that there is room for beside the names. */
function layOut(rows: readonly Row[], report: Report, nameWidth: number, { width, style }: TableOptions) {
  const all = COLUMNS.filter((column) => column.isFor?.(report) ?? true).map((column): LaidOutColumn => {
    const cells = rows.map((row) => column.cell(row, report, style));
    const head = typeof column.head === 'string' ? column.head : column.head(report);
    return { column, head, cells, width: widest(cells, head.length) };
  });
  const shown = new Set(all.filter(({ column }) => column.priority === 0));
  let room = (width ?? Number.POSITIVE_INFINITY) - Math.min(nameWidth, ENOUGH_FOR_A_NAME) - takenBy([...shown]);
  for (const next of all.filter(({ column }) => column.priority > 0).sort(byPriority)) {
    room -= next.width + GAP;
    if (room >= 0) shown.add(next);
  }
  return all.filter((column) => shown.has(column));
}

const byPriority = (a: LaidOutColumn, b: LaidOutColumn): number => a.column.priority - b.column.priority;

const takenBy = (columns: readonly LaidOutColumn[]): number => columns.reduce((sum, { width }) => sum + width + GAP, 0);

function layerTable(rows: readonly Row[], report: Report, options: TableOptions): readonly string[] {
  const { width, style } = options;
  const names = rows.map(({ name }) => plainText(name));
  const longest = widest(names, 'Layer'.length);
  const columns = layOut(rows, report, longest, options);
  const room = width === null ? longest : Math.max(MIN_NAME_WIDTH, width - takenBy(columns));
  const nameWidth = Math.min(longest, room);
  const lines = names.map((name, index) => [
    shorten(name, nameWidth),
    ...columns.map(({ cells }) => cells[index] ?? ''),
  ]);
  const head = ['Layer', ...columns.map((column) => column.head)].map((title) => style.dim(title));
  const all: readonly TextColumn[] = [{ width: nameWidth, align: 'left' }, ...columns.map(alignment)];
  return [head, ...lines].map((cells) => lineOf(cells, all));
}

const alignment = ({ column, width }: LaidOutColumn): TextColumn => ({ width, align: column.align });

function leftOutLines(
  rows: readonly Row[],
  shown: readonly Row[],
  { totals }: Report,
  { style, grouping }: TableOptions,
): readonly string[] {
  if (rows.length === shown.length) return [];
  const visibleRows = new Set(shown);
  const hidden = rows.filter((row) => !visibleRows.has(row));
  const macs = hidden.reduce((sum, row) => sum + (row.macs ?? 0), 0);
  const one = grouping === 'layers' ? 'layer' : 'row';
  const what = hidden.length === 1 ? one : `${one}s`;
  const unknown = hidden.filter((row) => row.macs === null).length;
  const ofUnknown = unknown > 0 ? `, ${unknown} of them not counted` : '';
  return [
    style.dim(
      `and ${hidden.length} more ${what} with ${percent(macs, totals.macs)} of the MACs${ofUnknown}: --all shows them`,
    ),
  ];
}
