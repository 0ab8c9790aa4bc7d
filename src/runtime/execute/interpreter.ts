/** The program of a whole network inside the module: one call from the host a run, and a barrier after each layer. */
import type { FunctionBody, FunctionReference } from '../wasm/function-body.ts';
import type { WasmModule } from '../wasm/module.ts';
import type { I32 } from '../wasm/values.ts';
import { CONTROL, STEP_WORDS } from './control.ts';

/** Turns before a thread that waits goes to sleep: some ten microseconds, longer than most differences between threads. */
const SPINS = 20_000;

/** Exports `run(first, end, thread, threads, timed)`: executes steps of this thread's share; `end` is an address too. */
export function defineRun(module: WasmModule, kernelType: number, mark: FunctionReference): void {
  const barrier = defineBarrier(module);
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

function defineBarrier(module: WasmModule): FunctionReference {
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
      () => waitForPhase(body, phase),
    );
  });
}

function waitForPhase(body: FunctionBody, phase: I32): void {
  const spins = body.i32(0);
  body.whileTrue(body.atomicLoad(CONTROL.phase).eq(phase).and(spins.lt(SPINS)), () => body.increase(spins, 1));
  body.if(body.atomicLoad(CONTROL.phase).eq(phase), () => {
    body.drop(body.atomicAdd(CONTROL.sleeping, 1));
    body.whileTrue(body.atomicLoad(CONTROL.phase).eq(phase), () => body.atomicWait(CONTROL.phase, phase));
    body.drop(body.atomicAdd(CONTROL.sleeping, -1));
  });
}
