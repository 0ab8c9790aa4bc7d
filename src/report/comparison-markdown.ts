import type { Comparison, LayerChange } from '../audit/report.ts';
import { comparedTotals, latencyNote } from './compared-totals.ts';
import type { ComparisonFormat } from './comparison-format.ts';
import { layerCounts } from './layer-counts.ts';
import { code, codeCell, details, type Head, markdownTable } from './markdown-text.ts';
import { moved, quantity } from './units.ts';

/** Two models side by side, for a comment on a pull request. */
export const comparisonMarkdown: ComparisonFormat = (comparison, { profile }, { all }) => {
  const { before, after, counts, layers } = comparison;
  const totals = comparedTotals(comparison).map((total) => [total.label, total.before, total.after, total.change]);
  const note = latencyNote(comparison, profile);
  const lines = [
    `### ${code(before.path)} → ${code(after.path)}`,
    '',
    ...markdownTable(TOTAL_HEADS, totals),
    '',
    `Layers: ${layerCounts(counts)}.`,
    ...(note === null ? [] : ['', note]),
    ...(layers.length === 0 ? [] : ['', ...changeLines(comparison, all ? layers.length : MAX_CHANGES)]),
  ];
  return `${lines.join('\n')}\n`;
};

const TOTAL_HEADS: readonly Head[] = [
  ['', 'left'],
  ['Before', 'right'],
  ['After', 'right'],
  ['Change', 'right'],
];

/** Changes that fit into a comment with room to spare; `--all` spells out every one. */
const MAX_CHANGES = 100;

const CHANGE_HEADS: readonly Head[] = [
  ['', 'left'],
  ['Layer', 'left'],
  ['Operator', 'left'],
  ['Params', 'right'],
  ['MACs', 'right'],
];

/** The layers that differ, on a click: the first `most` of them. */
export function changeLines({ layers }: Comparison, most: number): readonly string[] {
  if (layers.length === 0) return [];
  const rows = layers.slice(0, most).map(changeRow);
  const rest = layers.length > rows.length ? ['', `and ${layers.length - rows.length} more changes.`] : [];
  return details('What changed', [...markdownTable(CHANGE_HEADS, rows), ...rest]);
}

function changeRow({ status, before, after, op, params, macs }: LayerChange): readonly string[] {
  const name = after ?? before ?? '';
  const renamed = before !== null && after !== null && before !== after ? `${codeCell(before)} → ` : '';
  const figures = ({ before: was, after: is }: LayerChange['macs']) =>
    status !== 'changed' || was === is ? quantity(is ?? was) : moved(was, is);
  return [status, renamed + codeCell(name), codeCell(op), figures(params), figures(macs)];
}
