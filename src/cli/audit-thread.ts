/** A thread that audits models beside others: jobs come in, what is kept of each model goes out. */
import { parentPort, workerData } from 'node:worker_threads';
import { DscAuditError } from '../ir/errors.ts';
import { type AuditJob, type AuditTask, auditOne } from './audit-one.ts';
import type { ThreadAnswer } from './audit-threads.ts';

const task: AuditTask = workerData;

/** Standard input is the main thread's. */
const terminal = { stdin: (async function* () {})() };

parentPort?.on('message', async (job: AuditJob) => {
  const outcome = await auditOne(job, task, terminal);
  const answer: ThreadAnswer =
    outcome instanceof DscAuditError ? { failure: { code: outcome.code, message: outcome.message } } : { outcome };
  parentPort?.postMessage(answer);
});
