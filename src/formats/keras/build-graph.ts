import { type Diagnostic, diagnostic } from '../../ir/diagnostic.ts';
import { type Dim, symbolicDim } from '../../ir/dim.ts';
import { byteSize, DTYPES, type DType, isFloat } from '../../ir/dtype.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { countElements } from '../../ir/extents.ts';
import { MAX_RANK, type Shape, tensorFact } from '../../ir/fact.ts';
import type { Constant, FileLayer, Graph, Node, Value, ValueId } from '../../ir/graph.ts';
import type { Operator } from '../../ir/operators.ts';
import { FREE_EXPANSION, MAX_NESTING } from '../limits.ts';
import { type Limits, limitMet } from '../raisable-limits.ts';
import { type DTypePolicy, dtypePolicy } from './dtype-policy.ts';
import { FactTable } from './infer-facts.ts';
import { type JsonObject, member } from './json.ts';
import {
  type CallArgument,
  type CallArguments,
  type CallContext,
  LayerCall,
  tensorsIn,
  UnknownInput,
  type WeightOptions,
} from './layer-call.ts';
import { LayerConfig } from './layer-config.ts';
import { rowOf } from './layers/index.ts';
import { filledLiteral, literal } from './literal.ts';
import { type Argument, type LayerSpec, type ModelSpec, shown, type TensorReference } from './model-config.ts';
import { type CallPlan, orderCalls, type PlannedCall } from './order-calls.ts';
import { permuted, type StoredWeight, type WeightStore } from './weights.ts';

/** The dimension that every input of a Keras model has in common, under the name that the user binds it by. */
const BATCH = symbolicDim('batch');

/** The class of a model's inputs. */
const INPUT_LAYER = 'InputLayer';

/** One layer of the file while its calls are lowered: they share its weights. */
interface LayerInstance {
  readonly spec: LayerSpec;
  /** The models around it. */
  readonly scope: readonly string[];
  /** Neither it nor a model around it is frozen. */
  readonly trainable: boolean;
  readonly weights: Map<string, ValueId>;
  readonly stored: Map<string, StoredWeight | null>;
  readonly layer: MutableFileLayer;
}

interface MutableFileLayer extends FileLayer {
  calls: number;
  readonly weights: ValueId[];
  readonly outputs: ValueId[];
}

/** The models around what is being lowered. */
interface Surroundings {
  readonly scope: readonly string[];
  readonly trainable: boolean;
}

/** Builds the graph's own nodes and values from a model's layers: each call of a layer becomes one node or more. */
export class GraphBuilder {
  readonly values: Value[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly #nodes: Node[] = [];
  readonly #constants: ValueId[] = [];
  readonly #facts = new FactTable();
  readonly #instances = new Map<LayerSpec, LayerInstance>();
  readonly #plans = new Map<ModelSpec, CallPlan>();
  readonly #wrapped = new Map<JsonObject, ModelSpec>();
  readonly #store: WeightStore;
  readonly #limits: Limits;
  readonly #budget: number;
  #spent = 0;

  /** `layers`: how many the file holds. What is built stays in proportion to that (CWE-776, "billion laughs"). */
  constructor(store: WeightStore, layers: number, limits: Limits) {
    this.#limits = limits;
    this.#store = store;
    this.#budget = FREE_EXPANSION + limits.expansion * layers;
  }

  build(model: ModelSpec): Graph {
    const inputs: ValueId[] = [];
    const outputs = this.#callModel(model, { scope: [], trainable: true }, (spec, declared) => {
      if (declared === null) {
        throw malformed(
          `model '${shown(model.name)}' was never built, so its weights have no shapes: call its build(input_shape), or begin it with an Input, and save it again`,
        );
      }
      const id = this.#addInput(spec, declared);
      inputs.push(id);
      return id;
    });
    return { name: model.name, inputs, outputs, nodes: this.#nodes, constants: this.#constants };
  }

