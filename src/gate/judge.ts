import type { Gate, GateCheck } from '../audit/report.ts';
import type { Budgets, Limit } from './budgets.ts';
import type { MeasuredReport } from './measured-report.ts';
import { type Allowances, type Figure, METRIC_NAMES, METRICS, type MetricName } from './metrics.ts';

/**
 * Holds a report against its budgets. It fails closed: a figure that is not known fails its check, and one that is only
 * a lower bound can fail it but not pass.
 *
 * @param baseline the report that increases are measured from; null where there is none, and every increase fails
 */
export function judge(report: MeasuredReport, budgets: Budgets, baseline: MeasuredReport | null): Gate {
  const allowed = { referenceProfile: budgets.allowReferenceProfile };
  const checks = METRIC_NAMES.flatMap((metric) => {
    const total = budgets.totals.get(metric);
    const increase = budgets.increases.get(metric);
    return [
      ...(total ? checkOf(metric, 'total', total, METRICS[metric].read(report, allowed), budgets) : []),
      ...(increase
        ? checkOf(metric, 'increase', increase, increaseOf(metric, increase, report, baseline, allowed), budgets)
        : []),
    ];
  });
  const fails = checks.some(({ status, severity }) => status === 'fail' && severity === 'error');
  return { status: fails ? 'fail' : 'pass', checks };
}

function checkOf(
  metric: MetricName,
  kind: GateCheck['kind'],
  { max, unit, severity: own }: Limit,
  { value, doubt }: Figure,
  { severity: common }: Budgets,
): readonly GateCheck[] {
  const severity = own ?? common;
  if (severity === 'off') return [];
  const holds = value !== null && doubt === null && value <= max;
  return [
    {
      metric,
      kind,
      unit,
      limit: max,
      actual: value,
      isLowerBound: value !== null && doubt !== null,
      status: holds ? 'pass' : 'fail',
      severity,
      reason: doubt,
    },
  ];
}

const unknown = (doubt: string): Figure => ({ value: null, doubt });

/** By how much a figure grew: in its unit, or as a share of what it was. Null where either is not known for certain. */
function increaseOf(
  metric: MetricName,
  { unit }: Limit,
  report: MeasuredReport,
  baseline: MeasuredReport | null,
  allowed: Allowances,
): Figure {
  if (baseline === null) return unknown('the baseline has no report of this model');
  const { read, incomparable, unit: ownUnit } = METRICS[metric];
  const before = read(baseline, allowed);
  const after = read(report, allowed);
  if (before.value === null || before.doubt !== null) return unknown(`in the baseline, ${before.doubt}`);
  if (after.value === null) return unknown(after.doubt ?? 'it is not known');
  const obstacle = incomparable?.(baseline, report) ?? null;
  if (obstacle !== null) return unknown(obstacle);
  const increase = after.value - before.value;
  const isRelative = unit === 'share' && ownUnit !== 'share';
  if (!isRelative || increase === 0) return { value: increase, doubt: after.doubt };
  if (before.value === 0) return unknown('it was 0 in the baseline: a share of that is no limit');
  return { value: increase / before.value, doubt: after.doubt };
}
