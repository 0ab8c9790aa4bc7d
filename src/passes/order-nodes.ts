import { DscAuditError } from '../ir/errors.ts';
import type { Graph, Node, ValueId } from '../ir/graph.ts';
import { valuesRead } from './walk.ts';

/**
 * The nodes in an order in which each finds its inputs computed: the file's own where it is one, and as close to it as
 * can be where it is not. Throws `malformed-model` for a cycle.
 */
export function orderNodes(graph: Graph): { readonly nodes: readonly Node[]; readonly moved: number } {
  const producers = new Map<ValueId, number>();
  graph.nodes.forEach((node, index) => {
    for (const output of node.outputs) if (output !== null) producers.set(output, index);
  });
  const needs = graph.nodes.map((node) =>
    valuesRead(node)
      .map((id) => producers.get(id))
      .filter((index) => index !== undefined),
  );
  if (needs.every((indices, index) => indices.every((needed) => needed < index))) {
    return { nodes: graph.nodes, moved: 0 };
  }
  const order = visitAll(needs, (index) => graph.nodes[index]?.name ?? '');
  return {
    nodes: order.map((index) => graph.nodes[index]).filter((node) => node !== undefined),
    moved: order.filter((index, position) => index !== position).length,
  };
}

/** Depth first, with a stack of its own: a chain may be longer than the call stack is deep. */
function visitAll(needs: readonly (readonly number[])[], nameOf: (index: number) => string): readonly number[] {
  const order: number[] = [];
  const state = new Uint8Array(needs.length);
  const [OPEN, DONE] = [1, 2];
  for (let root = 0; root < needs.length; root++) {
    const stack = [root];
    while (stack.length > 0) {
      const index = stack[stack.length - 1] ?? 0;
      if (state[index] === DONE) {
        stack.pop();
        continue;
      }
      const waiting = (needs[index] ?? []).filter((needed) => state[needed] !== DONE);
      if (waiting.length === 0) {
        state[index] = DONE;
        order.push(index);
        stack.pop();
        continue;
      }
      const circular = waiting.find((needed) => state[needed] === OPEN);
      if (circular !== undefined) {
        throw new DscAuditError(
          'malformed-model',
          `node '${nameOf(index)}' needs its own result, by way of '${nameOf(circular)}': the graph has a cycle.`,
        );
      }
      state[index] = OPEN;
      for (const needed of waiting.reverse()) stack.push(needed);
    }
  }
  return order;
}
