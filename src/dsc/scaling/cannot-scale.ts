import type { Node } from '../../ir/graph.ts';

/** Something in the graph cannot follow another number of channels, or another extent: names the node. */
export class CannotScale extends Error {
  readonly node: Node;

  constructor(node: Node, reason: string) {
    super(reason);
    this.node = node;
  }
}
