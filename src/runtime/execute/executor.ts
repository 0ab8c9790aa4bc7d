/** A program in memory, ready to run on one thread or several. */
import type { Place, Program } from '../plan/program.ts';
import { CONTROL, CONTROL_BYTES, STEP_WORDS } from './control.ts';
import { type EncodedProgram, encodeProgram } from './encode.ts';
import { instantiateKernels, type KernelExports } from './instance.ts';
import { startWorkers, type Workers } from './workers.ts';

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
  const pages = Math.ceil(encoded.totalBytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  writeConstants(memory, program, encoded);
  const timing = new LayerTiming(program, encoded.firstStep);
  const kernels = instantiateKernels(module, memory, timing.mark);
  kernels.setScratch(encoded.scratch);
  const workers = threads > 1 ? await startWorkers(module, memory, encoded, threads) : null;
  return {
    memoryBytes: pages * PAGE_BYTES,
    floats: ({ buffer, offsetBytes }, count) =>
      new Float32Array(memory.buffer, encoded.base + (encoded.memory.offsets[buffer] ?? 0) + offsetBytes, count),
    run: (now) => {
      if (now) timing.start(now);
      runOnce(kernels, encoded, workers, memory, threads, now !== undefined);
      return timing.layersMs;
    },
    close: async () => workers?.stop(),
  };
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

function runOnce(
  kernels: KernelExports,
  { firstStep, endStep }: EncodedProgram,
  workers: Workers | null,
  memory: WebAssembly.Memory,
  threads: number,
  timed: boolean,
): void {
  if (workers) {
    workers.assertAlive();
    const control = new Int32Array(memory.buffer);
    Atomics.add(control, CONTROL.generation / 4, 1);
    Atomics.notify(control, CONTROL.generation / 4);
  }
  kernels.run(firstStep, endStep, 0, threads, Number(timed));
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
