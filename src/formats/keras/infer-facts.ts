import { symbolicDim } from '../../ir/dim.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { type Fact, type TensorFact, UNKNOWN_TENSOR } from '../../ir/fact.ts';
import type { Graph, Node, ValueId } from '../../ir/graph.ts';
import type { OpKind } from '../../ir/operators.ts';
import { opDef } from '../../ops/index.ts';
import { type InferContext, ShapeConflict } from '../../ops/op-def.ts';

/**
 * What is known of each value while the graph is being built: a layer's weights take their extents from its input, so
 * the reader asks the operators' own rules as it goes. Open dimensions stay symbols.
 */
export class FactTable {
  readonly #facts: (Fact | undefined)[] = [];

  set(id: ValueId, fact: Fact): void {
    this.#facts[id] = fact;
  }

  tensor(id: ValueId | null | undefined): TensorFact {
    const fact = typeof id === 'number' ? this.#facts[id] : undefined;
    return fact?.type === 'tensor' ? fact : UNKNOWN_TENSOR;
  }

  /** Adds what a node computes. Throws `malformed-model` where its inputs contradict each other, naming `what`. */
  infer(node: Node, what: string): void {
    try {
      this.#infer(node);
    } catch (error) {
      if (!(error instanceof ShapeConflict)) throw error;
      throw new DscAuditError('malformed-model', `${what}: ${error.message}.`);
    }
  }

  #infer<K extends OpKind>(node: Node<K> & Node): void {
    const outputs = opDef<K>(node.kind).infer(node.attrs, this.#context(node));
    const isConstant = node.inputs.every((id) => id === null || this.tensor(id).constant);
    node.outputs.forEach((id, index) => {
      const fact = outputs[index] ?? UNKNOWN_TENSOR;
      if (id !== null) this.#facts[id] = fact.type === 'tensor' ? { ...fact, constant: isConstant } : fact;
    });
  }

  #context(node: Node): InferContext {
    const inputs = node.inputs.map((id) => (id === null ? null : this.tensor(id)));
    return {
      inputs,
      outputCount: node.outputs.length,
      tensor: (index) => inputs[index] ?? UNKNOWN_TENSOR,
      integers: (index) => integersOf(inputs[index] ?? UNKNOWN_TENSOR),
      isPresent: (index) => (inputs[index] ?? null) !== null,
      dataDependent: (label, slot = 0) => symbolicDim(`${node.name}:${label}_${slot}`),
      changing: (slot) => symbolicDim(`${node.name}:changing_${slot}`),
      inferBody: (body, given) => this.#inferBody(body, given),
    };
  }

  #inferBody(body: Graph, given: readonly Fact[]): readonly Fact[] {
    body.inputs.forEach((id, index) => {
      this.#facts[id] = given[index] ?? UNKNOWN_TENSOR;
    });
    for (const node of body.nodes) this.#infer(node);
    return body.outputs.map((id) => this.#facts[id] ?? UNKNOWN_TENSOR);
  }
}

function integersOf({ elements }: TensorFact): readonly number[] | null {
  if (elements === null) return null;
  const integers: number[] = [];
  for (const element of elements) {
    if (typeof element !== 'number') return null;
    integers.push(Math.trunc(element));
  }
  return integers;
}
