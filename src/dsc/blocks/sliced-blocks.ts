import type { ValueId } from '../../ir/graph.ts';
import type { Task, Workload } from '../../passes/workload.ts';
import type { Block } from './block.ts';

/** A workload whose inverted residuals run as one task each. */
export interface SlicedWorkload {
  readonly workload: Workload;
  /** Blocks that run in slices. */
  readonly blocks: number;
}

/**
 * MobileNetV2's rule (1801.04381, section 5.1): what is inside an inverted residual is a sum over slices of its channels,
 * each of which is expanded, filtered and projected by itself. With t slices, t the expansion, the inner tensors take a
 * t-th of their size; input and output alone are whole.
 */
export function slicedWorkload(workload: Workload, blocks: readonly Block[]): SlicedWorkload {
  const sliced = blocks.filter(({ kind, expansion }) => kind === 'inverted-residual' && (expansion ?? 1) > 1);
  const makers = new Map(workload.tasks.flatMap((task) => task.writes.map((id) => [id, task] as const)));
  const inside = new Map<Task, Block>();
  for (const block of sliced) for (const task of tasksWithin(block, makers)) inside.set(task, block);
  const tasks: Task[] = [];
  const held = new Map<Block, Task[]>();
  for (const task of workload.tasks) {
    const block = inside.get(task);
    if (block === undefined) tasks.push(task);
    else {
      const own = held.get(block) ?? [];
      held.set(block, [...own, task]);
      if (task.writes.includes(block.output)) tasks.push(joined(block, held.get(block) ?? [], workload));
    }
  }
  return { workload: { ...workload, tasks }, blocks: held.size };
}

/** Everything on the way from a block's input to its output. */
function tasksWithin({ input, output }: Block, makers: ReadonlyMap<ValueId, Task>): ReadonlySet<Task> {
  const found = new Set<Task>();
  const waiting = [output];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const task = id === input ? undefined : makers.get(id);
    if (task === undefined || found.has(task)) continue;
    found.add(task);
    waiting.push(...task.reads);
  }
  return found;
}

function joined({ output, expansion }: Block, tasks: readonly Task[], { bytesOf }: Workload): Task {
  const made = new Set(tasks.flatMap(({ writes }) => writes));
  const reads = [...new Set(tasks.flatMap((task) => task.reads))].filter((id) => !made.has(id));
  const inner = tasks.map((task) =>
    task.writes.reduce((sum, id) => sum + (id === output ? 0 : (bytesOf.get(id) ?? 0)), 0),
  );
  // What a step reads and what it writes are alive together.
  const most = inner.reduce((largest, bytes, at) => Math.max(largest, bytes + (inner[at - 1] ?? 0)), 0);
  return { reads, writes: [output], extraBytes: Math.ceil(most / Math.max(1, expansion ?? 1)) };
}
