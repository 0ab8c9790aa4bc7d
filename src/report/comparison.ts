import type { ChalkInstance } from 'chalk';
import type { ComparedModel, Comparison, LayerChange, RelativeChange } from '../audit/report.ts';
import { plainText, shorten } from './plain-text.ts';
import { bytes, change, quantity } from './units.ts';

interface ComparisonOptions {
  readonly width: number | null;
  /** Every layer that differs, however many. */
  readonly all: boolean;
  readonly style: ChalkInstance;
}

/** Two models side by side, for a person at a terminal. */
export function renderComparison(comparison: Comparison, options: ComparisonOptions): string {
  const lines = [
    ...headerLines(comparison, options),
    '',
    ...totalsLines(comparison, options.style),
    '',
    countsSentence(comparison),
    ...layerLines(comparison, options),
  ];
  return `${lines.join('\n')}\n`;
}

function headerLines({ before, after }: Comparison, { style }: ComparisonOptions): readonly string[] {
  return [
    `${style.dim('before')}  ${style.bold(plainText(before.path))}`,
    `${style.dim('after ')}  ${style.bold(plainText(after.path))}`,
  ];
}

interface Total {
  readonly label: string;
  readonly change: keyof RelativeChange;
  read(model: ComparedModel): number | null;
  spell(value: number | null): string;
}

const TOTALS: readonly Total[] = [
  { label: 'Params', change: 'params', read: ({ totals }) => totals.params.total, spell: quantity },
  { label: 'MACs', change: 'macs', read: ({ totals }) => totals.macs, spell: quantity },
  { label: 'FLOPs', change: 'flops', read: ({ totals }) => totals.flops, spell: quantity },
  { label: 'Weights', change: 'weightBytes', read: ({ totals }) => totals.weightBytes, spell: bytes },
  { label: 'Activations', change: 'activationBytes', read: ({ totals }) => totals.activationBytes, spell: bytes },
  {
    label: 'Peak memory',
    change: 'peakActivationBytes',
    read: ({ totals }) => totals.peakActivationBytes,
    spell: bytes,
  },
  { label: 'File', change: 'fileBytes', read: ({ fileBytes }) => fileBytes, spell: bytes },
];

function totalsLines({ before, after, change: changes }: Comparison, style: ChalkInstance): readonly string[] {
  const line = (label: string, ...cells: readonly string[]) =>
    [label.padEnd(11), ...cells.map((cell) => cell.padStart(10))].join('  ').trimEnd();
  return [
    style.dim(line('', 'before', 'after', 'change')),
    ...TOTALS.map(({ label, change: key, read, spell }) => {
      const [was, is] = [read(before), read(after)];
      const isKnown = changes[key] !== null || (was === 0 && is !== null);
      return line(label, spell(was), spell(is), isKnown && was !== null && is !== null ? change(was, is) : 'unknown');
    }),
  ];
}

function countsSentence({ counts }: Comparison): string {
  const { added, removed, changed, renamed, unchanged } = counts;
  const known = renamed === 0 ? '' : `, ${renamed} only renamed`;
  return `Layers: ${added} added, ${removed} removed, ${changed} changed${known}, ${unchanged} the same.`;
}

/** Layers that are shown of many; the rest is counted. */
const MAX_ROWS = 40;
const NAME_WIDTH = 40;

function layerLines({ layers }: Comparison, { all, width, style }: ComparisonOptions): readonly string[] {
  if (layers.length === 0) return [];
  const shown = all ? layers : largest(layers);
  const rows = shown.map((layer) => ({ layer, name: nameOf(layer), figures: figuresOf(layer) }));
  const longest = rows.reduce((most, { name }) => Math.max(most, name.length), 0);
  const figures = rows.reduce((most, row) => Math.max(most, row.figures.length), 0);
  const nameWidth = width === null ? longest : Math.min(longest, Math.max(NAME_WIDTH / 2, width - figures - 5));
  const hidden = layers.length - shown.length;
  return [
    '',
    ...rows.map(({ layer: { status }, name, figures: text }) => {
      const { mark, paint } = MARKS[status];
      return paint(style)(`${mark}  ${shorten(name, nameWidth).padEnd(nameWidth)}  ${text}`.trimEnd());
    }),
    ...(hidden > 0 ? [style.dim(`and ${hidden} more layers: --all shows them`)] : []),
  ];
}

const MARKS: Readonly<
  Record<LayerChange['status'], { readonly mark: string; paint(style: ChalkInstance): ChalkInstance }>
> = {
  added: { mark: '+', paint: (style) => style.green },
  removed: { mark: '−', paint: (style) => style.red },
  changed: { mark: '~', paint: (style) => style.yellow },
};

/** Those that cost most, in their order. */
function largest(layers: readonly LayerChange[]): readonly LayerChange[] {
  if (layers.length <= MAX_ROWS) return layers;
  const weight = ({ macs }: LayerChange) => Math.abs((macs.after ?? 0) - (macs.before ?? 0));
  const kept = new Set([...layers].sort((a, b) => weight(b) - weight(a)).slice(0, MAX_ROWS));
  return layers.filter((layer) => kept.has(layer));
}

function nameOf({ before, after }: LayerChange): string {
  if (before === null || after === null || before === after) return plainText(after ?? before ?? '');
  return `${plainText(before)} → ${plainText(after)}`;
}

function figuresOf({ op, params, macs, differences }: LayerChange): string {
  const both = (label: string, { before, after }: LayerChange['macs'], isChange: boolean): string => {
    if (!isChange) return `${label} ${quantity(after ?? before)}`;
    return before === after ? '' : `${label} ${quantity(before)} → ${quantity(after)}`;
  };
  const isChange = differences.length > 0;
  const figures = [both('params', params, isChange), both('MACs', macs, isChange)].filter((text) => text !== '');
  const shapes = figures.length === 0 ? differences.filter((what) => what !== 'name') : [];
  return [plainText(op), ...figures, ...shapes].join('  ');
}
