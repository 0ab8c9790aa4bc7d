import type { GateCheck } from '../audit/report.ts';
import { DscAuditError } from '../ir/errors.ts';
import { exampleOf, type FigureUnit, parseQuantity } from '../ir/quantity.ts';
import { METRIC_NAMES, METRICS, type MetricName } from './metrics.ts';
import { nearest } from './nearest.ts';

/** How a failed check counts; `off` leaves it out. */
export type Severity = GateCheck['severity'] | 'off';

export interface Limit {
  readonly max: number;
  /** Of an increase: a share is of the figure before, anything else is absolute. */
  readonly unit: FigureUnit;
  /** Null where none was given: that of the model's entry counts. */
  readonly severity: Severity | null;
}

export type Limits = ReadonlyMap<MetricName, Limit>;

/** What a model is held against. */
export interface Budgets {
  readonly totals: Limits;
  readonly increases: Limits;
  /** For limits that name none. */
  readonly severity: Severity;
  readonly allowReferenceProfile: boolean;
}

/** The metric of that name. Throws `invalid-option` with the nearest. */
export function metricNamed(name: string): MetricName {
  const known = METRIC_NAMES.find((metric) => metric === name);
  if (known !== undefined) return known;
  const guess = nearest(name, METRIC_NAMES);
  const hint = guess === null ? `the metrics are ${METRIC_NAMES.join(', ')}` : `did you mean ${guess}?`;
  throw new DscAuditError('invalid-option', `There is no metric '${name}': ${hint}`);
}

/** A limit of a metric as people write it: `5M`, `20MB`. */
export function parseLimit(metric: MetricName, text: string, severity: Severity | null = null): Limit {
  const { unit } = METRICS[metric];
  return { max: parseQuantity(text, unit), unit, severity };
}

/** A limit on its increase: `2%` of the figure before, or `10k` in its own unit. For a share, `2%` are points. */
export function parseIncrease(metric: MetricName, text: string, severity: Severity | null = null): Limit {
  const { unit } = METRICS[metric];
  const isRelative = text.trim().endsWith('%');
  try {
    return { max: parseQuantity(text, isRelative ? 'share' : unit), unit: isRelative ? 'share' : unit, severity };
  } catch {
    const examples = unit === 'share' ? '2%' : `2%, 0, or ${exampleOf(unit)}`;
    throw new DscAuditError('invalid-option', `'${text}' is no increase of ${metric}; write it as ${examples}.`);
  }
}
