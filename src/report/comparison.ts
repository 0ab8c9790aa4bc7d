import { Chalk, type ChalkInstance } from 'chalk';
import type { Comparison, LayerChange } from '../audit/report.ts';
import type { MeasuredReport } from '../gate/measured-report.ts';
import { comparedTotals, latencyNote } from './compared-totals.ts';
import type { ComparisonFormat, ComparisonLayout } from './comparison-format.ts';
import { plainText, shorten, wrap } from './plain-text.ts';
import { moved, quantity } from './units.ts';

type ComparisonOptions = Pick<ComparisonLayout, 'width' | 'all'> & { readonly style: ChalkInstance };

/** Two models side by side, for a person at a terminal. */
export const comparisonTable: ComparisonFormat = (comparison, after, layout) =>
  renderComparison(comparison, after, { ...layout, style: new Chalk({ level: layout.colour }) });

function renderComparison(comparison: Comparison, { profile }: MeasuredReport, options: ComparisonOptions): string {
  const note = latencyNote(comparison, profile);
  const lines = [
    ...headerLines(comparison, options),
    '',
    ...totalsLines(comparison, options.style),
    '',
    countsSentence(comparison),
    ...(note === null ? [] : wrap(note, options.width)),
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

function totalsLines(comparison: Comparison, style: ChalkInstance): readonly string[] {
  const line = (label: string, ...cells: readonly string[]) =>
    [label.padEnd(11), ...cells.map((cell) => cell.padStart(10))].join('  ').trimEnd();
  return [
    style.dim(line('', 'before', 'after', 'change')),
    ...comparedTotals(comparison).map(({ label, before, after, change }) => line(label, before, after, change)),
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
    return before === after ? '' : `${label} ${moved(before, after)}`;
  };
  const isChange = differences.length > 0;
  const figures = [both('params', params, isChange), both('MACs', macs, isChange)].filter((text) => text !== '');
  const shapes = figures.length === 0 ? differences.filter((what) => what !== 'name') : [];
  return [plainText(op), ...figures, ...shapes].join('  ');
}
