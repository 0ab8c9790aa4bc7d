/** A thread that audits models beside others: jobs come in, what is kept of each model goes out. */
import { parentPort, workerData } from 'node:worker_threads';
import { DscAuditError } from '../ir/errors.ts';
import { type AuditTask, auditOne } from './audit-one.ts';
import type { ThreadAnswer } from './audit-threads.ts';
import type { AuditJob } from './judge-reports.ts';
import { openFile } from './open-model.ts';

const task: AuditTask = workerData;

parentPort?.on('message', async (job: AuditJob) => {
  const outcome = await auditOne(job, () => openFile(job.path, task.commands), task);
  const answer: ThreadAnswer =
    outcome instanceof DscAuditError ? { failure: { code: outcome.code, message: outcome.message } } : { outcome };
  parentPort?.postMessage(answer);
});
