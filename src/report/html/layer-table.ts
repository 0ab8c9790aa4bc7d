import type { Layer, Report } from '../../audit/report.ts';
import { type Row, rowsOf } from '../rows.ts';
import { bytes, change, milliseconds, percent, quantity, shapeText } from '../units.ts';
import { html, type Markup } from './markup.ts';

/** A browser lays out so many rows at once; of more, the costliest. */
const MAX_ROWS = 2000;

interface Cell {
  readonly shown: string | Markup;
  /** What it is sorted by, where that is not the text; null where it is not known. */
  readonly value?: number | null;
}

interface Column {
  readonly head: string;
  readonly kind: 'name' | 'text' | 'figure';
  /** Left out on a phone. */
  readonly isWide: boolean;
  cell(row: Row, layer: Layer, report: Report): Cell;
}

const figureOf = (value: number | null, text: (value: number | null) => string): Cell => ({
  shown: text(value),
  value,
});

const COLUMNS: readonly Column[] = [
  { head: '#', kind: 'figure', isWide: true, cell: (_, { index }) => ({ shown: String(index), value: index }) },
  {
    head: 'Layer',
    kind: 'name',
    isWide: false,
    cell: ({ name }, layer) => ({ shown: html`<span title="${layer.name}">${name}</span>` }),
  },
  { head: 'Operator', kind: 'text', isWide: true, cell: ({ what }) => ({ shown: what }) },
  { head: 'Output', kind: 'text', isWide: true, cell: ({ output }) => ({ shown: shapeText(output) }) },
  { head: 'Params', kind: 'figure', isWide: false, cell: ({ params }) => figureOf(params, quantity) },
  { head: 'MACs', kind: 'figure', isWide: false, cell: ({ macs }) => figureOf(macs, quantity) },
  {
    head: 'Share',
    kind: 'figure',
    isWide: true,
    cell: ({ macs }, _, { totals }) => ({ shown: shareBar(macs, totals.macs), value: macs }),
  },
  { head: 'Written', kind: 'figure', isWide: true, cell: ({ activationBytes }) => figureOf(activationBytes, bytes) },
  { head: 'FLOPs/byte', kind: 'figure', isWide: true, cell: (_, { intensity }) => figureOf(intensity, intensityText) },
  { head: 'As DSC', kind: 'figure', isWide: false, cell: verdictCell },
];

const LATENCY_COLUMN: Column = {
  head: 'Latency',
  kind: 'figure',
  isWide: false,
  cell: (_, { latencyMs }) => figureOf(latencyMs?.value ?? null, milliseconds),
};

const intensityText = (value: number | null): string =>
  value === null ? '–' : value.toFixed(value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2);

function shareBar(macs: number | null, total: number): string | Markup {
  if (macs === null || macs === 0 || total === 0) return '';
  const width = Math.max(0.5, (100 * macs) / total).toFixed(1);
  return html`<span class="share">${percent(macs, total)}<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="${width}" height="8"/></svg></span>`;
}

/** What is left of the MACs: what saves most comes first when sorted. */
function verdictCell({ verdict, macs }: Row): Cell {
  if (verdict === null) return { shown: '', value: null };
  if (verdict.reason !== null) return { shown: html`<span class="reason">${verdict.reason}</span>`, value: 0 };
  const { before, after } = verdict;
  if (macs === null || before === null || after === null) return { shown: html`<b>candidate</b>`, value: null };
  return { shown: html`<b>${change(before, after)}</b>`, value: before - after };
}

/** The table of layers; its heads sort it. */
export function layerTable(report: Report): Markup {
  const rows = rowsOf(report, null).map((row, index) => ({ row, layer: report.layers[index] }));
  const kept = rows.length <= MAX_ROWS ? rows : costliest(rows);
  const isTimed = report.layers.some(({ latencyMs }) => latencyMs !== null);
  const columns = isTimed ? COLUMNS.toSpliced(-1, 0, LATENCY_COLUMN) : COLUMNS;
  const body = kept.flatMap(({ row, layer }) =>
    layer ? [html`<tr>${columns.map((column) => cellMarkup(column, column.cell(row, layer, report)))}</tr>\n`] : [],
  );
  const cut = rows.length - kept.length;
  const note =
    cut === 0 ? null : html`<p class="cut">${cut} more layers, of fewer MACs: the JSON and CSV reports have all.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Layers">
<table class="layers"><thead><tr>${columns.map((column, index) => headMarkup(column, index))}</tr></thead>
<tbody>
${body}</tbody></table></div>${note}`;
}

function costliest<R extends { readonly row: Row }>(rows: readonly R[]): readonly R[] {
  const weigh = ({ row: { macs } }: R) => macs ?? Number.MAX_VALUE;
  const shown = new Set([...rows].sort((a, b) => weigh(b) - weigh(a)).slice(0, MAX_ROWS));
  return rows.filter((row) => shown.has(row));
}

const classesOf = ({ kind, isWide }: Column): string => (isWide ? `${kind} wide` : kind);

function headMarkup(column: Column, index: number): Markup {
  const sorted = index === 0 ? html` aria-sort="ascending"` : null;
  return html`<th scope="col" class="${classesOf(column)}"${sorted}><button type="button">${column.head}</button></th>`;
}

function cellMarkup(column: Column, { shown, value }: Cell): Markup {
  const sortedBy = value === undefined ? null : html` data-value="${value ?? ''}"`;
  const tag = column.kind === 'name';
  return tag
    ? html`<th scope="row" class="${classesOf(column)}">${shown}</th>`
    : html`<td class="${classesOf(column)}"${sortedBy}>${shown}</td>`;
}
