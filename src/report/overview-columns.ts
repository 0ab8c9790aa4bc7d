import { convertedAs, type FailedModel, type ModelSummary } from './model-summary.ts';
import { bytes, changeBetween, milliseconds, quantity } from './units.ts';

/** A figure of each model, where several are told side by side. */
export interface OverviewColumn {
  readonly head: string;
  /** What models are sorted by; null where it is not known. */
  value(model: ModelSummary): number | null;
  text(model: ModelSummary): string;
}

const COLUMNS: readonly OverviewColumn[] = [
  {
    head: 'Params',
    value: ({ before }) => before.params,
    text: ({ before, atLeast }) => atLeast.params + quantity(before.params),
  },
  {
    head: 'MACs',
    value: ({ before }) => before.macs,
    text: ({ before, atLeast }) => atLeast.macs + quantity(before.macs),
  },
  {
    head: 'Weights',
    value: ({ before }) => before.weightBytes,
    text: ({ before, atLeast }) => atLeast.params + bytes(before.weightBytes),
  },
  {
    head: 'Peak memory',
    value: ({ peakActivationBytes }) => peakActivationBytes,
    text: ({ peakActivationBytes }) => bytes(peakActivationBytes),
  },
];

const LATENCY: OverviewColumn = {
  head: 'Latency',
  value: ({ before }) => before.latencyMs?.value ?? null,
  text: ({ before: { latencyMs }, atLeast }) =>
    latencyMs === null ? '–' : atLeast.latency + milliseconds(latencyMs.value),
};

const CONVERTED: Omit<OverviewColumn, 'head'> = {
  value: ({ before, after }) => (before.macs === null || after.macs === null ? null : before.macs - after.macs),
  text: ({ before, after, candidates, atLeast }) =>
    candidates === 0 || before.macs === null || after.macs === null
      ? '–'
      : changeBetween(before.macs, after.macs, atLeast.macs),
};

/** The columns that these models have something to tell in. */
export function overviewColumns(models: readonly (ModelSummary | FailedModel)[]): readonly OverviewColumn[] {
  const isTimed = models.some((model) => model.failure === null && model.before.latencyMs !== null);
  const converted = { head: `MACs ${convertedAs(models)}`, ...CONVERTED };
  return [...COLUMNS, ...(isTimed ? [LATENCY] : []), converted];
}
