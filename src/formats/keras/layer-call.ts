import { DTYPES, type DType, isFloat } from '../../ir/dtype.ts';
import { DscAuditError } from '../../ir/errors.ts';
import type { Shape } from '../../ir/fact.ts';
import type { ValueId } from '../../ir/graph.ts';
import type { Operator } from '../../ir/operators.ts';
import type { DTypePolicy } from './dtype-policy.ts';
import type { Json } from './json.ts';
import type { LayerConfig } from './layer-config.ts';
import type { LayerSpec } from './model-config.ts';

/** What a layer is called with, tensors as values of the graph. */
export type CallArgument =
  | { readonly type: 'tensor'; readonly id: ValueId }
  | { readonly type: 'list'; readonly items: readonly CallArgument[] }
  | { readonly type: 'map'; readonly items: ReadonlyMap<string, CallArgument> }
  | { readonly type: 'value'; readonly value: Json };

export interface CallArguments {
  readonly positional: readonly CallArgument[];
  readonly named: ReadonlyMap<string, CallArgument>;
}

/** How a weight differs from what Keras stores. */
export interface WeightOptions {
  /** Training does not change it (running statistics). */
  readonly frozen?: boolean;
  /** The order of axes that the graph's operator takes it in; then the shape that they come to, where axes are joined. */
  readonly permutation?: readonly number[];
  readonly shape?: readonly number[];
  /** The layer's variable type if left out. */
  readonly dtype?: DType;
}

/** What lowering a call asks of the graph that is being built. */
export interface CallContext {
  /** The models around the layer, its name and its class, as messages name it. */
  readonly what: string;
  readonly policy: DTypePolicy;
  shape(id: ValueId): Shape | null;
  dtype(id: ValueId): DType | null;
  addNode(operator: Operator, inputs: readonly (ValueId | null)[], results: number): readonly ValueId[];
  /** An operator that nobody knows, whose result has the input's type and shape. */
  addUnknown(like: ValueId): ValueId;
  addLiteral(dtype: DType, values: readonly number[], shape: readonly number[]): ValueId;
  addFilled(dtype: DType, value: number, count: number): ValueId;
  /** The shape of a weight where the file holds it; null where it does not. */
  storedShape(name: string): readonly number[] | null;
  addWeight(name: string, stored: readonly number[], options: WeightOptions): ValueId;
  /** Lowers a layer of this one's config, whose weights Keras keeps under `path`. */
  callInner(inner: LayerSpec, path: string, args: CallArguments): readonly ValueId[];
  /** The same layer's call, for a row that lowers it by itself. */
  innerCall(inner: LayerSpec, path: string, args: CallArguments): LayerCall;
}

/** An extent of a reshape: a number as {@link LayerCall.reshape} has it, or that of a tensor's axis. */
export type Extent = number | { readonly of: ValueId; readonly axis: number };

/** Not enough is known of an input to lower the layer: it becomes an operator that nobody knows. */
export class UnknownInput extends Error {}

/** One call of one layer: its config, what it reads, and the means to build what it becomes. */
export class LayerCall {
  readonly className: string;
  readonly config: LayerConfig;
  readonly arguments: CallArguments;
  /** Every tensor among the positional arguments, in order. */
  readonly inputs: readonly ValueId[];
  readonly #context: CallContext;

  constructor(className: string, config: LayerConfig, args: CallArguments, context: CallContext) {
    this.className = className;
    this.config = config;
    this.arguments = args;
    this.inputs = args.positional.flatMap(tensorsIn);
    this.#context = context;
  }

  get policy(): DTypePolicy {
    return this.#context.policy;
  }

  /** The first tensor. */
  get input(): ValueId {
    return this.at(0);
  }

  /** The tensor at a position. Throws where the call has fewer. */
  at(index: number): ValueId {
    const id = this.inputs[index];
    if (id === undefined) throw this.invalid(`is called on ${this.inputs.length} tensors, and needs ${index + 1}`);
    return id;
  }

  /** An argument at a position as a tensor: a number becomes a literal. */
  operand(index: number): ValueId {
    const given = this.arguments.positional[index];
    if (given?.type === 'tensor') return given.id;
    if (given?.type === 'value' && typeof given.value === 'number') return this.number(given.value, this.inputs[0]);
    throw this.invalid(`has no tensor or number as argument ${index}`);
  }

  /** A tensor that is handed in by name; null where there is none. */
  named(name: string): ValueId | null {
    const given = this.arguments.named.get(name);
    return given?.type === 'tensor' ? given.id : null;
  }

