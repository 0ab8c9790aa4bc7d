import { availableParallelism } from 'node:os';
import { DscAuditError } from '../ir/errors.ts';
import { type AuditedModel, type AuditTask, auditOne } from './audit-one.ts';
import { startAuditThreads } from './audit-threads.ts';
import type { AuditJob } from './judge-reports.ts';
import { openModel } from './open-model.ts';
import type { Terminal } from './terminal.ts';

/** What threads run; null where the program runs from its sources, which Node cannot load. */
const THREAD_PROGRAM = __DSC_AUDIT_THREAD__;

/** What it takes until threads have started and read the program, about. */
const START_MS = 150;

/** Outcomes that may wait for a slow model before them, for each thread. */
const AHEAD = 4;

/** What an interruption ends with. */
const interrupted = (): DscAuditError => new DscAuditError('interrupted', 'Interrupted: no file was written.');

/**
 * Audits models one after the other, or in threads where that pays. Outcomes come in the order of the jobs.
 *
 * @throws {DscAuditError} `interrupted` soon after the signal
 */
export async function* auditModels(
  jobs: readonly AuditJob[],
  task: AuditTask,
  terminal: Pick<Terminal, 'stdin'>,
  signal: AbortSignal,
  now: () => number = () => performance.now(),
): AsyncGenerator<AuditedModel | DscAuditError> {
  const auditHere = (job: AuditJob) => auditOne(job, () => openModel(job.path, terminal, task.commands), task);
  let spentMs = 0;
  for (const [index, job] of jobs.entries()) {
    // While an outcome was written.
    if (signal.aborted) throw interrupted();
    const threads = threadsThatPay(index, jobs.length - index, spentMs);
    if (threads > 1 && THREAD_PROGRAM !== null) {
      yield* auditInThreads(jobs.slice(index), task, auditHere, threads, signal);
      return;
    }
    const started = now();
    const outcome = await auditHere(job);
    if (await isInterrupted(signal)) throw interrupted();
    spentMs += now() - started;
    yield outcome;
  }
}

/** A model is read and audited without a pause: what was pressed meanwhile is heard of after it. */
async function isInterrupted(signal: AbortSignal): Promise<boolean> {
  await new Promise((resolve) => setImmediate(resolve));
  return signal.aborted;
}

/** As the models so far took time, so will the rest. */
function threadsThatPay(done: number, rest: number, spentMs: number): number {
  const threads = Math.min(availableParallelism(), rest);
  const expectedMs = done === 0 ? 0 : (spentMs / done) * rest;
  return expectedMs - expectedMs / threads > START_MS ? threads : 1;
}

async function* auditInThreads(
  jobs: readonly AuditJob[],
  task: AuditTask,
  auditHere: (job: AuditJob) => Promise<AuditedModel | DscAuditError>,
  count: number,
  signal: AbortSignal,
): AsyncGenerator<AuditedModel | DscAuditError> {
  const threads = startAuditThreads(new URL(THREAD_PROGRAM ?? '', import.meta.url), task, count);
  const stop = (): void => void threads.stop();
  signal.addEventListener('abort', stop);
  const running: Promise<AuditedModel | DscAuditError>[] = [];
  let asked = 0;
  try {
    for (let done = 0; done < jobs.length; done++) {
      if (signal.aborted) throw interrupted();
      for (const job of jobs.slice(asked, done + AHEAD * count)) {
        // Standard input is this thread's.
        const outcome = job.path === '-' ? auditHere(job) : threads.audit(job);
        // It is heard of in its turn.
        outcome.catch(() => undefined);
        running.push(outcome);
        asked++;
      }
      const next = running.shift();
      if (next) yield await next;
    }
  } catch (error) {
    throw signal.aborted ? interrupted() : error;
  } finally {
    signal.removeEventListener('abort', stop);
    await threads.stop();
  }
}
