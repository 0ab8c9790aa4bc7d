import { reported } from '../audit/diagnostic-messages.ts';
import type { Report } from '../audit/report.ts';
import { baselineOf } from '../gate/baseline-of.ts';
import { compare } from '../gate/compare.ts';
import { judge } from '../gate/judge.ts';
import type { MeasuredReport } from '../gate/measured-report.ts';
import { diagnostic } from '../ir/diagnostic.ts';
import { type ChosenProfile, chooseProfileHere } from '../latency/choose-profile.ts';
import { openReports } from './open-reports.ts';
import type { PlannedModel } from './plan-audit.ts';
import type { Terminal } from './terminal.ts';

/** A planned model with the report to compare it with and its profile: plain data, so that a thread can be handed it. */
export interface AuditJob extends PlannedModel {
  readonly baselineReport: MeasuredReport | null;
  readonly chosenProfile: ChosenProfile | null;
}

/** Reads the baselines and the profiles, each file once. Throws where one cannot be used. */
export async function openJobs(planned: readonly PlannedModel[], env: Terminal['env']): Promise<readonly AuditJob[]> {
  const profiles = new Map<string | null, ChosenProfile | null>();
  for (const name of new Set(planned.map(({ profile }) => profile))) {
    profiles.set(name, await chooseProfileHere(name ?? undefined, env));
  }
  const files = new Set(planned.flatMap(({ baseline }) => baseline ?? []));
  const reports = new Map<string, readonly MeasuredReport[]>();
  for (const file of files) reports.set(file, await openReports(file));
  return planned.map((plan) => {
    const own = plan.baseline === null ? undefined : reports.get(plan.baseline);
    const baselineReport = own === undefined ? null : baselineOf(plan.path, planned.length === 1, own);
    return { ...plan, baselineReport, chosenProfile: profiles.get(plan.profile) ?? null };
  });
}

/** The report with the gate's verdict, and with what changed against its baseline. */
export function judged(report: Report, { budgets, baselineReport, noBudgets }: AuditJob): Report {
  const baseline = baselineReport && compare(baselineReport, report);
  // In front: where diagnostics are many, the first ones are shown.
  const told = noBudgets === null ? [] : [reported(diagnostic('no-budgets', 'warning', null, noBudgets))];
  const diagnostics = [...told, ...report.diagnostics];
  return { ...report, gate: judge(report, budgets, baselineReport), baseline, diagnostics };
}
