/** A thread that audits models beside others: paths come in, what is kept of each goes out. */
import { parentPort, workerData } from 'node:worker_threads';
import { modelFile } from '../formats/model-source.ts';
import { DscAuditError } from '../ir/errors.ts';
import { type AuditTask, auditOne } from './audit-one.ts';
import type { ThreadAnswer } from './audit-threads.ts';

const task: AuditTask = workerData;

parentPort?.on('message', async (path: string) => {
  const outcome = await auditOne(() => modelFile(path), task);
  const answer: ThreadAnswer =
    outcome instanceof DscAuditError ? { failure: { code: outcome.code, message: outcome.message } } : { outcome };
  parentPort?.postMessage(answer);
});
