import type { ChalkInstance } from 'chalk';
import type { FailedModel, ModelSummary } from './model-summary.ts';
import { overviewColumns } from './overview-columns.ts';
import { plainText, shorten } from './plain-text.ts';

interface OverviewOptions {
  readonly width: number | null;
  readonly style: ChalkInstance;
}

const GAP = 2;
const MIN_NAME_WIDTH = 16;

/** All models of a call, a line each: the last thing that is printed. */
export function overviewLines(
  models: readonly (ModelSummary | FailedModel)[],
  { width, style }: OverviewOptions,
): readonly string[] {
  const columns = overviewColumns(models);
  const cells = models.map((model) => (model.failure === null ? columns.map(({ text }) => text(model)) : null));
  const widths = columns.map(({ head }, column) =>
    Math.max(head.length, ...cells.map((row) => row?.[column]?.length ?? 0)),
  );
  const taken = widths.reduce((sum, columnWidth) => sum + columnWidth + GAP, 0);
  const longest = Math.max('Model'.length, ...models.map(({ path }) => plainText(path).length));
  const nameWidth = Math.min(longest, Math.max(MIN_NAME_WIDTH, (width ?? Number.POSITIVE_INFINITY) - taken));
  const named = (path: string) => shorten(plainText(path), nameWidth).padEnd(nameWidth + GAP);
  const line = (texts: readonly string[]) =>
    texts.map((text, column) => text.padStart(widths[column] ?? 0)).join(' '.repeat(GAP));
  return [
    style.dim('Model'.padEnd(nameWidth + GAP) + line(columns.map(({ head }) => head))),
    ...models.map(({ path }, index) => {
      const figures = cells[index];
      return named(path) + (figures ? line(figures) : style.red('cannot be used'));
    }),
  ];
}
