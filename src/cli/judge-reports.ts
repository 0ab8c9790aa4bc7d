import type { Report } from '../audit/report.ts';
import { baselineOf } from '../gate/baseline-of.ts';
import { compare } from '../gate/compare.ts';
import { judge } from '../gate/judge.ts';
import type { MeasuredReport } from '../gate/measured-report.ts';
import { openReports } from './open-reports.ts';
import type { PlannedModel } from './plan-audit.ts';

/** A budget was exceeded, or could not be determined; the report has said which. */
export class BudgetsNotHeld extends Error {}

/**
 * The reports with the gate's verdict, and with what changed against their baseline.
 *
 * @param planned what was to be audited: each report belongs to the model with its path
 */
export async function judgeReports(
  reports: readonly Report[],
  planned: readonly PlannedModel[],
): Promise<readonly Report[]> {
  const plans = new Map(planned.map((plan) => [plan.path, plan]));
  const opened = new Map<string, readonly MeasuredReport[]>();
  const judged: Report[] = [];
  for (const report of reports) {
    const plan = plans.get(report.model.path);
    if (plan === undefined) throw new TypeError(`'${report.model.path}' was not planned`);
    const { budgets, baseline: file } = plan;
    if (file !== null && !opened.has(file)) opened.set(file, await openReports(file));
    const baseline = baselineOf(report.model.path, planned.length === 1, (file && opened.get(file)) || []);
    judged.push({
      ...report,
      gate: judge(report, budgets, baseline),
      baseline: baseline && compare(baseline, report),
    });
  }
  return judged;
}
