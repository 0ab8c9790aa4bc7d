/** Threads that run a program beside the main one. */
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { CONTROL } from './control.ts';
import type { EncodedProgram } from './encode.ts';

export interface Workers {
  /** Throws if a worker has ended: a run would wait for it for ever. */
  assertAlive(): void;
  /** Wakes all workers for one run. */
  start(): void;
  /** Ends all workers, also those in the middle of something. May be called again. */
  stop(): Promise<void>;
}

/** Between looks at whether the workers are ready. */
const POLL_MS = 1;

/** Positions of the control words in a view of 32-bit integers. */
const WORDS = {
  generation: CONTROL.generation / 4,
  stopped: CONTROL.stopped / 4,
  ready: CONTROL.ready / 4,
};

/**
 * A worker's whole program. It is text, so that it runs the same from sources and from a bundle; everything it computes is
 * in the WebAssembly module. Its loop begins within the event loop: only then can be seen from outside that it runs.
 */
const WORKER_SOURCE = `
const { workerData } = require('node:worker_threads');
const { module, memory, scratch, first, end, thread, threads, words } = workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory, mark: () => {}, waiting: () => {} } });
const control = new Int32Array(memory.buffer);
exports.setScratch(scratch);
setImmediate(() => {
  Atomics.add(control, words.ready, 1);
  for (let seen = 0; ; ) {
    Atomics.wait(control, words.generation, seen);
    if (Atomics.load(control, words.stopped) !== 0) break;
    if (Atomics.load(control, words.generation) === seen) continue;
    seen = Atomics.load(control, words.generation);
    exports.run(first, end, thread, threads, 0);
  }
});
`;

/** Starts `threads − 1` workers and waits until all of them wait for work. */
export async function startWorkers(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  { scratch, scratchBytes, firstStep, endStep }: EncodedProgram,
  threads: number,
): Promise<Workers> {
  let failure: Error | null = null;
  let online = 0;
  let stopping = false;
  const control = new Int32Array(memory.buffer);
  const workers = Array.from({ length: threads - 1 }, (_, index) => {
    const thread = index + 1;
    const workerData = {
      module,
      memory,
      scratch: scratch + thread * scratchBytes,
      first: firstStep,
      end: endStep,
      thread,
      threads,
      words: WORDS,
    };
    const worker = new Worker(WORKER_SOURCE, { eval: true, workerData });
    // A runtime that is never closed must not keep the process alive.
    worker.unref();
    worker.on('online', () => {
      online += 1;
    });
    worker.on('error', (error) => {
      failure ??= new Error('A worker of the runtime failed.', { cause: error });
    });
    worker.on('exit', () => {
      if (!stopping) failure ??= lost();
    });
    return worker;
  });
  const stop = async (): Promise<void> => {
    stopping = true;
    Atomics.store(control, WORDS.stopped, 1);
    wake(control);
    await Promise.all(workers.map((worker) => worker.terminate()));
  };
  const assertAlive = (): void => {
    if (stopping) throw new Error('The network is closed.');
    failure ??= workers.every(isRunning) ? null : lost();
    if (failure !== null) throw failure;
  };
  try {
    // A worker may be ready before its `online` has been heard: until then its figures are 0.
    while (online < workers.length || Atomics.load(control, WORDS.ready) < workers.length) {
      if (failure !== null) throw failure;
      await setTimeout(POLL_MS);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { assertAlive, start: () => wake(control), stop };
}

const lost = (): Error => new Error('A worker of the runtime ended unexpectedly.');

function wake(control: Int32Array): void {
  Atomics.add(control, WORDS.generation, 1);
  Atomics.notify(control, WORDS.generation);
}

/**
 * Whether the thread is there, without waiting for an event: a run holds the event loop up. The figures of a worker that
 * has ended are 0 (documentation of `worker.performance.eventLoopUtilization`), and its idle time −1 until its `exit` has
 * been heard.
 */
function isRunning({ performance }: Worker): boolean {
  const { idle, active } = performance.eventLoopUtilization();
  return idle >= 0 && active > 0;
}