  /** Lowers a model's layers in order. `feed` gives the values that stand for its inputs, one after the other. */
  #callModel(
    model: ModelSpec,
    around: Surroundings,
    feed: (spec: LayerSpec, shape: readonly (number | null)[] | null) => ValueId,
  ): readonly ValueId[] {
    if (around.scope.length > MAX_NESTING) {
      throw new DscAuditError('limit-exceeded', `models are nested more than ${MAX_NESTING} deep.`);
    }
    const inside = { scope: around.scope, trainable: around.trainable && model.trainable };
    const plan = this.#planOf(model);
    this.#spend(plan.calls.length);
    const results = new Map<string, readonly ValueId[]>();
    const resolve = (argument: Argument): CallArgument => {
      if (argument.type === 'list') return { type: 'list', items: argument.items.map(resolve) };
      if (argument.type === 'map') {
        return { type: 'map', items: new Map(Array.from(argument.items, ([key, item]) => [key, resolve(item)])) };
      }
      if (argument.type === 'value') return argument;
      return { type: 'tensor', id: this.#result(results, argument) };
    };
    for (const planned of plan.calls) {
      const { spec, key, call } = planned;
      if (planned.isInput) {
        results.set(key, [feed(spec, planned.inputShape)]);
        continue;
      }
      const args = {
        positional: call.positional.map(resolve),
        named: new Map(Array.from(call.named, ([name, value]) => [name, resolve(value)])),
      };
      results.set(key, this.#callLayer(planned, args, inside));
    }
    return plan.outputs.map((reference) => this.#result(results, reference));
  }

  /** A model that is called again has its layers in the same order. */
  #planOf(model: ModelSpec): CallPlan {
    const known = this.#plans.get(model);
    const plan = known ?? orderCalls(model);
    if (!known) this.#plans.set(model, plan);
    return plan;
  }

  #result(results: ReadonlyMap<string, readonly ValueId[]>, { layer, call, output }: TensorReference): ValueId {
    const id = results.get(`${layer}\0${call}`)?.[output];
    if (id === undefined) {
      throw malformed(`output ${output} of call ${call} of layer '${shown(layer)}' is read, and there is none`);
    }
    return id;
  }

  #addInput(spec: LayerSpec, declared: readonly (number | null)[]): ValueId {
    const shape = this.#openShape(spec.name, declared);
    const dtype =
      dtypePolicy(spec.className === INPUT_LAYER ? member(spec.config, 'dtype') : 'float32')?.compute ?? null;
    const id = this.#addValue({
      name: spec.name,
      constant: null,
      declared: { dtype, shape, isSequence: false },
    });
    this.#facts.set(id, tensorFact(dtype, shape));
    return id;
  }

  /** Open extents are symbols: the first is the batch, the others are called by their tensor and axis. */
  #openShape(name: string, shape: readonly (number | null)[]): Shape {
    if (shape.length > MAX_RANK) {
      throw new DscAuditError('limit-exceeded', `tensor '${shown(name)}' has more than ${MAX_RANK} axes.`);
    }
    return shape.map((extent, axis): Dim => extent ?? (axis === 0 ? BATCH : symbolicDim(`${name}:${axis}`)));
  }

  #callLayer(planned: PlannedCall, args: CallArguments, around: Surroundings): readonly ValueId[] {
    const { spec } = planned;
    const what = describe(spec, around.scope);
    const trainable = around.trainable && member(spec.config, 'trainable') !== false;
    if (spec.model) {
      return this.#callNested(spec.model, what, args, { scope: [...around.scope, spec.name], trainable });
    }
    const instance = this.#instanceOf(spec, around.scope, trainable);
    instance.layer.calls++;
    const builtBefore = this.#nodes.length;
    const outputs = this.#lower(instance, what, args, planned);
    instance.layer.outputs.push(...outputs);
    this.#nameOutputs(instance, outputs, builtBefore);
    return outputs;
  }

  #callNested(model: ModelSpec, what: string, args: CallArguments, around: Surroundings): readonly ValueId[] {
    const given = [...args.positional, ...args.named.values()].flatMap(tensorsIn);
    let next = 0;
    return this.#callModel(model, around, () => {
      const id = given[next++];
      if (id === undefined) throw malformed(`${what} is called on ${given.length} tensors, and takes more`);
      return id;
    });
  }

  #instanceOf(spec: LayerSpec, scope: readonly string[], trainable: boolean): LayerInstance {
    const known = this.#instances.get(spec);
    if (known) return known;
    const layer = { calls: 0, weights: [], outputs: [] };
    const instance = {
      spec,
      scope,
      trainable,
      weights: new Map<string, ValueId>(),
      stored: new Map<string, StoredWeight | null>(),
      layer,
    };
    this.#instances.set(spec, instance);
    return instance;
  }

  /** What the layer's row makes of it; an operator that nobody knows where there is no row, or the row knows too little. */
  #lower(instance: LayerInstance, what: string, args: CallArguments, planned: PlannedCall): readonly ValueId[] {
    const { spec } = instance;
    const row = rowOf(spec);
    if (row === undefined) return this.#lowerUnknown(instance, args, planned);
    const before = this.#nodes.length;
    try {
      const results = row(this.#layerCall(instance, spec, what, '', args));
      return this.#ownResults(instance, typeof results === 'number' ? [results] : results, before);
    } catch (error) {
      if (!(error instanceof UnknownInput)) throw error;
      this.#nodes.length = before;
      this.diagnostics.push(
        diagnostic('shape-unknown', 'warning', spec.name, { op: spec.className, reason: error.message }),
      );
      return this.#lowerUnknown(instance, args, planned);
    }
  }

  /** Every layer is there in the graph, also one that hands on what it is given. */
  #ownResults(instance: LayerInstance, results: readonly ValueId[], before: number): readonly ValueId[] {
    const made = new Set(this.#nodes.slice(before).flatMap(({ outputs }) => outputs));
    return results.map((id) => {
      if (made.has(id)) return id;
      const [copy = id] = this.#addNode(instance, { kind: 'identity', attrs: {} }, [id], 1);
      return copy;
    });
  }

  /** Its weights count where the file holds them: nothing else is known of it. */
  #lowerUnknown(instance: LayerInstance, args: CallArguments, planned: PlannedCall): readonly ValueId[] {
    if (instance.layer.weights.length === 0) {
      const origin = instance.trainable ? 'trainable' : 'non-trainable';
      this.#store.heldBy([...instance.scope, instance.spec.name]).forEach(({ dtype, shape, data }, index) => {
        this.#keepWeight(instance, String(index), { dtype, shape, data, origin });
      });
    }
    const inputs = [...args.positional, ...args.named.values()].flatMap(tensorsIn);
    const results = this.#addNode(instance, { kind: 'unknown', attrs: {} }, inputs, planned.outputShapes.length);
    const { name } = instance.spec;
    const dtype = this.#facts.tensor(inputs[0]).dtype;
    results.forEach((id, index) => {
      const told = planned.outputShapes[index] ?? null;
      this.#declare(id, dtype, told && this.#openShape(name, told));
    });
    return results;
  }

  #layerCall(instance: LayerInstance, spec: LayerSpec, what: string, path: string, args: CallArguments): LayerCall {
    const policy = this.#policyOf(spec, what);
    const isFrozen = member(spec.config, 'trainable') === false;
    const context: CallContext = {
      what,
      policy,
      shape: (id) => this.#facts.tensor(id).shape,
      dtype: (id) => this.#facts.tensor(id).dtype,
      addNode: (operator, inputs, results) => this.#addNode(instance, operator, inputs, results),
      addUnknown: (like) => this.#addUnknown(instance, like),
      addLiteral: (dtype, values, shape) => this.#addLiteral(dtype, values, shape),
      addFilled: (dtype, value, count) => this.#addFilled(dtype, value, count),
      storedShape: (name) => this.#stored(instance, `${path}${name}`)?.shape ?? null,
      addWeight: (name, stored, options) =>
        this.#addWeight(
          instance,
          `${path}${name}`,
          stored,
          { dtype: policy.variable, ...options, frozen: options.frozen || isFrozen },
          what,
        ),
      innerCall: (inner, innerPath, innerArgs) =>
        this.#layerCall(instance, inner, `${what}: ${describe(inner, [])}`, `${path}${innerPath}/`, innerArgs),
      callInner: (inner, innerPath, innerArgs) => {
        if (inner.model) return this.#callWrapped(instance, inner, inner.model, innerArgs);
        const row = rowOf(inner);
        if (row === undefined) throw new UnknownInput(`${inner.className} is unknown`);
        const results = row(context.innerCall(inner, innerPath, innerArgs));
        return typeof results === 'number' ? [results] : results;
      },
    };
    const cast = (argument: CallArgument) => this.#castTo(instance, argument, policy.compute);
    const casted = {
      positional: args.positional.map(cast),
      named: new Map(Array.from(args.named, ([name, value]) => [name, cast(value)])),
    };
    return new LayerCall(spec.className, new LayerConfig(what, spec.config), casted, context);
  }

  /** A model that a layer wraps: its layers are layers of the report, within the wrapper. */
  #callWrapped(
    { spec, scope, trainable }: LayerInstance,
    inner: LayerSpec,
    model: ModelSpec,
    args: CallArguments,
  ): readonly ValueId[] {
    // Read anew at each call of the wrapper, and yet the same layers.
    const known = this.#wrapped.get(inner.config) ?? model;
    this.#wrapped.set(inner.config, known);
    const inside = [...scope, spec.name, inner.name];
    return this.#callNested(known, describe(inner, scope), args, { scope: inside, trainable });
  }

  #policyOf(spec: LayerSpec, what: string): DTypePolicy {
    const policy = dtypePolicy(member(spec.config, 'dtype') ?? undefined);
    if (policy === null) throw malformed(`${what}: 'dtype' names no known type`);
    return policy;
  }

  /** Keras casts floating-point inputs to what the layer computes in. */
  #castTo(instance: LayerInstance, argument: CallArgument, dtype: DType): CallArgument {
    if (argument.type === 'list') {
      return { type: 'list', items: argument.items.map((item) => this.#castTo(instance, item, dtype)) };
    }
    if (argument.type === 'map') {
      const items = Array.from(argument.items, ([key, item]) => [key, this.#castTo(instance, item, dtype)] as const);
      return { type: 'map', items: new Map(items) };
    }
    if (argument.type === 'value') return argument;
    const is = this.#facts.tensor(argument.id).dtype;
    if (is === null || is === dtype || !isFloat(is) || !isFloat(dtype)) return argument;
    const [id = argument.id] = this.#addNode(instance, { kind: 'cast', attrs: { to: dtype } }, [argument.id], 1);
    return { type: 'tensor', id };
  }

  #addNode(
    { spec, scope, layer }: LayerInstance,
    operator: Operator,
    inputs: readonly (ValueId | null)[],
    results: number,
  ): readonly ValueId[] {
    this.#spend(1 + results);
    const outputs = Array.from({ length: results }, () =>
      this.#addValue({ name: `${spec.name}/${operator.kind}`, constant: null, declared: null }),
    );
    const node: Node = { ...operator, op: opName(spec), name: spec.name, scope, inputs, outputs, layer };
    this.#nodes.push(node);
    this.#facts.infer(node, describe(spec, scope));
    return outputs;
  }

  #addUnknown(instance: LayerInstance, like: ValueId): ValueId {
    const [id = like] = this.#addNode(instance, { kind: 'unknown', attrs: {} }, [like], 1);
    const { dtype, shape } = this.#facts.tensor(like);
    this.#declare(id, dtype, shape);
    return id;
  }

  /** What is said of a value that no rule tells of. */
  #declare(id: ValueId, dtype: DType | null, shape: Shape | null): void {
    const value = this.values[id];
    if (value) this.values[id] = { ...value, declared: { dtype, shape, isSequence: false } };
    this.#facts.set(id, tensorFact(dtype, shape));
  }

  #addFilled(dtype: DType, value: number, count: number): ValueId {
    this.#spend(1);
    const id = this.#addValue({ name: '', constant: filledLiteral(dtype, value, count), declared: null });
    this.#facts.set(id, { ...tensorFact(dtype, [count]), constant: true });
    return id;
  }

  #addLiteral(dtype: DType, values: readonly number[], shape: readonly number[]): ValueId {
    this.#spend(1);
    const constant = literal(dtype, values, shape);
    const id = this.#addValue({ name: '', constant, declared: null });
    this.#facts.set(id, { ...tensorFact(constant.dtype, shape), elements: values, constant: true });
    return id;
  }

  /** Asked once for each weight: stores tell some of them apart by order. */
  #stored(instance: LayerInstance, name: string): StoredWeight | null {
    const known = instance.stored.get(name);
    if (known !== undefined) return known;
    const found = this.#store.find({ path: [...instance.scope, instance.spec.name], name });
    instance.stored.set(name, found);
    return found;
  }

  #addWeight(
    instance: LayerInstance,
    name: string,
    stored: readonly number[],
    options: WeightOptions & { readonly dtype: DType },
    what: string,
  ): ValueId {
    const known = instance.weights.get(name);
    if (known !== undefined) return known;
    const found = this.#stored(instance, name);
    if (
      found &&
      (found.shape.length !== stored.length || found.shape.some((extent, axis) => extent !== stored[axis]))
    ) {
      throw malformed(
        `${what}: the file's '${name}' has the shape [${found.shape.join(', ')}], where the config makes [${stored.join(', ')}]`,
      );
    }
    const dtype = found?.dtype ?? options.dtype;
    const elements = countElements(stored);
    if (!Number.isSafeInteger(elements)) throw malformed(`${what}: '${name}' would have more than 2^53 elements`);
    const data = found?.data ?? { byteLength: byteSize(dtype, elements), read: () => null };
    const { permutation } = options;
    const shape = options.shape ?? (permutation ? permutation.map((axis) => stored[axis] ?? 1) : stored);
    return this.#keepWeight(instance, name, {
      dtype,
      shape,
      origin: instance.trainable && !options.frozen ? 'trainable' : 'non-trainable',
      data: permutation ? permuted(data, stored, permutation, DTYPES[dtype].bits / 8) : data,
    });
  }

  #keepWeight(instance: LayerInstance, name: string, constant: Constant): ValueId {
    this.#spend(1);
    const path = [...instance.scope, instance.spec.name, name].join('/');
    const id = this.#addValue({ name: path, constant, declared: null });
    this.#facts.set(id, { ...tensorFact(constant.dtype, constant.shape), constant: true });
    this.#constants.push(id);
    instance.weights.set(name, id);
    instance.layer.weights.push(id);
    return id;
  }

  #addValue(value: Value): ValueId {
    return this.values.push(value) - 1;
  }

  /** Outputs are called after their layer, with the number of the call from the second on, as Keras names tensors. */
  #nameOutputs({ spec, scope, layer }: LayerInstance, outputs: readonly ValueId[], builtBefore: number): void {
    const made = new Set(this.#nodes.slice(builtBefore).flatMap((node) => node.outputs));
    const base = [...scope, spec.name].join('/') + (layer.calls > 1 ? `_${layer.calls - 1}` : '');
    outputs.forEach((id, index) => {
      const value = this.values[id];
      if (value && made.has(id)) this.values[id] = { ...value, name: index === 0 ? base : `${base}:${index}` };
    });
  }

  #spend(units: number): void {
    this.#spent += units;
    if (this.#spent > this.#budget) {
      const what = `nested models make more than ${this.#limits.expansion} times of the file`;
      throw limitMet('expansion', this.#limits, what);
    }
  }
}

/** An unknown layer is called by the name that it is registered under. */
function opName(spec: LayerSpec): string {
  return rowOf(spec) === undefined ? (spec.registeredName ?? spec.className) : spec.className;
}

/** A layer as messages name it. */
function describe({ name, className }: LayerSpec, scope: readonly string[]): string {
  return `layer '${shown([...scope, name].join('/'))}' (${shown(className)})`;
}

function malformed(what: string): DscAuditError {
  return new DscAuditError('malformed-model', `${what}.`);
}
