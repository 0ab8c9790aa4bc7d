/** A program in memory, ready to run on one thread or several. */
import { DscAuditError } from '../../ir/errors.ts';
import type { Place, Program } from '../plan/program.ts';
import { CONTROL_BYTES, STEP_WORDS } from './control.ts';
import { type EncodedProgram, encodeProgram } from './encode.ts';
import { instantiateKernels } from './instance.ts';
import { startWorkers } from './workers.ts';

export interface Executor {
  /** Floats at a place of the program. */
  floats(place: Place, count: number): Float32Array;
  /** Runs all steps. With `now`, gives the milliseconds of each layer. */
  run(now?: () => number): readonly number[];
  /** Bytes of the memory that all threads share. */
  readonly memoryBytes: number;
  /** Ends the workers; the executor cannot run after that. */
  close(): Promise<void>;
}

const PAGE_BYTES = 65536;

/**
 * Loads a program: writes its constants to memory and starts `threads − 1` workers. `kept` are the buffers that the
 * caller writes and reads between runs.
 */
export async function createExecutor(
  module: WebAssembly.Module,
  program: Program,
  kept: ReadonlySet<number>,
  threads: number,
): Promise<Executor> {
  const encoded = encodeProgram(program, kept, threads);
  const memory = allocate(encoded.totalBytes);
  writeConstants(memory, program, encoded);
  const timing = new LayerTiming(program, encoded.firstStep);
  const workers = threads > 1 ? await startWorkers(module, memory, encoded, threads) : null;
  const kernels = instantiateKernels(module, memory, {
    mark: timing.mark,
    waiting: () => workers?.assertAlive(),
  });
  kernels.setScratch(encoded.scratch);
  let closed = false;
  const close = async (): Promise<void> => {
    closed = true;
    await workers?.stop();
  };
  return {
    memoryBytes: memory.buffer.byteLength,
    floats: ({ buffer, offsetBytes }, count) =>
      new Float32Array(memory.buffer, encoded.base + (encoded.memory.offsets[buffer] ?? 0) + offsetBytes, count),
    run: (now) => {
      if (closed) throw new Error('The network is closed.');
      if (now) timing.start(now);
      try {
        workers?.assertAlive();
        workers?.start();
        kernels.run(encoded.firstStep, encoded.endStep, 0, threads, Number(now !== undefined));
      } catch (error) {
        // Threads may stand at any barrier: no other run can begin.
        void close();
        throw error;
      }
      return timing.layersMs;
    },
    close,
  };
}

/** Addresses are compared as signed integers. */
const MAX_MEMORY_BYTES = 2 ** 31 - PAGE_BYTES;

function allocate(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const needed = `It needs ${(bytes / 1e9).toFixed(1)} GB of memory to run`;
  if (bytes > MAX_MEMORY_BYTES) {
    throw new DscAuditError('cannot-run', `${needed}, and the built-in runtime has at most 2.1 GB.`);
  }
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch {
    throw new DscAuditError('cannot-run', `${needed}, and this machine does not have them.`);
  }
}

export function writeConstants(memory: WebAssembly.Memory, program: Program, encoded: EncodedProgram): void {
  new Int32Array(memory.buffer, CONTROL_BYTES, encoded.words.length).set(encoded.words);
  for (const [index, { constant }] of program.buffers.entries()) {
    if (constant === null) continue;
    const elements = constant();
    const address = encoded.base + (encoded.memory.offsets[index] ?? 0);
    if (elements instanceof Int32Array) new Int32Array(memory.buffer, address, elements.length).set(elements);
    else new Float32Array(memory.buffer, address, elements.length).set(elements);
  }
}

/** Adds up the time between barriers by layer. */
class LayerTiming {
  layersMs: number[] = [];
  readonly mark: (stepAddress: number) => void;
  private now: () => number = () => 0;
  private last = 0;
  private readonly layerCount: number;

  constructor(program: Program, firstStep: number) {
    this.layerCount = Math.max(0, ...program.steps.map(({ layer }) => layer + 1));
    this.mark = (stepAddress) => {
      const layer = program.steps[(stepAddress - firstStep) / (STEP_WORDS * 4)]?.layer ?? 0;
      const time = this.now();
      this.layersMs[layer] = (this.layersMs[layer] ?? 0) + time - this.last;
      this.last = time;
    };
  }

  start(now: () => number): void {
    this.now = now;
    this.layersMs = Array.from({ length: this.layerCount }, () => 0);
    this.last = now();
  }
}
