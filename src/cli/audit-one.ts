import { auditSource } from '../audit/audit.ts';
import type { ModelSource } from '../formats/model-source.ts';
import { DscAuditError } from '../ir/errors.ts';
import { FORMATS } from '../report/formats.ts';
import { type ModelSummary, summaryOf } from '../report/model-summary.ts';
import { type AuditJob, judged } from './judge-reports.ts';
import type { Rendering } from './output.ts';

/** What is asked of every model of a call: plain data, so that a thread can be handed it. */
export interface AuditTask {
  readonly renderings: readonly Rendering[];
  /** Names of commands: what a path that is not there may have been meant for. */
  readonly commands: readonly string[];
}

/** What is kept of a model: a line, and its section in each document. The report itself is let go. */
export interface AuditedModel {
  readonly model: ModelSummary;
  readonly sections: readonly string[];
}

/** Audits and judges a model, and renders it; or says why it cannot be used. */
export async function auditOne(
  job: AuditJob,
  open: () => ModelSource | Promise<ModelSource>,
  { renderings }: Pick<AuditTask, 'renderings'>,
): Promise<AuditedModel | DscAuditError> {
  try {
    const report = judged(await auditSource(await open(), job.audit, { profile: job.chosenProfile }), job);
    const sections: string[] = [];
    for (const { format, layout } of renderings) {
      const { section } = await FORMATS[format].load();
      sections.push(await section(report, layout));
    }
    return { model: summaryOf(report), sections };
  } catch (error) {
    if (error instanceof DscAuditError) return error;
    throw error;
  }
}
