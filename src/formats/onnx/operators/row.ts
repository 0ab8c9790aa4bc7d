import type { OpAttrs, OpKind } from '../../../ir/operators.ts';
import type { Lowered, LoweredTo, OnnxNode } from '../onnx-node.ts';

/** How one operator of the file becomes one of the graph's own. */
export type Lowering = (node: OnnxNode) => Lowered;

/** The operators of a family by name. */
export type Rows = Readonly<Record<string, Lowering>>;

/** A row for an operator whose attributes are the same whatever the node says. */
export function always<K extends OpKind>(kind: K, attrs: OpAttrs[K]): (node: OnnxNode) => LoweredTo<K> {
  const lowered = { kind, attrs };
  return () => lowered;
}
