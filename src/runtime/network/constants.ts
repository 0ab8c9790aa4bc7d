/** The constant values of a model: stored ones, and those that operators make from them. */

import { isStatic } from '../../ir/dim.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { countElements } from '../../ir/extents.ts';
import type { TensorFact } from '../../ir/fact.ts';
import type { Constant, Node, ValueId } from '../../ir/graph.ts';
import { type AnalysedModel, knownShape } from './analysed-model.ts';
import { type ConstantTensor, evaluateConstant, isEvaluated } from './evaluate-constant.ts';
import { floatsIn } from './stored-floats.ts';

/** Elements for a constant whose bytes the file does not have. */
export type FillMissing = (name: string, constant: Constant) => Float32Array;

/** Elements that are read and made, over all constants that others make: a node that would go beyond is computed in every run. */
const MAX_EVALUATED_ELEMENTS = 2 ** 27;

export class ConstantValues {
  private readonly source: AnalysedModel;
  private readonly fillMissing: FillMissing | null;
  /** By value, the position of the node that makes a constant of others. */
  private readonly makers = new Map<ValueId, number>();
  private readonly known = new Map<ValueId, Float32Array | null>();
  /** Names of constants that were filled in. */
  readonly missing = new Set<string>();
  private firstAbsent: string | null = null;

  constructor(source: AnalysedModel, fillMissing: FillMissing | null) {
    this.source = source;
    this.fillMissing = fillMissing;
    let evaluated = 0;
    for (const [position, node] of source.nodes.entries()) {
      if (!this.isMadeOfConstants(node)) continue;
      const elements = this.elementsOf(node);
      if (evaluated + elements > MAX_EVALUATED_ELEMENTS) continue;
      evaluated += elements;
      for (const id of node.outputs) if (id !== null) this.makers.set(id, position);
    }
  }

  private isMadeOfConstants(node: Node): boolean {
    const isEach = (ids: Node['inputs'], holds: (id: ValueId) => boolean): boolean =>
      ids.every((id) => id === null || holds(id));
    const hasShape = (id: ValueId): boolean =>
      this.factOf(id)?.constant === true && knownShape(this.source, id) !== null;
    return isEvaluated(node) && isEach(node.outputs, hasShape) && isEach(node.inputs, (id) => this.isConstant(id));
  }

  private elementsOf({ inputs, outputs }: Node): number {
    const shapes = [...inputs, ...outputs].map((id) => (id === null ? [0] : (knownShape(this.source, id) ?? [0])));
    return shapes.reduce((sum, shape) => sum + countElements(shape), 0);
  }

  private factOf(id: ValueId): TensorFact | null {
    const fact = this.source.facts[id];
    return fact?.type === 'tensor' ? fact : null;
  }

  /** Whether the elements are there before anything is run; what other operators make of constants is computed in a run. */
  isConstant(id: ValueId): boolean {
    const fact = this.factOf(id);
    if (fact === null || !fact.constant) return false;
    return Boolean(this.source.model.values[id]?.constant) || isTracked(fact) || this.makers.has(id);
  }

  /** The elements as floats; null where the value is no constant, or made by an operator that is not run ahead. */
  floats(id: ValueId): Float32Array | null {
    const known = this.known.get(id);
    if (known !== undefined) return known;
    if (!this.isConstant(id)) return null;
    for (const position of this.stepsTo(id)) this.evaluate(position);
    const floats = this.known.get(id) ?? this.stored(id);
    this.known.set(id, floats);
    return floats;
  }

  /** Positions of the nodes that make the value and are not evaluated yet, each behind what it needs. */
  private stepsTo(id: ValueId): readonly number[] {
    const steps = new Set<number>();
    const open = [id];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const position = this.known.has(next) || this.isStored(next) ? undefined : this.makers.get(next);
      if (position === undefined || steps.has(position)) continue;
      steps.add(position);
      for (const input of this.source.nodes[position]?.inputs ?? []) if (input !== null) open.push(input);
    }
    return [...steps].sort((a, b) => a - b);
  }

  private isStored(id: ValueId): boolean {
    const fact = this.factOf(id);
    return Boolean(this.source.model.values[id]?.constant) || (fact !== null && isTracked(fact));
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

  /** What the file holds, or shape inference found out. */
  private stored(id: ValueId): Float32Array | null {
    const value = this.source.model.values[id];
    if (value?.constant) return this.read(value.name, value.constant);
    const fact = this.factOf(id);
    return fact !== null && isTracked(fact) ? Float32Array.from(fact.elements ?? [], Number) : null;
  }

  private read(name: string, constant: Constant): Float32Array | null {
    const bytes = constant.data.read();
    return bytes === null ? this.fill(name, constant) : floatsIn(constant, bytes);
  }

  private fill(name: string, constant: Constant): Float32Array | null {
    if (this.fillMissing === null) {
      this.firstAbsent ??= name;
      return null;
    }
    this.missing.add(name);
    return this.fillMissing(name, constant);
  }

  private evaluate(position: number): void {
    const node = this.source.nodes[position];
    if (node === undefined) return;
    const inputs = node.inputs.map((id) => (id === null ? null : this.tensor(id)));
    const isWhole = node.inputs.every((id, index) => id === null || inputs[index] !== null);
    const shapes = node.outputs.map((id) => (id === null ? [] : (knownShape(this.source, id) ?? [])));
    for (const [index, id] of node.outputs.entries()) {
      if (id === null || this.known.has(id)) continue;
      const evaluation = { inputs, shapes, position: index, dtype: this.factOf(id)?.dtype ?? null };
      this.known.set(id, isWhole ? evaluateConstant(node, evaluation) : null);
    }
  }

  /** An input of a node that is evaluated: what makes it has been, before. */
  private tensor(id: ValueId): ConstantTensor | null {
    const elements = this.known.get(id) ?? this.stored(id);
    const shape = knownShape(this.source, id);
    if (elements !== null) this.known.set(id, elements);
    return elements === null || shape === null ? null : { shape, elements };
  }
}

const isTracked = ({ elements }: TensorFact): boolean =>
  elements?.every((element) => element !== null && isStatic(element)) ?? false;
