import type { Candidate, Latency, Layer, Report } from '../audit/report.ts';
import type { Document, Format } from './format.ts';
import { plainText } from './plain-text.ts';
import { shapeText } from './units.ts';

/** A row a layer (RFC 4180), for spreadsheets and data frames. Unknown figures are empty cells. */
export const csv: Format = {
  section: (report) => rowsOfReport(report).map(line).join(''),
  document: csvDocument,
};

interface Subject {
  readonly report: Report;
  readonly layer: Layer;
  readonly candidate: Candidate | null;
  /** It is the candidate, or a convolution of one that is a block; figures stand with the first. */
  readonly isReplaced: boolean;
  readonly reason: string | null;
  /** Activations that are alive while the layer runs. */
  readonly aliveBytes: number | null;
}

type Cell = string | number | null;

type LatencyOf = (subject: Subject) => Latency | null;

const latencyColumns = (name: string, latencyOf: LatencyOf) => ({
  [`${name}_ms`]: (subject: Subject) => latencyOf(subject)?.value ?? null,
  [`${name}_low_ms`]: (subject: Subject) => latencyOf(subject)?.low ?? null,
  [`${name}_high_ms`]: (subject: Subject) => latencyOf(subject)?.high ?? null,
});

const extents = (list: readonly number[] | undefined): Cell => list?.join('x') ?? null;
const shapes = (list: Layer['inputShapes']): Cell => list.map((shape) => shapeText(shape, 'x')).join(' ');

/** Every column, in order. Columns are only ever added, at the end. */
const COLUMNS: Readonly<Record<string, (subject: Subject) => Cell>> = {
  model: ({ report }) => report.model.path,
  index: ({ layer }) => layer.index,
  name: ({ layer }) => layer.name,
  scope: ({ layer }) => layer.scope.join('/'),
  op: ({ layer }) => layer.op,
  kind: ({ layer }) => layer.kind,
  input_shapes: ({ layer }) => shapes(layer.inputShapes),
  output_shapes: ({ layer }) => shapes(layer.outputShapes),
  in_channels: ({ layer }) => layer.conv?.inChannels ?? null,
  out_channels: ({ layer }) => layer.conv?.outChannels ?? null,
  kernel: ({ layer }) => extents(layer.conv?.kernel),
  strides: ({ layer }) => extents(layer.conv?.strides),
  dilations: ({ layer }) => extents(layer.conv?.dilations),
  groups: ({ layer }) => layer.conv?.groups ?? null,
  repeats: ({ layer }) => layer.repeats,
  params: ({ layer }) => layer.params.total,
  trainable_params: ({ layer }) => layer.params.trainable,
  macs: ({ layer }) => layer.macs,
  flops: ({ layer }) => layer.flops,
  weight_bytes: ({ layer }) => layer.weightBytes,
  input_bytes: ({ layer }) => layer.inputBytes,
  output_bytes: ({ layer }) => layer.outputBytes,
  alive_bytes: ({ aliveBytes }) => aliveBytes,
  intensity: ({ layer }) => layer.intensity,
  ...latencyColumns('latency', ({ layer }) => layer.latencyMs),
  verdict: ({ isReplaced, reason }) => (isReplaced ? 'candidate' : reason === null ? null : 'rejected'),
  reason: ({ reason }) => reason,
  dsc_params: ({ candidate }) => candidate?.after.params ?? null,
  dsc_macs: ({ candidate }) => candidate?.after.macs ?? null,
  dsc_flops: ({ candidate }) => candidate?.after.flops ?? null,
  dsc_weight_bytes: ({ candidate }) => candidate?.after.weightBytes ?? null,
  ...latencyColumns('dsc_latency', ({ candidate }) => candidate?.after.latencyMs ?? null),
  bound: ({ layer }) => layer.bound,
  dsc_bound: ({ candidate }) => candidate?.bound.after ?? null,
};

function rowsOfReport(report: Report): readonly (readonly Cell[])[] {
  const candidates = new Map(report.dsc.candidates.map((candidate) => [candidate.index, candidate]));
  const replaced = new Set(report.dsc.candidates.flatMap((candidate) => candidate.layers));
  const reasons = new Map(report.dsc.rejected.map(({ index, reason }) => [index, reason]));
  const alive = new Map(report.memory?.schedule.map(({ index, bytes }) => [index, bytes]));
  return report.layers.map((layer) => {
    const subject: Subject = {
      report,
      layer,
      candidate: candidates.get(layer.index) ?? null,
      isReplaced: replaced.has(layer.index) && layer.conv !== null,
      reason: reasons.get(layer.index) ?? null,
      aliveBytes: alive.get(layer.index) ?? null,
    };
    return Object.values(COLUMNS).map((cell) => cell(subject));
  });
}

/** One header, however many models. */
function csvDocument(): Document {
  let header = line(Object.keys(COLUMNS));
  return {
    add({ section }) {
      if (section === null) return '';
      const text = header + section;
      header = '';
      return text;
    },
    end: () => [],
  };
}

const line = (cells: readonly Cell[]): string => `${cells.map(cellText).join(',')}\r\n`;

function cellText(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = harmless(plainText(cell));
  return /[",;\r\n\s']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * What a spreadsheet takes for the start of a formula, in the widths of East Asian keyboards too. Where semicolons
 * separate, a cell begins behind one.
 */
const FORMULA = /(^|;)(?=\s*[=+\-@|%＝＋－＠])/g;

/** Behind an apostrophe a spreadsheet shows a formula and does not run it (OWASP, CSV injection). */
const harmless = (text: string): string => text.replace(FORMULA, "$1'");
