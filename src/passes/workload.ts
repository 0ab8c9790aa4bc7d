import { addExact } from '../ir/exact.ts';
import type { Model, ValueId } from '../ir/graph.ts';
import { tensorBytes } from './count-layers.ts';
import type { Facts } from './infer-facts.ts';
import { isConstant, liveNodes } from './live-nodes.ts';
import { bodyPeak } from './peak-memory.ts';
import { valuesRead } from './walk.ts';

/** Something that runs as one, with the activations that it reads and writes. */
export interface Task {
  readonly reads: readonly ValueId[];
  readonly writes: readonly ValueId[];
  /** What it needs beside them while it runs. */
  readonly extraBytes: number;
}

/** A model as tasks, in an order that can be run. */
export interface Workload {
  readonly tasks: readonly Task[];
  readonly bytesOf: ReadonlyMap<ValueId, number>;
  /** Alive from the start, as long as somebody reads them. */
  readonly inputs: readonly ValueId[];
  /** Alive to the end. */
  readonly outputs: readonly ValueId[];
}

/** Every node of the model's own graph as a task; null where an activation has no known size. */
export function workloadOf(model: Model, facts: Facts): Workload | null {
  const bytesOf = new Map<ValueId, number>();
  const tasks: Task[] = [];
  const known = (id: ValueId): boolean => {
    const bytes = tensorBytes(facts.of[id]);
    if (bytes !== null) bytesOf.set(id, bytes);
    return bytes !== null;
  };
  for (const node of liveNodes(model.graph, facts).nodes) {
    const reads = [...new Set(valuesRead(node))].filter((id) => !isConstant(id, facts));
    const writes = node.outputs.filter((id) => id !== null).filter((id) => !isConstant(id, facts));
    const extraBytes = bodyPeak(node, facts);
    if (extraBytes === null || ![...reads, ...writes].every(known)) return null;
    tasks.push({ reads, writes, extraBytes });
  }
  const inputs = model.graph.inputs.filter((id) => bytesOf.has(id));
  return { tasks, bytesOf, inputs, outputs: model.graph.outputs };
}

/** The most that is alive at once, tasks in their order. */
export function peakBytes({ tasks, bytesOf, inputs, outputs }: Workload): number {
  const readers = new Map<ValueId, number>();
  for (const { reads } of tasks) for (const id of reads) readers.set(id, (readers.get(id) ?? 0) + 1);
  for (const id of outputs) readers.set(id, (readers.get(id) ?? 0) + 1);
  let alive = inputs.reduce((sum, id) => addExact(sum, bytesOf.get(id) ?? 0), 0);
  let peak = alive;
  for (const { reads, writes, extraBytes } of tasks) {
    alive = writes.reduce((sum, id) => addExact(sum, bytesOf.get(id) ?? 0), alive);
    peak = Math.max(peak, addExact(alive, extraBytes));
    for (const id of reads) readers.set(id, (readers.get(id) ?? 0) - 1);
    for (const id of [...reads, ...writes]) if ((readers.get(id) ?? 0) === 0) alive -= bytesOf.get(id) ?? 0;
  }
  return peak;
}
