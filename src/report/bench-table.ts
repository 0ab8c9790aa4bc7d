import type { ChalkInstance } from 'chalk';
import type { BenchLayer, BenchReport } from '../audit/bench-report.ts';
import type { Latency } from '../audit/report.ts';
import { algorithmOf } from '../audit/saved-products.ts';
import { plainText, shorten, wrap } from './plain-text.ts';
import { nameOf } from './rows.ts';
import { bytes, percent } from './units.ts';

export interface BenchTableOptions {
  /** Columns of the terminal; null where there is no limit (a pipe). */
  readonly width: number | null;
  /** Every layer, however short. */
  readonly all: boolean;
  readonly style: ChalkInstance;
}

/** Rows that are shown of a long model: the slowest. */
const MAX_ROWS = 40;

/** What `bench` found out, for a person at a terminal. */
export function renderBenchTable(report: BenchReport, options: BenchTableOptions): string {
  const computed = report.layers.filter(({ kernel }) => kernel !== 'none');
  const shown = options.all ? report.layers : slowest(computed);
  const parts = [
    headerLines(report, options),
    layerLines(shown, report, options),
    leftOutLines(computed, shown, report, options),
    [''],
    totalLines(report, options),
    noteLines(report, options),
  ];
  return `${parts.flat().join('\n')}\n`;
}

function slowest(layers: readonly BenchLayer[]): readonly BenchLayer[] {
  const kept = new Set([...layers].sort((a, b) => b.measuredMs - a.measuredMs).slice(0, MAX_ROWS));
  return layers.filter((layer) => kept.has(layer));
}

function headerLines({ model, runtime, runs }: BenchReport, { style }: BenchTableOptions): readonly string[] {
  const facts = [
    `${runtime.variant} kernels`,
    `${runtime.threads} ${runtime.threads === 1 ? 'thread' : 'threads'}`,
    `median of ${runs} ${runs === 1 ? 'run' : 'runs'}`,
    ...(runtime.exact ? ['exact'] : []),
  ];
  return [`${style.bold(plainText(model.path))}  ${style.dim(facts.join(' · '))}`, ''];
}

interface Column {
  readonly head: string;
  readonly align: 'left' | 'right';
  readonly cell: (layer: BenchLayer, report: BenchReport) => string;
  /** Only where there is a profile. */
  readonly isProjected?: boolean;
  /** On a narrow terminal: the lowest gives way to the names first. */
  readonly givesWay?: number;
}

const COLUMNS: readonly Column[] = [
  { head: 'Kernel', align: 'left', cell: ({ kernel }) => kernel },
  { head: 'ms', align: 'right', cell: ({ measuredMs }) => milliseconds(measuredMs) },
  {
    head: '',
    align: 'right',
    cell: ({ measuredMs }, { totals }) => percent(measuredMs, totals.measuredMs),
    givesWay: 2,
  },
  { head: 'projected', align: 'right', cell: ({ projectedMs }) => interval(projectedMs), isProjected: true },
  { head: 'off by', align: 'right', cell: ({ projectionError }) => signed(projectionError), isProjected: true },
  { head: 'GFLOP/s', align: 'right', cell: ({ gflops }) => rate(gflops), givesWay: 1 },
  { head: 'of peak', align: 'right', cell: ({ peakShare }) => share(peakShare) },
];

/** Three significant digits; a tenth of a microsecond is as much as a clock tells. */
function milliseconds(value: number): string {
  return value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : value >= 0.9995 ? 2 : 3);
}

/** Whole per cents: what a layer takes differs by as much from run to run. */
function signed(error: number | null): string {
  if (error === null) return '–';
  const whole = Math.round(100 * error);
  return `${whole < 0 ? '−' : whole > 0 ? '+' : ''}${Math.abs(whole)} %`;
}

const interval = (latency: Latency | null): string => (latency === null ? '–' : milliseconds(latency.value));

/** Slower than a tenth of a GFLOP/s is data on its way, not arithmetic. */
const rate = (gflops: number | null): string => (gflops === null || gflops < 0.05 ? '–' : gflops.toFixed(1));

const share = (peakShare: number | null): string =>
  peakShare === null || peakShare < 0.005 ? '–' : `${Math.round(peakShare * 100)} %`;

const GAP = '  ';
const MIN_NAME_WIDTH = 12;

/** Names of so many characters can still be told from each other. */
const GOOD_NAME_WIDTH = 24;

interface FilledColumn extends Column {
  readonly cells: readonly string[];
  readonly width: number;
}

const widthTaken = (columns: readonly FilledColumn[]): number =>
  columns.reduce((total, column) => total + GAP.length + column.width, 0);

/** The columns that leave the names so much room, where that can be had. */
function fitting(columns: readonly FilledColumn[], room: number, width: number | null): readonly FilledColumn[] {
  if (width === null || width - widthTaken(columns) >= room) return columns;
  const [next] = columns
    .flatMap((column) => (column.givesWay === undefined ? [] : [{ column, order: column.givesWay }]))
    .sort((a, b) => a.order - b.order);
  return next === undefined
    ? columns
    : fitting(
        columns.filter((column) => column !== next.column),
        room,
        width,
      );
}

