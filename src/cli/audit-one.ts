import { auditSource } from '../audit/audit.ts';
import type { MeasuredReport } from '../gate/measured-report.ts';
import { DscAuditError } from '../ir/errors.ts';
import { FORMATS } from '../report/formats.ts';
import { type ModelSummary, summaryOf } from '../report/model-summary.ts';
import { judged } from './judge-reports.ts';
import { openModel } from './open-model.ts';
import type { Rendering } from './output.ts';
import type { PlannedModel } from './plan-audit.ts';
import type { Terminal } from './terminal.ts';

/** What is asked of every model of a call. Plain data, like a job: a thread can be handed both. */
export interface AuditTask {
  readonly renderings: readonly Rendering[];
  /** What else a path may have been meant for. */
  readonly commands: readonly string[];
}

/** One model of a call. */
export interface AuditJob {
  readonly plan: PlannedModel;
  readonly baseline: MeasuredReport | null;
}

/** What is kept of a model: a line, and its section in each document. The report itself is let go. */
export interface AuditedModel {
  readonly model: ModelSummary;
  readonly sections: readonly string[];
}

/** Audits a model, holds it against its budgets and renders it; or says why it cannot be used. */
export async function auditOne(
  { plan, baseline }: AuditJob,
  { renderings, commands }: AuditTask,
  terminal: Pick<Terminal, 'stdin'>,
): Promise<AuditedModel | DscAuditError> {
  try {
    const source = await openModel(plan.path, terminal, commands);
    const report = judged(await auditSource(source, plan.audit), plan, baseline);
    const sections: string[] = [];
    for (const { format, layout } of renderings) sections.push(await FORMATS[format].section(report, layout));
    return { model: summaryOf(report), sections };
  } catch (error) {
    if (error instanceof DscAuditError) return error;
    throw error;
  }
}
