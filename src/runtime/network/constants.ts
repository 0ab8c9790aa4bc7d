/** The constant values of a model: stored ones, and those that a few operators make from them. */

import { isStatic } from '../../ir/dim.ts';
import { readElements } from '../../ir/elements.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { countElements, stridesOf } from '../../ir/extents.ts';
import type { TensorFact } from '../../ir/fact.ts';
import type { Constant, Node, ValueId } from '../../ir/graph.ts';
import { type AnalysedModel, knownShape } from './analysed-model.ts';

/** Elements for a constant whose bytes the file does not have. */
export type FillMissing = (name: string, constant: Constant) => Float32Array;

export class ConstantValues {
  private readonly source: AnalysedModel;
  private readonly fillMissing: FillMissing | null;
  private readonly producers: ReadonlyMap<ValueId, Node>;
  private readonly known = new Map<ValueId, Float32Array | null>();
  private readonly settled = new Map<ValueId, boolean>();
  /** Names of constants that were filled in. */
  readonly missing = new Set<string>();
  private firstAbsent: string | null = null;

  constructor(source: AnalysedModel, fillMissing: FillMissing | null) {
    this.source = source;
    this.fillMissing = fillMissing;
    this.producers = new Map(
      source.nodes.flatMap((node) =>
        node.outputs.flatMap((id): [ValueId, Node][] => (id === null ? [] : [[id, node]])),
      ),
    );
  }

  /** Whether the elements are there before anything is run; what other operators make of constants is computed in a run. */
  isConstant(id: ValueId): boolean {
    const known = this.settled.get(id);
    if (known !== undefined) return known;
    const isSettled = this.isSettled(id);
    this.settled.set(id, isSettled);
    return isSettled;
  }

  private isSettled(id: ValueId): boolean {
    const fact = this.source.facts[id];
    if (fact?.type !== 'tensor' || !fact.constant) return false;
    if (this.source.model.values[id]?.constant || isTracked(fact)) return true;
    const producer = this.producers.get(id);
    const input = producer?.inputs[0] ?? null;
    return producer !== undefined && input !== null && isRunAhead(producer.kind) && this.isConstant(input);
  }

  /** The elements as floats; null where the value is no constant, or made by an operator that is not run ahead. */
  floats(id: ValueId): Float32Array | null {
    const known = this.known.get(id);
    if (known !== undefined) return known;
    const floats = this.isConstant(id) ? this.compute(id) : null;
    this.known.set(id, floats);
    return floats;
  }

  /** The elements of a value that cannot be done without. Throws `cannot-run` where they are not there. */
  weights(id: ValueId): Float32Array {
    const floats = this.floats(id);
    this.assertPresent();
    if (floats !== null) return floats;
    const name = this.source.model.values[id]?.name;
    throw new DscAuditError(
      'cannot-run',
      `The weights '${name}' are of a type, or made by an operator, that is not run.`,
    );
  }

  /** Throws `cannot-run` where elements were asked for that the file does not have, and nothing stands in for them. */
  assertPresent(): void {
    if (this.firstAbsent === null) return;
    const what = `The file has no weights for '${this.firstAbsent}': with fillMissing 'random' it runs on made-up ones.`;
    throw new DscAuditError('cannot-run', what);
  }

  numbers(id: ValueId): readonly number[] | null {
    const fact = this.source.facts[id];
    const tracked = fact?.type === 'tensor' ? fact.elements : null;
    const numbers = tracked?.flatMap((element) => (element !== null && isStatic(element) ? [element] : []));
    if (tracked && numbers?.length === tracked.length) return numbers;
    const floats = this.floats(id);
    return floats === null ? null : Array.from(floats);
  }

  private compute(id: ValueId): Float32Array | null {
    const value = this.source.model.values[id];
    if (value?.constant) return this.read(value.name, value.constant);
    const fact = this.source.facts[id];
    if (fact?.type === 'tensor' && isTracked(fact)) return Float32Array.from(fact.elements ?? [], Number);
    const producer = this.producers.get(id);
    return producer ? this.evaluate(producer) : null;
  }

  private read(name: string, constant: Constant): Float32Array | null {
    const bytes = constant.data.read();
    if (bytes === null) return this.fill(name, constant);
    if (constant.dtype === 'float32') return new Float32Array(new Uint8Array(bytes).buffer);
    const elements = readElements(constant);
    return elements === null ? null : Float32Array.from(elements);
  }

  private fill(name: string, constant: Constant): Float32Array | null {
    if (this.fillMissing === null) {
      this.firstAbsent ??= name;
      return null;
    }
    this.missing.add(name);
    return this.fillMissing(name, constant);
  }

  private evaluate(node: Node): Float32Array | null {
    const input = node.inputs[0] ?? null;
    if (input === null) return null;
    const floats = this.floats(input);
    if (floats === null) return null;
    if (SAME_ELEMENTS.has(node.kind)) return floats;
    if (node.kind !== 'transpose') return null;
    const shape = knownShape(this.source, input);
    return shape === null ? null : transpose(floats, shape, node.attrs.permutation);
  }
}

/** Operators that leave the elements and their order as they are. */
const SAME_ELEMENTS: ReadonlySet<Node['kind']> = new Set([
  'reshape',
  'flatten',
  'squeeze',
  'unsqueeze',
  'identity',
  'cast',
]);

const isRunAhead = (kind: Node['kind']): boolean => SAME_ELEMENTS.has(kind) || kind === 'transpose';

const isTracked = ({ elements }: TensorFact): boolean =>
  elements?.every((element) => element !== null && isStatic(element)) ?? false;

function transpose(x: Float32Array, shape: readonly number[], permutation: readonly number[] | null): Float32Array {
  const order = permutation ?? shape.map((_, axis) => shape.length - 1 - axis);
  const strides = stridesOf(shape);
  const extents = order.map((axis) => shape[axis] ?? 1);
  const steps = order.map((axis) => strides[axis] ?? 0);
  const coordinates = extents.map(() => 0);
  const y = new Float32Array(countElements(shape));
  let source = 0;
  for (let target = 0; target < y.length; target++) {
    y[target] = x[source] ?? 0;
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      const next = (coordinates[axis] ?? 0) + 1;
      const extent = extents[axis] ?? 1;
      source += steps[axis] ?? 0;
      coordinates[axis] = next;
      if (next < extent) break;
      coordinates[axis] = 0;
      source -= (steps[axis] ?? 0) * extent;
    }
  }
  return y;
}
