import { byteSize, DTYPES, type DType, isFloat } from '../ir/dtype.ts';
import { DscAuditError } from '../ir/errors.ts';
import { countElements } from '../ir/extents.ts';
import type { Constant, Model, Node, ValueId } from '../ir/graph.ts';
import type { OpKind } from '../ir/operators.ts';
import { opDef } from '../ops/index.ts';
import type { InputRole } from '../ops/op-def.ts';
import type { Facts } from './infer-facts.ts';
import { isConstant } from './live-nodes.ts';

/** A tensor of the file that holds a layer's parameters. */
export interface Weight {
  readonly id: ValueId;
  /** The node's input that it reaches; null for a weight that the layer only keeps. */
  readonly input: number | null;
  readonly dtype: DType;
  readonly elements: number;
  readonly bytes: number;
  readonly trainable: boolean;
}

/** A node whose constant inputs are to be followed, and the part that its result plays. */
interface Visit {
  readonly node: Node;
  readonly part: InputRole;
  readonly quantized: boolean;
  /** The layer's input through which it is reached; null for the layer itself. */
  readonly input: number | null;
}

/** Finds the tensors of the file that the constant inputs of a node come from. */
export class WeightTracer {
  readonly #model: Model;
  readonly #facts: Facts;
  readonly #producers = new Map<ValueId, Node>();
  readonly #consumers = new Map<ValueId, Node[]>();
  readonly #maxVisits: number;
  #visits = 0;

  constructor(model: Model, facts: Facts) {
    this.#model = model;
    this.#facts = facts;
    this.#maxVisits = FREE_VISITS + MAX_VISITS_PER_VALUE * model.values.length;
    for (const nodes of facts.order.values()) {
      for (const node of nodes) {
        for (const output of node.outputs) if (output !== null) this.#producers.set(output, node);
        for (const input of node.inputs) if (input !== null) this.#addConsumer(input, node);
      }
    }
  }

