import type { ChalkInstance } from 'chalk';
import type { Report } from '../audit/report.ts';
import { plainText, shorten } from './plain-text.ts';
import { type StrategyCell, type StrategyRow, strategyTables } from './strategy-rows.ts';

interface StrategyLineOptions {
  readonly width: number | null;
  readonly style: ChalkInstance;
  readonly all: boolean;
}

const LABEL_WIDTH = 18;
const CELL_WIDTH = 11;

/** Places that are set side by side; --all shows the others. */
const MAX_PLACES = 8;

/** Strategies side by side: the model, then the costliest blocks. The best of each line has a star. */
export function strategyLines(report: Report, { style, all }: StrategyLineOptions): readonly string[] {
  if (report.strategies === null) return [];
  const { heads, model, places } = strategyTables(report.strategies, report);
  const shown = all ? places : places.slice(0, MAX_PLACES);
  const more = places.length - shown.length;
  const head = (title: string) =>
    style.dim(
      `${title.padEnd(LABEL_WIDTH)}${['now', ...heads].map((text) => `${text.padStart(CELL_WIDTH)} `).join('')}`,
    );
  const line = ({ label, before, cells }: StrategyRow) =>
    `${label.padEnd(LABEL_WIDTH)}${before.padStart(CELL_WIDTH)} ${cells.map((cell) => cellText(cell, style)).join('')}`;
  return [
    '',
    head('Strategies').trimEnd(),
    ...model.map((row) => line(row).trimEnd()),
    ...shown.flatMap(({ name, what, rows }) => [
      style.dim(`${shorten(plainText(name), MAX_NAME)}, ${what}`),
      ...rows.map((row) => line({ ...row, label: `  ${row.label}` }).trimEnd()),
    ]),
    ...(more > 0 ? [style.dim(`and ${more} more: --all shows them`)] : []),
    style.dim('* least; in brackets: it would save nothing, and is no candidate'),
    '',
  ];
}

const MAX_NAME = 60;

function cellText({ text, isBest, isRejected }: StrategyCell, style: ChalkInstance): string {
  const told = (isRejected ? `(${text})` : text).padStart(CELL_WIDTH);
  if (isBest) return style.green(`${told}*`);
  return isRejected ? `${style.dim(told)} ` : `${told} `;
}
