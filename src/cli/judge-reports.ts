import type { Report } from '../audit/report.ts';
import { baselineOf } from '../gate/baseline-of.ts';
import { compare } from '../gate/compare.ts';
import { judge } from '../gate/judge.ts';
import type { MeasuredReport } from '../gate/measured-report.ts';
import { openReports } from './open-reports.ts';
import type { PlannedModel } from './plan-audit.ts';

/** A budget was exceeded, or could not be determined; the report has said which. */
export class BudgetsNotHeld extends Error {}

/** The baseline of each model, where it has one. Each file is read once. Throws where one cannot be used. */
export async function openBaselines(
  planned: readonly PlannedModel[],
): Promise<ReadonlyMap<PlannedModel, MeasuredReport>> {
  const files = new Set(planned.flatMap(({ baseline }) => baseline ?? []));
  const reports = new Map<string, readonly MeasuredReport[]>();
  for (const file of files) reports.set(file, await openReports(file));
  return new Map(
    planned.flatMap((plan) => {
      const own = plan.baseline === null ? undefined : reports.get(plan.baseline);
      const baseline = own === undefined ? null : baselineOf(plan.path, planned.length === 1, own);
      return baseline === null ? [] : [[plan, baseline]];
    }),
  );
}

/** The report with the gate's verdict, and with what changed against its baseline. */
export function judged(report: Report, { budgets }: PlannedModel, baseline: MeasuredReport | null): Report {
  return { ...report, gate: judge(report, budgets, baseline), baseline: baseline && compare(baseline, report) };
}