function layerLines(
  layers: readonly BenchLayer[],
  report: BenchReport,
  { width, style }: BenchTableOptions,
): readonly string[] {
  const hasProjection = report.layers.some(({ projectedMs }) => projectedMs !== null);
  const names = layers.map(labelOf);
  const longest = widest(names, 'Layer'.length);
  const filled = COLUMNS.filter(({ isProjected }) => hasProjection || !isProjected).map((column) => {
    const cells = layers.map((layer) => column.cell(layer, report));
    return { ...column, cells, width: widest(cells, column.head.length) };
  });
  const columns = fitting(filled, Math.min(longest, GOOD_NAME_WIDTH), width);
  const taken = widthTaken(columns);
  const nameWidth = width === null ? longest : Math.min(longest, Math.max(MIN_NAME_WIDTH, width - taken));
  const line = (name: string, cells: readonly string[]): string =>
    [shorten(name, nameWidth).padEnd(nameWidth), ...cells].join(GAP).trimEnd();
  const pad = (text: string, { align, width: extent }: { align: Column['align']; width: number }): string =>
    align === 'left' ? text.padEnd(extent) : text.padStart(extent);
  const head = line(
    'Layer',
    columns.map((column) => pad(column.head, column)),
  );
  const lines = names.map((name, row) =>
    line(
      name,
      columns.map((column) => pad(column.cells[row] ?? '', column)),
    ),
  );
  return [style.dim(head), ...lines];
}

/** How many nodes more it computes than the one that it is named after. */
function labelOf(layer: BenchLayer): string {
  const more = layer.indices.length > 1 ? ` +${layer.indices.length - 1}` : '';
  return plainText(nameOf(layer)) + more;
}

const widest = (texts: readonly string[], least: number): number =>
  texts.reduce((width, text) => Math.max(width, text.length), least);

function leftOutLines(
  all: readonly BenchLayer[],
  shown: readonly BenchLayer[],
  { totals }: BenchReport,
  { style }: BenchTableOptions,
): readonly string[] {
  const hidden = all.length - shown.length;
  if (hidden <= 0) return [];
  const shownMs = shown.reduce((sum, { measuredMs }) => sum + measuredMs, 0);
  const rest = Math.max(0, totals.measuredMs - shownMs);
  const what = hidden === 1 ? 'layer' : 'layers';
  return [
    style.dim(`and ${hidden} more ${what} with ${percent(rest, totals.measuredMs)} of the time: --all shows them`),
  ];
}

function totalLines({ totals, runtime, layers }: BenchReport, { style, width }: BenchTableOptions): readonly string[] {
  const { measuredMs, projectedMs, projectionError, withinInterval, gflops, peakShare } = totals;
  const projected =
    projectedMs === null
      ? []
      : [
          `projected ${milliseconds(projectedMs.value)} ms (${milliseconds(projectedMs.low)} to ${milliseconds(projectedMs.high)}), ${signed(projectionError)}`,
        ];
  const speed = [
    ...(gflops === null ? [] : [`${rate(gflops)} GFLOP/s`]),
    ...(peakShare === null || savingAlgorithms(layers).length > 0 ? [] : [`${share(peakShare)} of the peak`]),
  ];
  return [
    ...wrap([`${milliseconds(measuredMs)} ms a run`, ...projected, ...speed].join(' · '), width).map((line) =>
      style.bold(line),
    ),
    ...(withinInterval === null
      ? []
      : [
          style.dim(`${Math.round(100 * withinInterval)} % of the layers within the 90 % interval of their projection`),
        ]),
    style.dim(`peak ${rate(runtime.peakGflops)} GFLOP/s · memory ${bytes(runtime.memoryBytes)}`),
  ];
}

/** Of these a network computes less than is counted. */
const savingAlgorithms = (layers: readonly BenchLayer[]): readonly string[] => [
  ...new Set(layers.flatMap(({ kernel }) => algorithmOf(kernel) ?? [])),
];

function noteLines({ weights, diagnostics, layers }: BenchReport, { width }: BenchTableOptions): readonly string[] {
  const saves = savingAlgorithms(layers);
  const computeLess = `${saves.join(' and ')} ${saves.length === 1 ? 'computes' : 'compute'} less than is counted`;
  const notes = [
    ...(weights === 'random' ? ['Weights that the file does not have are random: times depend little on them.'] : []),
    ...(saves.length === 0 ? [] : [`${computeLess}: no share of the peak is told of it. --exact leaves it out.`]),
    ...diagnostics.map(({ layer, message }) => plainText(layer === null ? message : `${layer}: ${message}`)),
  ];
  return notes.length === 0 ? [] : ['', ...notes.flatMap((note) => wrap(note, width))];
}
