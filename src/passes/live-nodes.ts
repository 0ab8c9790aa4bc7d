import type { Graph, Node, ValueId } from '../ir/graph.ts';
import type { Facts } from './infer-facts.ts';
import { valuesRead } from './walk.ts';

/** A graph after constant folding. */
export interface LiveGraph {
  /** What a runtime runs, in order. */
  readonly nodes: readonly Node[];
  /** What no output needs. */
  readonly dead: readonly Node[];
}

/** Leaves out what is computed when the model is loaded, and what no output needs. */
export function liveNodes(graph: Graph, facts: Facts): LiveGraph {
  const needed = new Set<ValueId>(graph.outputs);
  const nodes: Node[] = [];
  const dead: Node[] = [];
  for (const node of [...(facts.order.get(graph) ?? graph.nodes)].reverse()) {
    if (isFolded(node, facts)) continue;
    if (!node.outputs.some((id) => id !== null && needed.has(id) && !isConstant(id, facts))) {
      dead.push(node);
      continue;
    }
    nodes.push(node);
    for (const id of valuesRead(node)) needed.add(id);
  }
  return { nodes: nodes.reverse(), dead: dead.reverse() };
}

export function isConstant(id: ValueId, facts: Facts): boolean {
  const fact = facts.of[id];
  return fact?.type === 'tensor' && fact.constant;
}

/** All its results are constants: it is run once, when the model is loaded. */
function isFolded(node: Node, facts: Facts): boolean {
  let results = 0;
  for (const id of node.outputs) {
    if (id === null) continue;
    if (!isConstant(id, facts)) return false;
    results++;
  }
  return results > 0;
}
