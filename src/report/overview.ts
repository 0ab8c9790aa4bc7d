import type { ChalkInstance } from 'chalk';
import { convertedHead, type FailedModel, type ModelSummary } from './model-summary.ts';
import { plainText, shorten } from './plain-text.ts';
import { bytes, change, quantity } from './units.ts';

interface OverviewOptions {
  readonly width: number | null;
  readonly style: ChalkInstance;
}

interface Column {
  /** Null for what is called after the strategy. */
  readonly head: string | null;
  cell(model: ModelSummary): string;
}

const COLUMNS: readonly Column[] = [
  { head: 'Params', cell: ({ before }) => quantity(before.params) },
  { head: 'MACs', cell: ({ before, isLowerBound }) => atLeast(isLowerBound, quantity(before.macs)) },
  { head: 'Weights', cell: ({ before }) => bytes(before.weightBytes) },
  { head: 'Peak memory', cell: ({ peakActivationBytes }) => bytes(peakActivationBytes) },
  { head: null, cell: ({ before, after, candidates }) => (candidates === 0 ? '–' : macsChange(before, after)) },
];

const atLeast = (isLowerBound: boolean, figure: string): string => (isLowerBound ? `≥ ${figure}` : figure);

function macsChange(before: ModelSummary['before'], after: ModelSummary['after']): string {
  return before.macs === null || after.macs === null ? '–' : change(before.macs, after.macs);
}

const GAP = 2;
const MIN_NAME_WIDTH = 16;

/** All models of a call, a line each: the last thing that is printed. */
export function overviewLines(
  models: readonly (ModelSummary | FailedModel)[],
  { width, style }: OverviewOptions,
): readonly string[] {
  const cells = models.map((model) => (model.failure === null ? COLUMNS.map(({ cell }) => cell(model)) : null));
  const heads = COLUMNS.map(({ head }) => head ?? convertedHead(models));
  const widths = heads.map((head, column) => Math.max(head.length, ...cells.map((row) => row?.[column]?.length ?? 0)));
  const taken = widths.reduce((sum, columnWidth) => sum + columnWidth + GAP, 0);
  const longest = Math.max('Model'.length, ...models.map(({ path }) => plainText(path).length));
  const nameWidth = Math.min(longest, Math.max(MIN_NAME_WIDTH, (width ?? Number.POSITIVE_INFINITY) - taken));
  const named = (path: string) => shorten(plainText(path), nameWidth).padEnd(nameWidth + GAP);
  const line = (texts: readonly string[]) =>
    texts.map((text, column) => text.padStart(widths[column] ?? 0)).join(' '.repeat(GAP));
  return [
    style.dim('Model'.padEnd(nameWidth + GAP) + line(heads)),
    ...models.map(({ path }, index) => {
      const figures = cells[index];
      return named(path) + (figures ? line(figures) : style.red('cannot be used'));
    }),
  ];
}