  /** The same call with plain values put in among its arguments, each at its position. */
  withConstants(constants: ReadonlyMap<number, Json>): LayerCall {
    const tensors = this.arguments.positional.flatMap((argument) =>
      argument.type === 'list' ? argument.items : [argument],
    );
    const positional = Array.from({ length: tensors.length + constants.size }, (_, position): CallArgument[] => {
      const value = constants.get(position);
      return value === undefined ? tensors.splice(0, 1) : [{ type: 'value', value }];
    }).flat();
    return new LayerCall(this.className, this.config, { positional, named: this.arguments.named }, this.#context);
  }

  /** The shape of a tensor, open dimensions as symbols. */
  shape(id: ValueId): Shape {
    const shape = this.#context.shape(id);
    if (shape === null) throw new UnknownInput('the shape of its input is not known');
    return shape;
  }

  rank(id: ValueId): number {
    return this.shape(id).length;
  }

  dtype(id: ValueId): DType | null {
    return this.#context.dtype(id);
  }

  /** An extent that weights are made by, counted from the end where negative. Throws where it is open. */
  extent(id: ValueId, axis: number): number {
    const extent = this.shape(id).at(axis);
    if (extent === undefined) {
      throw this.invalid(`is called on a tensor of ${this.rank(id)} axes, too few for it`);
    }
    if (typeof extent !== 'number') {
      throw this.invalid(`needs a fixed extent on axis ${axis} of its input, which is open (None)`);
    }
    return extent;
  }

  /** A weight under the name that Keras has for it, with the shape that Keras stores. Called again it is the same one. */
  weight(name: string, stored: readonly number[], options: WeightOptions = {}): ValueId {
    return this.#context.addWeight(name, stored, options);
  }

  /** The shape of a weight where the file holds it, for what a config leaves out; null where it does not. */
  storedShape(name: string): readonly number[] | null {
    return this.#context.storedShape(name);
  }

  /** Adds an operator of the graph's own; its only result. */
  node(operator: Operator, ...inputs: readonly (ValueId | null)[]): ValueId {
    const [result] = this.#context.addNode(operator, inputs, 1);
    if (result === undefined) throw new Error(`${operator.kind} has no result.`);
    return result;
  }

  /** Adds an operator of several results. */
  nodes(operator: Operator, inputs: readonly (ValueId | null)[], results: number): readonly ValueId[] {
    return this.#context.addNode(operator, inputs, results);
  }

  /** A list of whole numbers, or with the shape `[]` one of them. */
  integers(values: readonly number[], shape: readonly number[] = [values.length]): ValueId {
    return this.#context.addLiteral('int64', values, shape);
  }

  /** Numbers in a type: the layer's compute type if left out. */
  numbers(values: readonly number[], shape: readonly number[] = [values.length], dtype?: DType): ValueId {
    return this.#context.addLiteral(dtype ?? this.policy.compute, values, shape);
  }

  /** So many times the same number, in the layer's variable type: made when it is read. */
  filled(value: number, count: number): ValueId {
    return this.#context.addFilled(this.policy.variable, value, count);
  }

  /** A single number that arithmetic on `like` can take. */
  number(value: number, like?: ValueId): ValueId {
    const dtype = like === undefined ? null : this.dtype(like);
    return this.numbers([value], [], dtype !== null && DTYPES[dtype].bits > 0 ? dtype : undefined);
  }

  /** The same elements in another shape: 0 keeps an axis as it is, -1 is what is left over. */
  reshape(x: ValueId, shape: readonly number[]): ValueId {
    return this.node({ kind: 'reshape', attrs: { zeroCopies: true } }, x, this.integers(shape));
  }

  /** The same elements in a shape of numbers and of other tensors' extents, which may be open. */
  reshapeTo(x: ValueId, extents: readonly Extent[]): ValueId {
    const parts = extents.map((extent) => {
      if (typeof extent === 'number') return this.integers([extent]);
      const { of, axis } = extent;
      return this.node({ kind: 'shape', attrs: { start: axis, end: axis + 1 } }, of);
    });
    const shape = this.node({ kind: 'concat', attrs: { axis: 0, operands: null } }, ...parts);
    return this.node({ kind: 'reshape', attrs: { zeroCopies: false } }, x, shape);
  }

  /** The elements of `x` in the shape of another tensor of as many. */
  reshapeLike(x: ValueId, like: ValueId): ValueId {
    const shape = this.node({ kind: 'shape', attrs: { start: 0, end: null } }, like);
    return this.node({ kind: 'reshape', attrs: { zeroCopies: false } }, x, shape);
  }

  transpose(x: ValueId, permutation: readonly number[]): ValueId {
    return this.node({ kind: 'transpose', attrs: { permutation } }, x);
  }

  /** An element for each of `x`, by an operator that nobody knows. */
  unknownLike(x: ValueId): ValueId {
    return this.#context.addUnknown(x);
  }

  /** Lowers a layer that this one wraps, within this one. `path`: where Keras keeps it, as `forward_layer`. */
  inner(spec: LayerSpec, path: string, inputs: readonly ValueId[]): readonly ValueId[] {
    return this.#context.callInner(spec, path, {
      positional: inputs.map((id) => ({ type: 'tensor', id })),
      named: new Map(),
    });
  }

  /** A layer of this one's config, to be lowered by whoever asks. */
  innerCall(spec: LayerSpec, path: string, inputs: readonly ValueId[]): LayerCall {
    return this.#context.innerCall(spec, path, {
      positional: inputs.map((id) => ({ type: 'tensor', id })),
      named: new Map(),
    });
  }

  /** All tensors that are handed in by name: one, or a list of them. */
  allNamed(name: string): readonly ValueId[] {
    const given = this.arguments.named.get(name);
    return given === undefined ? [] : tensorsIn(given);
  }

  /** Whether a flag is handed in by name. */
  isSet(name: string): boolean {
    const given = this.arguments.named.get(name);
    return given?.type === 'value' && given.value === true;
  }

  /** `float32` and the like: what is not cast to the compute type before the layer sees it. */
  isFloat(id: ValueId): boolean {
    const dtype = this.dtype(id);
    return dtype !== null && isFloat(dtype);
  }

  /** An error of the file that names the layer. */
  invalid(what: string): DscAuditError {
    return new DscAuditError('malformed-model', `${this.#context.what} ${what}.`);
  }
}

/** Every tensor of an argument, in order. */
export function tensorsIn(argument: CallArgument): readonly ValueId[] {
  switch (argument.type) {
    case 'tensor':
      return [argument.id];
    case 'list':
      return argument.items.flatMap(tensorsIn);
    case 'map':
      return [...argument.items.values()].flatMap(tensorsIn);
    case 'value':
      return [];
  }
}
