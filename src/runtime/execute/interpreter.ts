/** The program of a whole network inside the module: one call from the host a run, and a barrier after each layer. */
import { type FunctionBody, type FunctionReference, WAIT_TIMED_OUT } from '../wasm/function-body.ts';
import type { WasmModule } from '../wasm/module.ts';
import type { I32 } from '../wasm/values.ts';
import { CONTROL, STEP_WORDS } from './control.ts';

/** Turns before a thread that waits goes to sleep: some ten microseconds, longer than most differences between threads. */
const SPINS = 20_000;

/** A thread that has slept so long asks its host whether the others are still there. */
const PATIENCE_NS = 50_000_000;

/** What the interpreter calls in its host. */
export interface HostCalls {
  /** With the address of the step before it, after each barrier of a timed run. */
  readonly mark: FunctionReference;
  /** While the others take long. */
  readonly waiting: FunctionReference;
}

/** Exports `run(first, end, thread, threads, timed)`: executes steps of this thread's share; `end` is an address too. */
export function defineRun(module: WasmModule, kernelType: number, { mark, waiting }: HostCalls): void {
  const barrier = defineBarrier(module, waiting);
  const signature = { parameters: ['i32', 'i32', 'i32', 'i32', 'i32'], results: [] } as const;
  module.defineFunction(
    signature,
    (body) => {
      const step = body.parameter(0);
      const last = body.parameter(1);
      const thread = body.parameter(2);
      const threads = body.parameter(3);
      const timed = body.parameter(4);
      body.whileTrue(step.lt(last), () => {
        const units = body.i32(step.loadI32(4));
        const begin = body.i32(units.mul(thread).div(threads));
        const end = body.i32(units.mul(thread.add(1)).div(threads));
        body.if(begin.lt(end), () => body.callIndirect(step.loadI32(), kernelType, begin, end, step.loadI32(8)));
        body.if(step.loadI32(12), () => {
          body.if(threads.gt(1), () => body.call(barrier, threads));
          body.if(timed, () => body.call(mark, step));
        });
        body.increase(step, STEP_WORDS * 4);
      });
    },
    'run',
  );
}

function defineBarrier(module: WasmModule, waiting: FunctionReference): FunctionReference {
  return module.defineFunction({ parameters: ['i32'], results: [] }, (body) => {
    const threads = body.parameter(0);
    const phase = body.i32(body.atomicLoad(CONTROL.phase));
    const isLast = body.i32(body.atomicAdd(CONTROL.arrived, 1).add(1).eq(threads));
    body.if(
      isLast,
      () => {
        body.atomicStore(CONTROL.arrived, 0);
        body.drop(body.atomicAdd(CONTROL.phase, 1));
        body.if(body.atomicLoad(CONTROL.sleeping), () => body.atomicNotifyAll(CONTROL.phase));
      },
      () => waitForPhase(body, phase, waiting),
    );
  });
}

function waitForPhase(body: FunctionBody, phase: I32, waiting: FunctionReference): void {
  const spins = body.i32(0);
  body.whileTrue(body.atomicLoad(CONTROL.phase).eq(phase).and(spins.lt(SPINS)), () => body.increase(spins, 1));
  body.if(body.atomicLoad(CONTROL.phase).eq(phase), () => {
    body.drop(body.atomicAdd(CONTROL.sleeping, 1));
    body.whileTrue(body.atomicLoad(CONTROL.phase).eq(phase), () =>
      body.if(body.atomicWait(CONTROL.phase, phase, PATIENCE_NS).eq(WAIT_TIMED_OUT), () => body.call(waiting)),
    );
    body.drop(body.atomicAdd(CONTROL.sleeping, -1));
  });
}
