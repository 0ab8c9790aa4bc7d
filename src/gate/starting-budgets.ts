import type { MeasuredReport } from './measured-report.ts';
import { METRICS, type MetricName } from './metrics.ts';

/** What a new configuration limits: what is known of every model, and says what it costs to ship and to run. */
const STARTING_METRICS: readonly MetricName[] = ['params', 'macs', 'size', 'peak-memory'];

/** Room above today's figure, so that no rounding of an exporter turns a build red. */
const HEADROOM = 1.01;

/** Budgets just above a model's figures, as people write them. What is not known for certain gets none. */
export function startingBudgets(report: MeasuredReport): Readonly<Partial<Record<MetricName, string>>> {
  return Object.fromEntries(
    STARTING_METRICS.flatMap((metric) => {
      const { unit, read } = METRICS[metric];
      const { value, doubt } = read(report, { referenceProfile: false });
      if (value === null || doubt !== null) return [];
      return [[metric, quantityAbove(value * HEADROOM, unit === 'bytes' ? 'B' : '')]];
    }),
  );
}

const PREFIXES = ['', 'k', 'M', 'G', 'T'] as const;

/** The next number of two digits: 11.7 M becomes 12M, 1.814 G 1.9G. */
function quantityAbove(value: number, unit: string): string {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1);
  const rounded = Math.ceil(value / step) * step;
  const power = Math.min(PREFIXES.length - 1, Math.floor(Math.log10(Math.max(1, rounded)) / 3));
  return `${Number((rounded / 1000 ** power).toPrecision(3))}${PREFIXES[power]}${unit}`;
}
