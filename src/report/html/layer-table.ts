import type { Approximation, Layer, Report } from '../../audit/report.ts';
import { type Row, rowsOf } from '../rows.ts';
import { STRATEGY_WORDS } from '../strategy-text.ts';
import { bytes, change, milliseconds, percent, quantity, shapeText, share } from '../units.ts';
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
  cell(row: Row, layer: Layer, context: Context): Cell;
}

function figureOf(value: number | null, text: (value: number | null) => string): Cell {
  return { shown: value === 0 ? html`<span class="nil">0</span>` : text(value), value };
}

/** A name that may be broken where its words end, on a phone. */
const breakable = (name: string): Markup =>
  html`${name.split(/(?<=[_/.])/).map((word, index) => (index === 0 ? word : html`<wbr>${word}`))}`;

interface Context {
  readonly report: Report;
  /** The costliest layer's MACs. */
  readonly mostMacs: number;
  /** By the layer's index. */
  readonly approximations: ReadonlyMap<number, Approximation>;
}

const COLUMNS: readonly Column[] = [
  { head: '#', kind: 'figure', isWide: true, cell: (_, { index }) => ({ shown: String(index), value: index }) },
  {
    head: 'Layer',
    kind: 'name',
    isWide: false,
    cell: ({ name }, layer) => ({ shown: html`<span title="${layer.name}">${breakable(name)}</span>` }),
  },
  { head: 'Operator', kind: 'text', isWide: true, cell: ({ what }) => ({ shown: what }) },
  { head: 'Output', kind: 'text', isWide: true, cell: ({ output }) => ({ shown: shapeText(output) }) },
  { head: 'Params', kind: 'figure', isWide: false, cell: ({ params }) => figureOf(params, quantity) },
  { head: 'MACs', kind: 'figure', isWide: false, cell: ({ macs }) => figureOf(macs, quantity) },
  {
    head: 'Share',
    kind: 'figure',
    isWide: true,
    cell: ({ macs }, _, context) => ({ shown: shareBar(macs, context), value: macs }),
  },
  { head: 'Written', kind: 'figure', isWide: true, cell: ({ activationBytes }) => figureOf(activationBytes, bytes) },
  { head: 'FLOPs/byte', kind: 'figure', isWide: true, cell: (_, { intensity }) => figureOf(intensity, intensityText) },
];

const verdictColumn = ({ dsc }: Report): Column => {
  const { head } = STRATEGY_WORDS[dsc.strategy];
  return { head, kind: 'figure', isWide: false, cell: verdictCell };
};

const LATENCY_COLUMN: Column = {
  head: 'Latency',
  kind: 'figure',
  isWide: false,
  cell: (_, { latencyMs }) => figureOf(latencyMs?.value ?? null, milliseconds),
};

/** How much of the weights the DSC holds. */
const ENERGY_COLUMN: Column = {
  head: 'Energy',
  kind: 'figure',
  isWide: true,
  cell: (_, { index }, { approximations }) => figureOf(approximations.get(index)?.energy ?? null, energyText),
};

const energyText = (value: number | null): string => (value === null ? '' : share(value));

const intensityText = (value: number | null): string =>
  value === null ? '–' : value.toFixed(value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2);

/** The bar is drawn against the costliest layer. */
function shareBar(macs: number | null, { report, mostMacs }: Context): string | Markup {
  if (macs === null || macs === 0) return '';
  const width = Math.max(1, (100 * macs) / mostMacs).toFixed(1);
  const bar = html`<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="${width}" height="8"/></svg>`;
  return html`<span class="share">${bar}${percent(macs, report.totals.macs)}</span>`;
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
  const rows = rowsOf(report, 'layers').map((row, index) => ({ row, layer: report.layers[index] }));
  const kept = rows.length <= MAX_ROWS ? rows : costliest(rows);
  const isTimed = report.layers.some(({ latencyMs }) => latencyMs !== null);
  const context: Context = {
    report,
    mostMacs: report.layers.reduce((most, { macs }) => Math.max(most, macs ?? 0), 0),
    approximations: new Map(
      report.dsc.candidates.flatMap(({ index, approximation }) => (approximation ? [[index, approximation]] : [])),
    ),
  };
  const columns = [
    ...COLUMNS,
    ...(isTimed ? [LATENCY_COLUMN] : []),
    verdictColumn(report),
    ...(context.approximations.size > 0 ? [ENERGY_COLUMN] : []),
  ];
  const body = kept.flatMap(({ row, layer }) =>
    layer ? [html`<tr>${columns.map((column) => cellMarkup(column, column.cell(row, layer, context)))}</tr>\n`] : [],
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
