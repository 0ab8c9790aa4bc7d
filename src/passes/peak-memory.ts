import { addExact } from '../ir/exact.ts';
import type { Graph, Model, Node, ValueId } from '../ir/graph.ts';
import { takenBranch } from '../ops/control.ts';
import { tensorBytes } from './count-layers.ts';
import type { Facts } from './infer-facts.ts';
import { isConstant, liveNodes } from './live-nodes.ts';
import { bodiesOf, valuesRead } from './walk.ts';

/** What is alive while the nodes of the model's graph run, in the model's order. */
export interface MemorySchedule {
  readonly peakBytes: number;
  readonly steps: readonly MemoryStep[];
}

/** A node with the activations that are alive while it runs, those of its body included. */
export interface MemoryStep {
  readonly node: Node;
  readonly bytes: number;
}

/**
 * The activations that are alive at once, nodes in the model's order; the largest sum is the peak. An activation lives
 * from the node that computes it to the last that reads it; the model's inputs from the start, its outputs to the end.
 * While a body runs, its own activations come on top. Null where one of them has an unknown size.
 */
export function memorySchedule(model: Model, facts: Facts): MemorySchedule | null {
  const { graph } = model;
  return scheduleOf(graph, graph.inputs, new Set(), facts);
}

/** `elsewhere`: values whose memory is counted already: a body's results are those of the operator that holds it. */
function scheduleOf(
  graph: Graph,
  alreadyAlive: readonly ValueId[],
  elsewhere: ReadonlySet<ValueId>,
  facts: Facts,
): MemorySchedule | null {
  const { nodes } = liveNodes(graph, facts);
  const lastUses = lastUsesOf(nodes, graph);
  const alive = new Map<ValueId, number>();
  let current = 0;
  const steps: MemoryStep[] = [];
  const enter = (id: ValueId): boolean => {
    if (alive.has(id) || elsewhere.has(id) || isConstant(id, facts)) return true;
    const bytes = tensorBytes(facts.of[id]);
    if (bytes === null) return false;
    alive.set(id, bytes);
    current = addExact(current, bytes);
    return true;
  };
  const leave = (id: ValueId): void => {
    current -= alive.get(id) ?? 0;
    alive.delete(id);
  };
  for (const id of alreadyAlive) if (lastUses.has(id) && !enter(id)) return null;
  let peakBytes = current;
  for (const [index, node] of nodes.entries()) {
    const inner = bodyPeak(node, facts);
    const outputs = node.outputs.filter((id) => id !== null);
    if (inner === null || !outputs.every(enter)) return null;
    const bytes = addExact(current, inner);
    steps.push({ node, bytes });
    peakBytes = Math.max(peakBytes, bytes);
    for (const id of [...valuesRead(node), ...outputs]) if ((lastUses.get(id) ?? index) <= index) leave(id);
  }
  return { peakBytes, steps };
}

/** What the costliest body needs beside the graph around it. */
export function bodyPeak(node: Node, facts: Facts): number | null {
  let peak = 0;
  for (const body of bodiesRun(node, facts)) {
    const own = scheduleOf(body, [], new Set(body.outputs), facts);
    if (own === null) return null;
    peak = Math.max(peak, own.peakBytes);
  }
  return peak;
}

/** The index of the last node that reads a value; past the end for outputs. */
function lastUsesOf(nodes: readonly Node[], graph: Graph): ReadonlyMap<ValueId, number> {
  const lastUses = new Map<ValueId, number>();
  nodes.forEach((node, index) => {
    for (const id of valuesRead(node)) lastUses.set(id, index);
  });
  for (const id of graph.outputs) lastUses.set(id, nodes.length);
  return lastUses;
}

/** The bodies that may run: of an If whose condition is known, one. */
function bodiesRun(node: Node, facts: Facts): readonly Graph[] {
  const bodies = bodiesOf(node).map(([, body]) => body);
  if (node.kind !== 'if') return bodies;
  const taken = takenBranch(facts.of[node.inputs[0] ?? -1]);
  return taken === null ? bodies : [node.attrs[taken]];
}
