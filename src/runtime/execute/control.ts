/** Words at the start of the shared memory through which threads agree, each on a cache line of its own. */
export const CONTROL = {
  /** Grows by one at every barrier. */
  phase: 64,
  /** Threads that have reached the barrier. */
  arrived: 128,
  /** Threads that sleep at the barrier. */
  sleeping: 192,
  /** Grows by one for every run. */
  generation: 256,
  /** Not 0: workers end. */
  stopped: 320,
  /** Workers that are ready. */
  ready: 384,
} as const;

/** Where the plan's own memory begins. */
export const CONTROL_BYTES = 1024;

/** Words of one step: kernel slot, units, address of its arguments, and whether a barrier follows. */
export const STEP_WORDS = 4;
