import { DscAuditError } from '../../ir/errors.ts';
import { MAX_NAME_LENGTH } from '../limits.ts';
import { describeJson, isList, isObject, type Json, type JsonObject, member, textOf } from './json.ts';

/** A tensor of a model's graph: which result of which call of which layer. */
export interface TensorReference {
  readonly type: 'tensor';
  readonly layer: string;
  readonly call: number;
  readonly output: number;
  /** The shape that Keras 3 writes beside it. */
  readonly shape: readonly (number | null)[] | null;
}

/** What a layer is called with. */
export type Argument =
  | TensorReference
  | { readonly type: 'list'; readonly items: readonly Argument[] }
  | { readonly type: 'map'; readonly items: ReadonlyMap<string, Argument> }
  | { readonly type: 'value'; readonly value: Json };

export interface CallConfig {
  readonly positional: readonly Argument[];
  readonly named: ReadonlyMap<string, Argument>;
}

/** A layer as the file has it, whatever version of Keras wrote it. */
export interface LayerSpec {
  readonly className: string;
  /** Where Keras finds the class: `keras.layers`, `keras.src.ops.numpy`; null where the file does not tell. */
  readonly module: string | null;
  /** `my_package>MyLayer`, where the file tells. */
  readonly registeredName: string | null;
  readonly name: string;
  readonly config: JsonObject;
  /** Shape of the input, or of several, that it was built with; null where the file does not tell. */
  readonly buildConfig: JsonObject | null;
  /** Its calls are written as Keras 3 writes them. */
  readonly isKeras3: boolean;
  /** Empty in a Sequential model: each layer is called on what the one before it gives. */
  readonly calls: readonly CallConfig[];
  /** The model that it is; null for a plain layer. */
  readonly model: ModelSpec | null;
}

export interface ModelSpec {
  readonly type: 'functional' | 'sequential';
  readonly name: string;
  readonly trainable: boolean;
  readonly layers: readonly LayerSpec[];
  /** Null for a Sequential model: what its first layer takes, and its last one gives. */
  readonly inputs: readonly TensorReference[] | null;
  readonly outputs: readonly TensorReference[] | null;
}

/** Reads `{class_name, config}` as a model. Throws `not-a-model` where it is none of Keras's own kinds. */
export function readModelConfig(root: Json): ModelSpec {
  const className = textOf(member(root, 'class_name'));
  const config = member(root, 'config');
  if (className === null || config === undefined) {
    throw new DscAuditError('not-a-model', "is JSON, but no Keras model: it has no 'class_name' and 'config'.");
  }
  const model = modelSpec(className, config);
  if (model === null) {
    throw new DscAuditError(
      'not-a-model',
      `is a Keras model of the class '${shown(className)}', which holds no graph: build the same layers as a Sequential or Functional model, or export it to ONNX.`,
    );
  }
  return model;
}

/** Null for what is a plain layer. Before Keras 2.2.3 a Sequential model's config was the list of its layers. */
function modelSpec(className: string, config: Json): ModelSpec | null {
  const layers = isList(config) ? config : member(config, 'layers');
  if (!isList(layers)) return null;
  const name = textOf(member(config, 'name')) ?? className.toLowerCase();
  const trainable = member(config, 'trainable') !== false;
  if (member(config, 'output_layers') === undefined) {
    const read = layers.map((layer, index) => layerSpec(layer, index, new Set(), name));
    return { type: 'sequential', name, trainable, layers: read, inputs: null, outputs: null };
  }
  const names = new Set(layers.map(layerName));
  const read = layers.map((layer, index) => layerSpec(layer, index, names, name));
  checkDistinct(read, name);
  return {
    type: 'functional',
    name,
    trainable,
    layers: read,
    inputs: references(member(config, 'input_layers'), names, `model '${shown(name)}': 'input_layers'`),
    outputs: references(member(config, 'output_layers'), names, `model '${shown(name)}': 'output_layers'`),
  };
}

function checkDistinct(layers: readonly LayerSpec[], model: string): void {
  const seen = new Set<string>();
  for (const { name } of layers) {
    if (seen.has(name)) throw malformed(`model '${shown(model)}' has two layers named '${shown(name)}'`);
    seen.add(name);
  }
}

