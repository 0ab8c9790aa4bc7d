import { DscAuditError } from '../ir/errors.ts';
import { auditModels } from './audit-models.ts';
import { auditProgress } from './audit-progress.ts';
import { openJobs } from './judge-reports.ts';
import { BudgetsNotHeld, UnusableModels } from './outcome-errors.ts';
import { openOutputs } from './output.ts';
import type { OutputOptions } from './output-options.ts';
import { type PlanOptions, planAudit } from './plan-audit.ts';
import type { Terminal } from './terminal.ts';

export interface AuditCommandOptions extends PlanOptions, OutputOptions {}

interface Surroundings {
  readonly terminal: Terminal;
  /** Names of the other commands: what a path that is not there may have been meant for. */
  readonly commands: readonly string[];
}

/** Audits the models of a call, and writes what is asked of them. Throws where one cannot be used, or breaks a budget. */
export async function runAudit(
  paths: readonly string[],
  options: AuditCommandOptions,
  { terminal, commands }: Surroundings,
): Promise<void> {
  const planned = await planAudit(paths, options, terminal.cwd());
  const jobs = await openJobs(planned, terminal.env);
  const outputs = await openOutputs(options, jobs.length, terminal);
  const progress = auditProgress(
    terminal.stderr,
    jobs.map(({ path }) => path),
  );
  const interruption = new AbortController();
  // Where nothing has to be cleared away, the process just ends.
  const stopListening = options.output === undefined ? null : terminal.onInterrupt?.(() => interruption.abort());
  const failures: DscAuditError[] = [];
  const task = { renderings: outputs.renderings, commands };
  let held = true;
  let done = 0;
  try {
    for await (const outcome of auditModels(jobs, task, terminal, interruption.signal)) {
      const path = jobs[done++]?.path ?? '';
      progress.clear();
      if (outcome instanceof DscAuditError) {
        failures.push(outcome);
        await outputs.add({ path, failure: outcome.message }, []);
      } else {
        held &&= outcome.model.held;
        await outputs.add(outcome.model, outcome.sections);
      }
      progress.show(done);
    }
    await outputs.finish();
  } catch (error) {
    await outputs.discard();
    throw error;
  } finally {
    stopListening?.();
  }
  if (failures.length > 0) throw new UnusableModels(failures);
  if (!held) throw new BudgetsNotHeld();
}
