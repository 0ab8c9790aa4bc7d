/** Puts replacements into a model's own graph: the graph that reading the written file gives, but for names. */
import type { ConvReplacement } from '../formats/conv-replacement.ts';
import { byteSize } from '../ir/dtype.ts';
import { encodeFloats, type WeightType } from '../ir/elements.ts';
import { countElements } from '../ir/extents.ts';
import type { Constant, FileLayer, Model, Node, Value, ValueId } from '../ir/graph.ts';
import { halfAttrs } from './half-attrs.ts';

/** The nodes that took a convolution's place. */
export interface ReplacingNodes {
  /** In the order in which they run: the first half, what stands between the halves, and the last one. */
  readonly nodes: readonly Node[];
  readonly first: Node;
  readonly last: Node;
}

export interface ReplacedModel {
  readonly model: Model;
  /** By the node that was replaced. */
  readonly replacing: ReadonlyMap<Node, ReplacingNodes>;
}

/** Replaces convolutions in a model. Ids of values that were there before stay the same. */
export function replaceInModel(model: Model, replacements: readonly ConvReplacement[]): ReplacedModel {
  const { values, nodes, replacing } = replaceNodes(model.values, model.graph.nodes, replacements);
  return { model: { ...model, values, graph: { ...model.graph, nodes } }, replacing };
}

function replaceNodes(before: readonly Value[], nodes: readonly Node[], replacements: readonly ConvReplacement[]) {
  const builder = new ReplacementBuilder(before);
  const byNode = new Map<Node, ConvReplacement>(replacements.map((replacement) => [replacement.node, replacement]));
  const byLayer = new Map<FileLayer | undefined, ConvReplacement>(
    replacements.map((replacement) => [replacement.node.layer, replacement]),
  );
  byLayer.delete(undefined);
  const replacing = new Map<Node, ReplacingNodes>();
  const after = nodes.flatMap((node): readonly Node[] => {
    // A layer that the model calls again is replaced in each of its calls.
    const replacement = byNode.get(node) ?? byLayer.get(node.layer);
    if (!replacement || node.kind !== 'conv' || node.inputs[1] !== replacement.node.inputs[1]) return [node];
    const made = builder.nodesFor(node, replacement);
    replacing.set(node, made);
    return made.nodes;
  });
  return { values: builder.values, nodes: after, replacing };
}

class ReplacementBuilder {
  readonly values: Value[];
  readonly #constants = new Map<ConvReplacement, Map<string, ValueId>>();

  constructor(before: readonly Value[]) {
    this.values = [...before];
  }

  nodesFor(node: Node<'conv'>, replacement: ConvReplacement): ReplacingNodes {
    const { halves, between, bias } = replacement;
    const { name, op, scope, layer, attrs, outputs } = node;
    const [first, second] = halves;
    const [x = null, , oldBias = null, ...others] = node.inputs;
    const origin = layer === undefined ? { op, scope } : { op, scope, layer };
    const weights = (index: 0 | 1): ValueId =>
      this.#constant(replacement, halves[index].part, halves[index].weightShape, () => replacement.weights?.()[index]);
    const vector = (role: string, data: Float64Array): ValueId =>
      this.#constant(replacement, role, [data.length], () => data);
    const chain: Node[] = [];
    const follow = (make: (output: ValueId) => Node): ValueId => {
      const id = this.#value(`${name}/${chain.length}`, null);
      chain.push(make(id));
      return id;
    };
    let current = follow((output) => ({
      ...origin,
      kind: 'conv',
      attrs: { ...halfAttrs(attrs, first), activation: null },
      name: `${name}/${first.part}`,
      inputs: [x, weights(0), ...(between.bias ? [vector('between', between.bias)] : [])],
      outputs: [output],
    }));
    const { norm, relu } = between;
    if (norm) {
      const input = current;
      const { epsilon, ...parameters } = norm;
      const { scale, shift, mean, variance } = parameters;
      current = follow((output) => ({
        ...origin,
        kind: 'batchNorm',
        attrs: { channelAxis: attrs.channelsLast ? -1 : 1, training: false, epsilon },
        name: `${name}/norm`,
        inputs: [
          input,
          vector('scale', scale),
          vector('shift', shift),
          vector('mean', mean),
          vector('variance', variance),
        ],
        outputs: [output],
      }));
    }
    if (relu) {
      const input = current;
      current = follow((output) => ({
        ...origin,
        kind: 'unary',
        attrs: { fn: 'relu', alpha: null, beta: null },
        name: `${name}/relu`,
        inputs: [input],
        outputs: [output],
      }));
    }
    const last: Node = {
      ...origin,
      kind: 'conv',
      attrs: halfAttrs(attrs, second),
      name,
      inputs: [current, weights(1), bias ? vector('bias', bias) : oldBias, ...others],
      outputs,
    };
    return { nodes: [...chain, last], first: chain[0] ?? last, last };
  }

  #value(name: string, constant: Constant | null): ValueId {
    return this.values.push({ name, constant, declared: null }) - 1;
  }

  /** Made once for all calls of a layer. */
  #constant(
    replacement: ConvReplacement,
    role: string,
    shape: readonly number[],
    read: () => Float64Array | undefined,
  ): ValueId {
    const known = this.#constants.get(replacement) ?? new Map<string, ValueId>();
    this.#constants.set(replacement, known);
    const id =
      known.get(role) ?? this.#value(`${replacement.node.name}/${role}`, floats(replacement.dtype, shape, read));
    known.set(role, id);
    return id;
  }
}

/** Read when somebody asks: a plan needs none. */
function floats(dtype: WeightType, shape: readonly number[], read: () => Float64Array | undefined): Constant {
  return {
    dtype,
    shape,
    origin: 'initializer',
    data: {
      byteLength: byteSize(dtype, countElements(shape)),
      read() {
        const data = read();
        return data === undefined ? null : encodeFloats(dtype, data);
      },
    },
  };
}