function layerName(layer: Json): string {
  return textOf(member(layer, 'name')) ?? textOf(member(member(layer, 'config'), 'name')) ?? '';
}

function layerSpec(layer: Json, index: number, names: ReadonlySet<string>, model: string): LayerSpec {
  const where = `layer ${index} of model '${shown(model)}'`;
  if (!isObject(layer)) throw malformed(`${where} is ${describeJson(layer)} where an object is needed`);
  const className = textOf(member(layer, 'class_name'));
  if (className === null) throw malformed(`${where} has no 'class_name'`);
  const name = layerName(layer) || `${className.toLowerCase()}_${index}`;
  if (name.length > MAX_NAME_LENGTH || className.length > MAX_NAME_LENGTH) {
    throw new DscAuditError('limit-exceeded', `${where} has a name of more than ${MAX_NAME_LENGTH} characters.`);
  }
  const what = `layer '${shown(name)}' (${shown(className)})`;
  const config = member(layer, 'config') ?? {};
  const nested = modelSpec(className, config);
  if (nested === null && !isObject(config)) throw malformed(`${what}: 'config' is ${describeJson(config)}`);
  const buildConfig = member(layer, 'build_config');
  return {
    className,
    module: textOf(member(layer, 'module')),
    registeredName: textOf(member(layer, 'registered_name')),
    name,
    config: isObject(config) ? config : {},
    buildConfig: isObject(buildConfig) ? buildConfig : null,
    isKeras3: isCallOfKeras3(member(layer, 'inbound_nodes')),
    calls: callsOf(member(layer, 'inbound_nodes') ?? [], names, what),
    model: nested === null ? null : { ...nested, name },
  };
}

const isCallOfKeras3 = (nodes: Json | undefined): boolean =>
  isList(nodes) && nodes.some((node) => isList(member(node, 'args')));

/** A layer of another's config: what a wrapper wraps, a cell of an RNN. Throws where it is none. */
export function innerLayerSpec(value: Json | undefined, what: string): LayerSpec {
  if (!isObject(value)) throw malformed(`${what} is ${describeJson(value)} where a layer is needed`);
  return layerSpec(value, 0, new Set(), what);
}

function callsOf(nodes: Json, names: ReadonlySet<string>, what: string): readonly CallConfig[] {
  if (!isList(nodes)) throw malformed(`${what}: 'inbound_nodes' is ${describeJson(nodes)} where a list is needed`);
  return nodes.map((node) => {
    if (isObject(node) && isList(member(node, 'args'))) return callOfKeras3(node, names, what);
    return callOfKeras2(node, names, what);
  });
}

/** `{args: […], kwargs: {…}}`, with tensors as objects. */
function callOfKeras3(node: JsonObject, names: ReadonlySet<string>, what: string): CallConfig {
  const positional = member(node, 'args');
  return {
    positional: isList(positional) ? positional.map((value) => argument(value, names, what)) : [],
    named: namedArguments(member(node, 'kwargs'), names, what),
  };
}

/**
 * A list of `[layer, node, tensor, keywords?]`, or one of them by itself where the layer takes its inputs as they are.
 * A first entry `_CONSTANT_VALUE` stands for a plain value.
 */
function callOfKeras2(node: Json, names: ReadonlySet<string>, what: string): CallConfig {
  const keywords: JsonObject[] = [];
  const first = argumentOfKeras2(node, names, what, keywords);
  // A tensor in a list of its own is that tensor.
  const [only, ...others] = first.type === 'list' ? first.items : [first];
  return {
    positional: only !== undefined && others.length === 0 ? [only] : [first],
    named: namedArguments(
      keywords.find((entry) => Object.keys(entry).length > 0),
      names,
      what,
    ),
  };
}

