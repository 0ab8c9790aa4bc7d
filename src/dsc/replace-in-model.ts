import type { ConvReplacement } from '../formats/conv-replacement.ts';
import type { Constant, Model, Node, Value, ValueId } from '../ir/graph.ts';
import { halfAttrs } from './half-attrs.ts';

/** A model with convolutions replaced, as it is run: the same graph that reading the written file would give. */
export interface ReplacedModel {
  readonly model: Model;
  /** By the node that was replaced: the value that its first half computes, with what stands between them. */
  readonly between: ReadonlyMap<Node, ValueId>;
}

/** Replaces convolutions in the model's own graph. Ids of values that were there before stay the same. */
export function replaceInModel(model: Model, replacements: readonly ConvReplacement[]): ReplacedModel {
  const values: Value[] = [...model.values];
  const add = (value: Value): ValueId => values.push(value) - 1;
  const byNode = new Map<Node, ConvReplacement>(replacements.map((replacement) => [replacement.node, replacement]));
  const between = new Map<Node, ValueId>();
  const nodes = model.graph.nodes.flatMap((node): readonly Node[] => {
    const replacement = byNode.get(node);
    if (!replacement) return [node];
    const { chain, last } = replacementNodes(replacement, add);
    between.set(node, last.inputs[0] ?? 0);
    return [...chain, last];
  });
  return { model: { ...model, values, graph: { ...model.graph, nodes } }, between };
}

function replacementNodes({ node, halves, between, bias, weights }: ConvReplacement, add: (value: Value) => ValueId) {
  const [first, second] = halves;
  const [firstWeights, secondWeights] = weights();
  const constant = (data: Float64Array, shape: readonly number[]): ValueId =>
    add({ name: '', constant: floats(data, shape), declared: null });
  const computed = (part: string): ValueId => add({ name: `${node.name}/${part}`, constant: null, declared: null });
  const { name, op, scope, attrs, outputs } = node;
  const [x = null, , oldBias = null, ...others] = node.inputs;
  const chain: Node[] = [];
  const follow = (make: (output: ValueId) => Node, part: string): ValueId => {
    const output = computed(part);
    chain.push(make(output));
    return output;
  };
  let current = follow(
    (output) => ({
      kind: 'conv',
      attrs: { ...halfAttrs(attrs, first), activation: null },
      op,
      name: `${name}/${first.part}`,
      scope,
      inputs: [x, constant(firstWeights, first.weightShape)],
      outputs: [output],
    }),
    first.part,
  );
  const { norm } = between;
  if (norm) {
    const input = current;
    const parameters = [norm.scale, norm.shift, norm.mean, norm.variance].map((data) => constant(data, [data.length]));
    current = follow(
      (output) => ({
        kind: 'batchNorm',
        attrs: { channelAxis: 1, training: false, epsilon: norm.epsilon },
        op: 'BatchNormalization',
        name: `${name}/norm`,
        scope,
        inputs: [input, ...parameters],
        outputs: [output],
      }),
      'norm',
    );
  }
  if (between.relu) {
    const input = current;
    current = follow(
      (output) => ({
        kind: 'unary',
        attrs: { fn: 'relu', alpha: null, beta: null },
        op: 'Relu',
        name: `${name}/relu`,
        scope,
        inputs: [input],
        outputs: [output],
      }),
      'relu',
    );
  }
  const last: Node = {
    kind: 'conv',
    attrs: halfAttrs(attrs, second),
    op,
    name,
    scope,
    inputs: [
      current,
      constant(secondWeights, second.weightShape),
      bias ? constant(bias, [bias.length]) : oldBias,
      ...others,
    ],
    outputs,
  };
  return { chain, last };
}

function floats(data: Float64Array, shape: readonly number[]): Constant {
  const bytes = new Uint8Array(Float32Array.from(data).buffer);
  return { dtype: 'float32', shape, origin: 'initializer', data: { byteLength: bytes.length, read: () => bytes } };
}
