import type { Graph, Node, ValueId } from '../ir/graph.ts';

const NONE: readonly never[] = [];

/** The bodies that a control-flow operator holds, by the name that the scopes of their nodes show. */
export function bodiesOf(node: Node): readonly (readonly [name: string, body: Graph])[] {
  switch (node.kind) {
    case 'if':
      return [
        ['then_branch', node.attrs.thenBranch],
        ['else_branch', node.attrs.elseBranch],
      ];
    case 'loop':
    case 'scan':
    case 'sequenceMap':
      return [['body', node.attrs.body]];
    default:
      return NONE;
  }
}

/** The values that a node reads: its inputs, and what its bodies take from the graphs around them. */
export function valuesRead(node: Node): readonly ValueId[] {
  const inputs = node.inputs.filter((id) => id !== null);
  const bodies = bodiesOf(node);
  return bodies.length === 0 ? inputs : [...inputs, ...bodies.flatMap(([, body]) => valuesCaptured(body))];
}

/** A body lies in as many bodies as there are around it: each is looked through once. */
const CAPTURED = new WeakMap<Graph, readonly ValueId[]>();

/** Values that a body reads and does not compute itself. */
function valuesCaptured(body: Graph): readonly ValueId[] {
  const known = CAPTURED.get(body);
  if (known) return known;
  const own = new Set([...body.inputs, ...body.constants, ...body.nodes.flatMap((node) => node.outputs)]);
  const read = new Set([...body.nodes.flatMap(valuesRead), ...body.outputs]);
  const captured = [...read].filter((id) => !own.has(id));
  CAPTURED.set(body, captured);
  return captured;
}
