import type { ValueId } from '../ir/graph.ts';
import { peakBytes, type Task, type Workload } from './workload.ts';

/** Partial orders that are carried on side by side. */
const BEAM = 24;

/** Larger graphs are left in their order: each task is tried at every turn of every partial order. */
const MAX_TASKS = 3000;

/** Tasks that have run, what is alive, and what waits. */
interface State {
  readonly peak: number;
  readonly alive: number;
  /** Tells sets of tasks apart: the sum of a random number for each. */
  readonly hash: number;
  readonly ready: readonly number[];
  readonly pending: ReadonlyMap<number, number>;
  readonly readers: ReadonlyMap<ValueId, number>;
  readonly order: Link | null;
}

interface Link {
  readonly task: number;
  readonly before: Link | null;
}

/** The graph around the tasks, worked out once. */
interface Index {
  readonly workload: Workload;
  readonly readersOf: ReadonlyMap<ValueId, readonly number[]>;
  /** How often each value is read in all, outputs once more. */
  readonly uses: ReadonlyMap<ValueId, number>;
  /** Computed values that a task waits for. */
  readonly needs: readonly number[];
}

/**
 * An order of the tasks with the lowest peak that a beam search finds: no worse than the order given, and the best where
 * few tasks are ready at once. Null for a graph too large to look through.
 */
export function bestOrder(workload: Workload): Workload | null {
  if (workload.tasks.length > MAX_TASKS) return null;
  const index = indexOf(workload);
  let beam: readonly State[] = [startOf(index)];
  for (let turn = 0; turn < workload.tasks.length; turn++) {
    const next = new Map<number, State>();
    for (const state of beam) {
      for (const task of state.ready) {
        const after = run(index, state, task);
        const known = next.get(after.hash);
        if (known === undefined || after.peak < known.peak) next.set(after.hash, after);
      }
    }
    beam = [...next.values()].sort((a, b) => a.peak - b.peak || a.alive - b.alive).slice(0, BEAM);
  }
  const found = beam[0] && { ...workload, tasks: tasksOf(beam[0], workload) };
  return found && peakBytes(found) < peakBytes(workload) ? found : workload;
}

function tasksOf({ order }: State, { tasks }: Workload): readonly Task[] {
  const reversed: Task[] = [];
  for (let link = order; link !== null; link = link.before) {
    const task = tasks[link.task];
    if (task) reversed.push(task);
  }
  return reversed.reverse();
}

function indexOf(workload: Workload): Index {
  const { tasks, outputs } = workload;
  const readersOf = new Map<ValueId, number[]>();
  const uses = new Map<ValueId, number>();
  const made = new Set(tasks.flatMap(({ writes }) => writes));
  tasks.forEach(({ reads }, task) => {
    for (const id of reads) {
      uses.set(id, (uses.get(id) ?? 0) + 1);
      const readers = readersOf.get(id);
      if (readers) readers.push(task);
      else readersOf.set(id, [task]);
    }
  });
  for (const id of outputs) uses.set(id, (uses.get(id) ?? 0) + 1);
  return { workload, readersOf, uses, needs: tasks.map(({ reads }) => reads.filter((id) => made.has(id)).length) };
}

function startOf({ workload: { inputs, bytesOf }, needs, uses }: Index): State {
  const alive = inputs.reduce((sum, id) => sum + (bytesOf.get(id) ?? 0), 0);
  return {
    peak: alive,
    alive,
    hash: 0,
    ready: needs.flatMap((count, task) => (count === 0 ? [task] : [])),
    pending: new Map(),
    readers: new Map(inputs.map((id) => [id, uses.get(id) ?? 0])),
    order: null,
  };
}

function run({ workload: { tasks, bytesOf }, readersOf, uses, needs }: Index, state: State, task: number): State {
  const { reads = [], writes = [], extraBytes = 0 } = tasks[task] ?? {};
  const readers = new Map(state.readers);
  const pending = new Map(state.pending);
  const ready = state.ready.filter((other) => other !== task);
  let alive = state.alive;
  for (const id of writes) {
    alive += bytesOf.get(id) ?? 0;
    readers.set(id, uses.get(id) ?? 0);
    for (const reader of readersOf.get(id) ?? []) {
      const left = (pending.get(reader) ?? needs[reader] ?? 0) - 1;
      if (left > 0) pending.set(reader, left);
      else {
        pending.delete(reader);
        ready.push(reader);
      }
    }
  }
  const peak = Math.max(state.peak, alive + extraBytes);
  for (const id of reads) readers.set(id, (readers.get(id) ?? 0) - 1);
  for (const id of [...reads, ...writes]) {
    if ((readers.get(id) ?? 0) > 0 || !readers.has(id)) continue;
    alive -= bytesOf.get(id) ?? 0;
    readers.delete(id);
  }
  return {
    peak,
    alive,
    hash: (state.hash + spread(task)) % 2 ** 52,
    ready,
    pending,
    readers,
    order: { task, before: state.order },
  };
}

/** A number of 52 bits for each task, far from those of others (splitmix32, twice). */
function spread(task: number): number {
  const mix = (seed: number): number => {
    let x = (seed + 0x9e3779b9) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return (x ^ (x >>> 15)) >>> 0;
  };
  return mix(task) * 2 ** 20 + (mix(~task) >>> 12);
}
