import { byteSize } from '../../ir/dtype.ts';
import { countElements } from '../../ir/extents.ts';
import type { Constant, Model, Node, Value, ValueId } from '../../ir/graph.ts';
import type { WidthChanges } from './width-walk.ts';

/** A model with other extents: weights of new shapes have no values. */
export function scaledModel(model: Model, changes: WidthChanges): Model {
  const values: Value[] = model.values.map((value, id) => {
    const shape = changes.constants.get(id);
    const constant = shape && value.constant ? resized(value.constant, shape) : value.constant;
    // What the file says of computed values held for the extents that it was written with.
    const isInput = model.graph.inputs.includes(id);
    return { ...value, constant, declared: isInput ? value.declared : null };
  });
  const integer = (ints: readonly number[]): ValueId => {
    values.push({ name: '', declared: null, constant: integers(ints) });
    return values.length - 1;
  };
  const nodes = model.graph.nodes.map((node) => changedNode(node, changes, integer));
  return { ...model, values, graph: { ...model.graph, nodes } };
}

function changedNode(node: Node, changes: WidthChanges, integer: (ints: readonly number[]) => ValueId): Node {
  const replaced = changes.integers.get(node);
  const groups = changes.groups.get(node);
  const inputs = replaced
    ? node.inputs.map((id, index) => {
        const ints = replaced.get(index);
        return ints ? integer(ints) : id;
      })
    : node.inputs;
  if (groups !== undefined && node.kind === 'conv') return { ...node, inputs, attrs: { ...node.attrs, groups } };
  if (groups !== undefined && node.kind === 'convTranspose') {
    return { ...node, inputs, attrs: { ...node.attrs, groups } };
  }
  return { ...node, inputs };
}

function resized(constant: Constant, shape: readonly number[]): Constant {
  const byteLength = byteSize(constant.dtype, countElements(shape));
  return { ...constant, shape, data: { byteLength, read: () => null } };
}

/** A constant that holds a shape. */
export function integers(ints: readonly number[]): Constant {
  const bytes = new Uint8Array(new BigInt64Array(ints.map(BigInt)).buffer);
  return {
    dtype: 'int64',
    shape: [ints.length],
    origin: 'inline',
    data: { byteLength: bytes.length, read: () => bytes },
  };
}
