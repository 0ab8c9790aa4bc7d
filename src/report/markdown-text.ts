import { plainText, shorten } from './plain-text.ts';

/** Longest name in a table of a comment. */
const MAX_NAME_LENGTH = 80;

/**
 * A name from the file as a code span, where GitHub sees neither HTML nor mentions, references, links or emphasis. The
 * fence is longer than any run of backticks within.
 */
export function code(name: string): string {
  const text = shorten(plainText(name).replace(/\s+/g, ' ').trim(), MAX_NAME_LENGTH);
  if (text === '') return '';
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const padding = /^`|`$/.test(text) ? ' ' : '';
  return `${fence}${padding}${text}${padding}${fence}`;
}

/** The same within a row of a table, where a pipe ends the cell even in a code span, and a backslash keeps it in. */
export function codeCell(name: string): string {
  return code(name.replace(/\\+(?=\|)/g, (run) => '∖'.repeat(run.length))).replaceAll('|', '\\|');
}

/** Lines of plain text as a block of code: nothing in it is more than text. */
export function codeBlock(lines: readonly string[]): string {
  const text = lines.map(plainText);
  const longest = Math.max(2, ...text.flatMap((line) => (line.match(/`+/g) ?? []).map((run) => run.length)));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}text`, ...text, fence].join('\n');
}

/** A column's title, and where its cells stand. */
export type Head = readonly [title: string, align: 'left' | 'right'];

/** Lines of a table. Cells are markdown already. */
export function markdownTable(heads: readonly Head[], rows: readonly (readonly string[])[]): readonly string[] {
  return [
    row(heads.map(([head]) => head)),
    row(heads.map(([, align]) => (align === 'right' ? '--:' : ':--'))),
    ...rows.map((cells) => tableRow(heads, cells)),
  ];
}

const NO_BREAK_SPACE = '\u00a0';

/** One line of it. A figure is not broken before its unit. */
export function tableRow(heads: readonly Head[], cells: readonly string[]): string {
  const isFigure = (column: number) => heads[column]?.[1] === 'right';
  return row(cells.map((cell, column) => (isFigure(column) ? cell.replaceAll(' ', NO_BREAK_SPACE) : cell)));
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** What opens on a click. The blank lines make GitHub read markdown within. */
export function details(summary: string, lines: readonly string[]): readonly string[] {
  return ['<details>', `<summary>${summary}</summary>`, '', ...lines, '', '</details>'];
}