  /** The distinct weights that a node reads, shared ones too. */
  weightsOf(node: Node): readonly Weight[] {
    const found = new Map<ValueId, Weight>();
    const seen = new Set<string>();
    const waiting: Visit[] = [{ node, part: 'operand', quantized: false, input: null }];
    for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
      if (++this.#visits > this.#maxVisits) {
        throw new DscAuditError(
          'limit-exceeded',
          'constants are computed from each other over and over: no real model does that.',
        );
      }
      for (const next of this.#visit(visit.node, visit, found)) {
        const step = `${next.node.outputs[0]}:${next.part}:${next.quantized}:${next.input}`;
        if (!seen.has(step)) waiting.push(next);
        seen.add(step);
      }
    }
    return [...found.values()];
  }

  /** A weight by the file's own word, whichever node reads it; null for any other constant. */
  heldWeight(id: ValueId): Weight | null {
    const constant = this.#model.values[id]?.constant;
    if (!constant || BY_ITS_FILE[constant.origin] !== true) return null;
    const elements = countElements(constant.shape);
    const { dtype, origin } = constant;
    return { id, input: null, dtype, elements, bytes: byteSize(dtype, elements), trainable: origin === 'trainable' };
  }

  /** Every constant that some values come from, whatever part it plays. */
  constantsBehind(values: readonly (ValueId | null)[], reached: Set<ValueId>): void {
    const waiting = [...values];
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (id === null || reached.has(id) || !isConstant(id, this.#facts)) continue;
      reached.add(id);
      for (const input of this.#producers.get(id)?.inputs ?? []) waiting.push(input);
    }
  }

  /**
   * What is added to scores on their way to a softmax, the same for every head, is a mask; a learned bias has values of
   * its own for each. Scores are …, heads, queries, keys.
   */
  #isAttentionMask(node: Node, id: ValueId): boolean {
    if (node.kind !== 'binary' || node.attrs.fn !== 'add') return false;
    const result = node.outputs[0] ?? null;
    const heads = result === null ? undefined : this.#extentFromEnd(result, HEADS_AXIS);
    if (heads === undefined || heads <= 1 || (this.#extentFromEnd(id, HEADS_AXIS) ?? 1) !== 1) return false;
    return (this.#extentFromEnd(id, QUERIES_AXIS) ?? 1) > 1 && this.#leadsToSoftmax(result);
  }

  #leadsToSoftmax(from: ValueId | null, steps = MAX_STEPS_TO_SOFTMAX): boolean {
    if (from === null || steps === 0) return false;
    return (this.#consumers.get(from) ?? []).some(
      ({ kind, outputs }) =>
        kind === 'softmax' || (PASSES_SCORES.has(kind) && this.#leadsToSoftmax(outputs[0] ?? null, steps - 1)),
    );
  }

  /** Of a value that very many read, a few tell what it is for. */
  #addConsumer(id: ValueId, node: Node): void {
    const known = this.#consumers.get(id);
    if (known === undefined) this.#consumers.set(id, [node]);
    else if (known.length < MAX_CONSUMERS) known.push(node);
  }

  #extentFromEnd(id: ValueId, axis: number): number | undefined {
    const fact = this.#facts.of[id];
    const extent = fact?.type === 'tensor' ? fact.shape?.at(axis) : undefined;
    return typeof extent === 'number' ? extent : undefined;
  }

  /** Takes down the weights among a node's inputs, and returns the folded nodes that compute the others. */
  #visit<K extends OpKind>(node: Node<K> & Node, visit: Visit, found: Map<ValueId, Weight>): readonly Visit[] {
    const def = opDef<K>(node.kind);
    const quantized = visit.quantized || HOLDS_QUANTIZED.has(node.kind);
    const further: Visit[] = [];
    node.inputs.forEach((id, index) => {
      const role = def.roles.every ?? def.roles[index];
      if (id === null || role === undefined || !isConstant(id, this.#facts)) return;
      if (visit.input === null && this.#isAttentionMask(node, id)) return;
      const part = role === 'carried' ? visit.part : role;
      const input = visit.input ?? index;
      const constant = this.#model.values[id]?.constant;
      const producer = this.#producers.get(id);
      if (!constant) {
        if (producer) further.push({ node: producer, part, quantized, input });
      } else if (isLearned(constant, part, quantized) && !found.has(id)) {
        const elements = def.weightElements?.(node.attrs, index, constant.shape) ?? countElements(constant.shape);
        const bytes = byteSize(constant.dtype, countElements(constant.shape));
        found.set(id, { id, input, dtype: constant.dtype, elements, bytes, trainable: isTrainable(constant, part) });
      }
    });
    return further;
  }
}

/** Folded nodes that are followed behind each layer, on average: a transposition and a cast, say. */
const MAX_VISITS_PER_VALUE = 64;
const FREE_VISITS = 100_000;

const HEADS_AXIS = -3;
const QUERIES_AXIS = -2;

/** What exporters write between the mask and the softmax. */
const PASSES_SCORES: ReadonlySet<OpKind> = new Set(['binary', 'cast', 'identity', 'reshape', 'variadic']);
const MAX_STEPS_TO_SOFTMAX = 4;
const MAX_CONSUMERS = 8;

/** Operators whose integer constants are quantised weights, of whatever width (biases have 32 bits). */
const HOLDS_QUANTIZED: ReadonlySet<OpKind> = new Set(['conv', 'dequantize', 'gemm', 'matmul', 'packedMatmul']);

/** Wider integers steer shapes and pick elements. */
const MAX_QUANTIZED_BITS = 8;

const BY_ITS_FILE: Partial<Record<Constant['origin'], boolean>> = {
  trainable: true,
  'non-trainable': true,
  literal: false,
};

/**
 * What the file says of it; else by the part that it plays. Literals (single numbers, or written into the graph as
 * operators) take part in arithmetic, but nobody learned them.
 */
function isLearned(constant: Constant, part: InputRole, integersCount: boolean): boolean {
  const { dtype, origin } = constant;
  const told = BY_ITS_FILE[origin];
  if (told !== undefined) return told;
  const { family, bits } = DTYPES[dtype];
  if (!isFloat(dtype) && !(family === 'integer' && (integersCount || bits <= MAX_QUANTIZED_BITS))) return false;
  return part !== 'operand' || (origin === 'initializer' && countElements(constant.shape) > 1);
}

/** Training does not learn running statistics, nor what the file says is frozen. */
function isTrainable({ origin }: Constant, part: InputRole): boolean {
  return part !== 'statistic' && origin !== 'non-trainable';
}