function argumentOfKeras2(node: Json, names: ReadonlySet<string>, what: string, keywords: JsonObject[]): Argument {
  if (isObject(node)) {
    const entries = Object.entries(node);
    return {
      type: 'map',
      items: new Map(entries.map(([key, item]) => [key, argumentOfKeras2(item, names, what, keywords)])),
    };
  }
  if (!isList(node)) throw malformed(`${what}: a call in 'inbound_nodes' is ${describeJson(node)}`);
  const [head, , value, rest] = node;
  if (typeof head !== 'string') {
    return { type: 'list', items: node.map((item) => argumentOfKeras2(item, names, what, keywords)) };
  }
  if (isObject(rest)) keywords.push(rest);
  if (head === '_CONSTANT_VALUE') return { type: 'value', value: value ?? null };
  const reference = referenceOf(node, names);
  if (reference === null) {
    throw malformed(`${what} reads ${describeJson(node.slice(0, 3))}, which is no layer of its model`);
  }
  return reference;
}

function namedArguments(
  value: Json | undefined,
  names: ReadonlySet<string>,
  what: string,
): ReadonlyMap<string, Argument> {
  if (!isObject(value)) return new Map();
  return new Map(Object.entries(value).map(([key, item]) => [key, argument(item, names, what)]));
}

function argument(value: Json, names: ReadonlySet<string>, what: string): Argument {
  if (isList(value)) {
    const reference = referenceOf(value, names);
    return reference ?? { type: 'list', items: value.map((item) => argument(item, names, what)) };
  }
  if (!isObject(value)) return { type: 'value', value };
  const className = member(value, 'class_name');
  const config = member(value, 'config');
  if (className === '__keras_tensor__') {
    const history = member(config, 'keras_history');
    const reference = isList(history) ? referenceOf(history, names) : null;
    if (reference === null) throw malformed(`${what} reads a tensor that comes from no layer of its model`);
    return { ...reference, shape: shapeOf(member(config, 'shape')) };
  }
  if (className === '__tuple__') return argument(member(config, 'value') ?? member(value, 'items') ?? [], names, what);
  if (className !== undefined) return { type: 'value', value };
  return { type: 'map', items: namedArguments(value, names, what) };
}

/** `[layer, call, output]`, with keywords behind or not; null for any other list. */
function referenceOf(value: readonly Json[], names: ReadonlySet<string>): TensorReference | null {
  const [layer, call, output, ...rest] = value;
  if (typeof layer !== 'string' || !names.has(layer) || rest.length > 1) return null;
  if (!isIndex(call) || !isIndex(output)) return null;
  return { type: 'tensor', layer, call, output, shape: null };
}

const isIndex = (value: Json | undefined): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** References at any depth of lists and maps, in order. */
function references(value: Json | undefined, names: ReadonlySet<string>, what: string): readonly TensorReference[] {
  if (isObject(value)) return Object.values(value).flatMap((item) => references(item, names, what));
  if (!isList(value)) throw malformed(`${what} is ${describeJson(value)} where a list is needed`);
  const reference = referenceOf(value, names);
  if (reference) return [reference];
  if (value.length > 0 && typeof value[0] === 'string') {
    throw malformed(`${what} names ${describeJson(value)}, which is no layer of it`);
  }
  return value.flatMap((item) => references(item, names, what));
}

/** All tensors of an argument, in order. */
export function tensorsOf(argument: Argument): readonly TensorReference[] {
  switch (argument.type) {
    case 'tensor':
      return [argument];
    case 'list':
      return argument.items.flatMap(tensorsOf);
    case 'map':
      return [...argument.items.values()].flatMap(tensorsOf);
    case 'value':
      return [];
  }
}

/** A shape as Keras writes it: a list, or an object around one; null for what is none. */
export function shapeOf(value: Json | undefined): readonly (number | null)[] | null {
  if (isObject(value)) return shapeOf(member(value, 'items') ?? member(member(value, 'config'), 'value'));
  if (!isList(value)) return null;
  return value.every(isExtent) ? value : null;
}

const isExtent = (value: Json): value is number | null => value === null || isIndex(value);

/** Names come from strangers: messages show so much of them. */
const SHOWN_CHARACTERS = 80;

export const shown = (name: string): string =>
  name.length > SHOWN_CHARACTERS ? `${name.slice(0, SHOWN_CHARACTERS)}…` : name;

function malformed(what: string): DscAuditError {
  return new DscAuditError('malformed-model', `${what}.`);
}
