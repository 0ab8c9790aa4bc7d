/** What an instance of the kernels' module can do. */
export interface KernelExports {
  /** Executes the steps from `first` up to `end` (addresses): this thread's share of each. */
  run(first: number, end: number, thread: number, threads: number, timed: number): void;
  /** Tells the instance where its thread's own memory begins. */
  setScratch(address: number): void;
}

/** What a run tells the thread that started it. What it throws ends the run. */
export interface RunListener {
  /** After each barrier of a timed run, with the address of the step before it. */
  mark(stepAddress: number): void;
  /** Again and again while other threads take long. */
  waiting(): void;
}

export const SILENT: RunListener = { mark: () => undefined, waiting: () => undefined };

export function instantiateKernels(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  { mark, waiting }: RunListener,
): KernelExports {
  const { exports } = new WebAssembly.Instance(module, { env: { memory, mark, waiting } });
  const { run, setScratch } = exports;
  if (typeof run !== 'function' || typeof setScratch !== 'function') throw new Error('The kernels lack an export.');
  return {
    run: (first, end, thread, threads, timed) => {
      run(first, end, thread, threads, timed);
    },
    setScratch: (address) => {
      setScratch(address);
    },
  };
}
