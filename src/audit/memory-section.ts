import { recogniseBlocks } from '../dsc/blocks/index.ts';
import { slicedWorkload } from '../dsc/blocks/sliced-blocks.ts';
import { bestOrder } from '../passes/best-order.ts';
import type { CountedLayer } from '../passes/count-layers.ts';
import type { MemorySchedule } from '../passes/peak-memory.ts';
import { peakBytes, workloadOf } from '../passes/workload.ts';
import type { Analysis } from './analyse.ts';
import type { MemoryPlans, MemorySection } from './report.ts';

/** A layer of several nodes stands where its first one does, with the most that is alive while one of them runs. */
export function memorySection(
  schedule: MemorySchedule | null,
  layers: readonly CountedLayer[],
  plans: MemoryPlans | null,
): MemorySection | null {
  if (schedule === null) return null;
  const indices = new Map(layers.flatMap(({ parts }, index) => parts.map(({ node }) => [node, index])));
  const most = new Map<number, number>();
  for (const { node, bytes } of schedule.steps) {
    const index = indices.get(node);
    if (index !== undefined) most.set(index, Math.max(most.get(index) ?? 0, bytes));
  }
  return {
    schedule: Array.from(most, ([index, bytes]) => ({ layer: layers[index]?.node.name ?? '', index, bytes })),
    plans,
  };
}

/** Other ways to run the model; null where an activation has no known size. */
export function memoryPlans({ read, facts, counted }: Analysis): MemoryPlans | null {
  const workload = workloadOf(read.model, facts);
  if (workload === null) return null;
  const best = bestOrder(workload);
  const sliced = slicedWorkload(workload, recogniseBlocks(read.model.graph, counted.layers, facts));
  return {
    modelOrderBytes: peakBytes(workload),
    bestOrderBytes: best && peakBytes(best),
    slicedBlocksBytes: peakBytes(sliced.workload),
    slicedBlocks: sliced.blocks,
  };
}
