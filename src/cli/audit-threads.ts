import { Worker } from 'node:worker_threads';
import { DscAuditError, type ErrorCode } from '../ir/errors.ts';
import type { AuditedModel, AuditTask } from './audit-one.ts';
import type { AuditJob } from './judge-reports.ts';

/** An exception does not survive the way between threads; its code and message do. */
export type ThreadAnswer =
  | { readonly outcome: AuditedModel }
  | { readonly failure: { readonly code: ErrorCode; readonly message: string } };

export interface AuditThreads {
  /** Audits a model as soon as a thread is free. */
  audit(job: AuditJob): Promise<AuditedModel | DscAuditError>;
  /** Ends all threads, also those in the middle of something. */
  stop(): Promise<void>;
}

interface Waiting {
  readonly job: AuditJob;
  resolve(outcome: AuditedModel | DscAuditError): void;
  reject(error: unknown): void;
}

/** What is young dies with its model: by default each thread would let 48 MB of it gather. */
const LIMITS = { maxYoungGenerationSizeMb: 8 };

/** Starts threads that run `program`, and hands each the next model when it is done with one. */
export function startAuditThreads(program: URL, task: AuditTask, count: number): AuditThreads {
  const waiting: Waiting[] = [];
  const busy = new Map<Worker, Waiting>();
  const workers = Array.from(
    { length: count },
    () => new Worker(program, { workerData: task, resourceLimits: LIMITS }),
  );
  const idle = [...workers];
  const serve = (): void => {
    while (idle.length > 0 && waiting.length > 0) {
      const worker = idle.pop();
      const next = waiting.shift();
      if (!worker || !next) return;
      busy.set(worker, next);
      worker.postMessage(next.job);
    }
  };
  const fail = (error: unknown): void => {
    for (const { reject } of [...busy.values(), ...waiting.splice(0)]) reject(error);
    busy.clear();
  };
  for (const worker of workers) {
    worker.on('message', (answer: ThreadAnswer) => {
      const served = busy.get(worker);
      busy.delete(worker);
      idle.push(worker);
      serve();
      served?.resolve(
        'failure' in answer ? new DscAuditError(answer.failure.code, answer.failure.message) : answer.outcome,
      );
    });
    worker.on('error', fail);
    worker.on('exit', () => fail(new Error('A thread that audits models ended unexpectedly.')));
  }
  return {
    audit(job) {
      return new Promise((resolve, reject) => {
        waiting.push({ job, resolve, reject });
        serve();
      });
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
