import type { DType } from '../../ir/dtype.ts';
import { DscAuditError } from '../../ir/errors.ts';
import type { Constant, Graph, ValueId } from '../../ir/graph.ts';
import type { OpAttrs, OpKind } from '../../ir/operators.ts';
import { dataType } from './data-type.ts';
import type { AttributeProto, GraphProto } from './proto.ts';

/** An operator of the graph's own, on the node's inputs unless it names others. */
export interface LoweredTo<K extends OpKind> {
  readonly kind: K;
  readonly attrs: OpAttrs[K];
  readonly inputs?: readonly (ValueId | null)[];
}

/** What a node becomes. */
export type Lowered = { [K in OpKind]: LoweredTo<K> }[OpKind];

/** What lowering a node may ask of the graph that is being built. */
export interface LoweringContext {
  /** Adds a constant of integers (int64) or numbers (float32). */
  addConstant(dtype: 'int64' | 'float32', values: readonly number[], shape?: readonly number[]): ValueId;
  /** Reads the body of a control-flow operator; `branch` names it in the scopes of its nodes. */
  readBody(body: GraphProto, branch: string): Graph;
  readTensor(attribute: AttributeProto): Constant | null;
  /** How many channels onnxruntime put into a block. */
  readonly channelBlock: number;
}

/** One node of the file, with its attributes by name and type. Absent attributes take the default that is given. */
export class OnnxNode {
  readonly op: string;
  /** The version of the operator's domain that the model imports. */
  readonly opset: number;
  readonly inputs: readonly (ValueId | null)[];
  readonly outputs: number;
  readonly #label: string;
  readonly #attributes: ReadonlyMap<string, AttributeProto>;
  readonly #context: LoweringContext;

  constructor(
    op: string,
    opset: number,
    label: string,
    inputs: readonly (ValueId | null)[],
    outputs: number,
    attributes: ReadonlyMap<string, AttributeProto>,
    context: LoweringContext,
  ) {
    this.op = op;
    this.opset = opset;
    this.#label = label;
    this.inputs = inputs;
    this.outputs = outputs;
    this.#attributes = attributes;
    this.#context = context;
  }

  get channelBlock(): number {
    return this.#context.channelBlock;
  }

  input(index: number): ValueId | null {
    return this.inputs[index] ?? null;
  }

  has(name: string): boolean {
    return this.#attributes.has(name);
  }

  int(name: string, fallback: number): number {
    return this.optionalInt(name) ?? fallback;
  }

  optionalInt(name: string): number | null {
    const value = this.#attributes.get(name)?.i;
    return value === undefined || value === null ? null : this.#safe(name, Number(value));
  }

  requiredInt(name: string): number {
    const value = this.optionalInt(name);
    if (value === null) throw this.#invalid(`needs the attribute '${name}'`);
    return value;
  }

  /** A count or an extent: a whole number above 0. */
  count(name: string, fallback: number): number {
    return this.optionalCount(name) ?? fallback;
  }

  optionalCount(name: string): number | null {
    const value = this.optionalInt(name);
    if (value !== null && value <= 0) throw this.#invalid(`has ${value} for '${name}'`);
    return value;
  }

  requiredCount(name: string): number {
    this.requiredInt(name);
    return this.count(name, 0);
  }

  flag(name: string, fallback = false): boolean {
    return this.int(name, fallback ? 1 : 0) !== 0;
  }

  ints(name: string): readonly number[] {
    return this.optionalInts(name) ?? [];
  }

  optionalInts(name: string): readonly number[] | null {
    const values = this.#attributes.get(name)?.ints;
    return values ? values.map(Number) : null;
  }

  /** A list whose entries are counts or extents: none negative, none absurd. */
  extents(name: string): readonly number[] {
    return this.optionalExtents(name) ?? [];
  }

  optionalExtents(name: string): readonly number[] | null {
    const values = this.optionalInts(name);
    for (const value of values ?? []) {
      if (value < 0) throw this.#invalid(`has a negative entry in '${name}'`);
      this.#safe(name, value);
    }
    return values;
  }

  /** A list of steps: positive all. */
  positives(name: string): readonly number[] {
    const values = this.extents(name);
    if (values.includes(0)) throw this.#invalid(`has a 0 in '${name}'`);
    return values;
  }

  optionalFloat(name: string): number | null {
    return this.#attributes.get(name)?.f ?? null;
  }

  floats(name: string): readonly number[] | null {
    return this.#attributes.get(name)?.floats ?? null;
  }

  string(name: string, fallback: string): string {
    const bytes = this.#attributes.get(name)?.s;
    return bytes && bytes.length > 0 ? new TextDecoder().decode(bytes) : fallback;
  }

  strings(name: string): number {
    return this.#attributes.get(name)?.strings?.length ?? 0;
  }

  /** The type that an attribute names by its number. */
  dtype(name: string): DType | null {
    return dataType(this.optionalInt(name));
  }

  tensor(name: string): Constant | null {
    const attribute = this.#attributes.get(name);
    return attribute ? this.#context.readTensor(attribute) : null;
  }

  body(name: string): Graph {
    const graph = this.#attributes.get(name)?.g;
    if (!graph) throw this.#invalid(`has no '${name}'`);
    return this.#context.readBody(graph, name);
  }

  /** The input, or where older operator sets spell it as an attribute, that as a constant. */
  inputOrInts(index: number, attribute: string): ValueId | null {
    const given = this.input(index);
    if (given !== null) return given;
    const values = this.optionalInts(attribute);
    return values === null ? null : this.#context.addConstant('int64', values);
  }

  inputOrInt(index: number, attribute: string): ValueId | null {
    const given = this.input(index);
    if (given !== null) return given;
    const value = this.optionalInt(attribute);
    return value === null ? null : this.#context.addConstant('int64', [value], []);
  }

  inputOrFloats(index: number, attribute: string): ValueId | null {
    const given = this.input(index);
    if (given !== null) return given;
    const values = this.floats(attribute);
    return values === null ? null : this.#context.addConstant('float32', values);
  }

  numbers(values: readonly number[]): ValueId {
    return this.#context.addConstant('float32', values);
  }

  /** A scalar constant. */
  number(value: number): ValueId {
    return this.#context.addConstant('float32', [value], []);
  }

  /** The type that an attribute names, or another where it is not set. */
  dtypeOr(name: string, fallback: DType): DType {
    return this.dtype(name) ?? fallback;
  }

  /** The inputs in another order; what is not named follows behind. */
  reorder(...order: readonly (number | null)[]): readonly (ValueId | null)[] {
    const named = new Set(order);
    return [
      ...order.map((index) => (index === null ? null : this.input(index))),
      ...this.inputs.filter((_, index) => !named.has(index)),
    ];
  }

  #safe(name: string, value: number): number {
    if (!Number.isSafeInteger(value)) throw this.#invalid(`has ${value} for '${name}'`);
    return value;
  }

  #invalid(what: string): DscAuditError {
    return new DscAuditError('malformed-model', `node '${this.#label}' (${this.op}) ${what}.`);
  }
}
