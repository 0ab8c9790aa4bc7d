import { DscAuditError } from '../../ir/errors.ts';
import type { Constant, Declared, Graph, Node, Value, ValueId } from '../../ir/graph.ts';
import { FREE_EXPANSION, MAX_NAME_LENGTH, MAX_NESTING } from '../limits.ts';
import { type Limits, limitMet } from '../raisable-limits.ts';
import { channelBlockOf } from './channel-block.ts';
import { encoded, readConstantNode } from './constant-node.ts';
import { declaredType } from './declared-type.ts';
import { Names } from './names.ts';
import { type Lowered, type LoweringContext, OnnxNode } from './onnx-node.ts';
import { loweringOf } from './operators/index.ts';
import type { AttributeProto, FunctionProto, GraphProto, NodeProto, SparseTensorProto } from './proto.ts';
import { readExtents, readTensor, type TensorContext } from './tensor.ts';
import { DeferredTensor } from './tensor-proto.ts';

/** What surrounds the nodes that are being read. */
interface Surroundings {
  readonly names: Names;
  /** Local functions and bodies around, outermost first; and as what comes before the names of values. */
  readonly scope: readonly string[];
  readonly prefix: string;
  readonly opsets: ReadonlyMap<string, number>;
  /** The attributes of the function that is being put in place; null in a graph. */
  readonly attributes: ReadonlyMap<string, AttributeProto> | null;
  /** The call's values that the function's formal outputs stand for, once a node computes them. */
  readonly results: ReadonlyMap<string, ValueId>;
  /** Calls and bodies around. */
  readonly depth: number;
}

/** An input of which the file says nothing: it must be bound. */
const UNTYPED: Declared = { dtype: null, shape: null, isSequence: false };

const ONNX_DOMAINS = new Set(['', 'ai.onnx']);

/** `ai.onnx` is the long name of the empty domain. */
export const domainName = (domain: string | null | undefined): string =>
  ONNX_DOMAINS.has(domain ?? '') ? '' : (domain ?? '');

export const functionKey = (domain: string, name: string, overload: string): string =>
  `${domain}\0${name}\0${overload}`;

/** Builds the graph's own nodes and values from the file's, with local functions put in place where they are called. */
export class GraphBuilder {
  readonly values: Value[] = [];
  readonly #functions: ReadonlyMap<string, FunctionProto>;
  readonly #tensors: TensorContext;
  readonly #limits: Limits;
  readonly #budget: number;
  #spent = 0;
  #channelBlock = 0;

  /** `messages`: how many the file holds. What is built stays in proportion to that (CWE-776, "billion laughs"). */
  constructor(functions: ReadonlyMap<string, FunctionProto>, tensors: TensorContext, messages: number, limits: Limits) {
    this.#limits = limits;
    this.#functions = functions;
    this.#tensors = tensors;
    this.#budget = FREE_EXPANSION + limits.expansion * messages;
  }

  #spend(units: number): void {
    this.#spent += units;
    if (this.#spent > this.#budget) {
      const what = `local functions and bodies make more than ${this.#limits.expansion} times of the file`;
      throw limitMet('expansion', this.#limits, what);
    }
  }

  /** Reads the model's graph. */
  build(graph: GraphProto, opsets: ReadonlyMap<string, number>): Graph {
    this.#channelBlock = channelBlockOf(graph);
    return this.#readGraph(graph, {
      names: new Names(),
      scope: [],
      prefix: '',
      opsets,
      attributes: null,
      results: new Map(),
      depth: 0,
    });
  }

  #readGraph(graph: GraphProto, around: Surroundings): Graph {
    if (around.depth > MAX_NESTING) {
      throw new DscAuditError('limit-exceeded', `bodies and local functions are nested more than ${MAX_NESTING} deep.`);
    }
    const constants = this.#readInitializers(graph, around);
    const inputs: ValueId[] = [];
    for (const { name, type } of graph.input ?? []) {
      // Before IR version 4 every initializer was listed as an input too.
      if (!name || around.names.definesItself(name)) continue;
      inputs.push(this.#define(name, around, type ? declaredType(name, type) : UNTYPED));
    }
    const declared = new Map<string, Declared | null>();
    for (const { name, type } of [...(graph.valueInfo ?? []), ...(graph.output ?? [])]) {
      if (name) declared.set(name, declaredType(name, type));
    }
    const nodes = this.#readNodes(graph.node ?? [], around, declared);
    const outputs: ValueId[] = [];
    for (const { name } of graph.output ?? []) {
      const id = around.names.find(name ?? '');
      if (id === undefined) throw malformed(`the graph's output '${name}' is computed by no node`);
      if (id !== null) outputs.push(id);
    }
    return { name: graph.name ?? '', inputs, outputs, nodes, constants };
  }

  #readInitializers(graph: GraphProto, around: Surroundings): ValueId[] {
    const ids: ValueId[] = [];
    for (const tensor of graph.initializer ?? []) {
      const constant = this.#readTensor(tensor, 'initializer');
      if (constant && tensor.name) ids.push(this.#define(tensor.name, around, null, constant));
    }
    for (const sparse of graph.sparseInitializer ?? []) {
      const constant = this.#readSparse(sparse, 'initializer');
      if (constant && sparse.values?.name) ids.push(this.#define(sparse.values.name, around, null, constant));
    }
    return ids;
  }

  /** Names what all nodes compute, then lowers them: a file's nodes need not be in order. */
  #readNodes(
    nodes: readonly NodeProto[],
    around: Surroundings,
    declared: ReadonlyMap<string, Declared | null>,
  ): Node[] {
    for (const node of nodes) {
      this.#spend(1 + (node.input?.length ?? 0) + (node.output?.length ?? 0));
      const constant = isConstant(node)
        ? readConstantNode(this.#attributesOf(node, around), {
            tensor: (proto) => this.#readTensor(proto, 'inline'),
            sparse: (proto) => this.#readSparse(proto, 'inline'),
          })
        : null;
      for (const name of node.output ?? []) {
        if (!name) continue;
        if (around.names.definesItself(name)) throw malformed(`tensor '${name}' is computed by two nodes`);
        const result = around.results.get(name);
        if (result === undefined) this.#define(name, around, declared.get(name) ?? null, constant);
        else this.#adopt(name, around, result, constant);
      }
    }
    return nodes.flatMap((node) => (isConstant(node) ? [] : this.#readNode(node, around)));
  }

  #readNode(node: NodeProto, around: Surroundings): Node[] {
    const domain = domainName(node.domain);
    const op = node.opType ?? '';
    const outputs = (node.output ?? []).map((name) => (name ? (around.names.find(name) ?? null) : null));
    const label = node.name || node.output?.find(Boolean) || op;
    checkName(label);
    checkName(op);
    const inputs = (node.input ?? []).map((name) => this.#resolve(name, label, around));
    const attributes = this.#attributesOf(node, around);
    const fn =
      this.#functions.size === 0 ? undefined : this.#functions.get(functionKey(domain, op, node.overload ?? ''));
    if (fn) return this.#callFunction(fn, label, inputs, outputs, attributes, around);

    const context = this.#loweringContext(label, around);
    const lowering = loweringOf(domain, op);
    const opset = around.opsets.get(domain) ?? around.opsets.get('') ?? 1;
    const lowered: Lowered = lowering
      ? lowering(new OnnxNode(op, opset, label, inputs, outputs.length, attributes, context))
      : { kind: 'unknown', attrs: {} };
    return [
      {
        op: domain === '' ? op : `${domain}::${op}`,
        name: label,
        scope: moduleScope(node, label, around.scope),
        inputs,
        outputs,
        // Last: a lowering may put the inputs in another order.
        ...lowered,
      } satisfies Node,
    ];
  }

  /** Puts a local function's nodes in the place of a call: its formal names stand for the call's values. */
  #callFunction(
    fn: FunctionProto,
    label: string,
    inputs: readonly (ValueId | null)[],
    outputs: readonly (ValueId | null)[],
    given: ReadonlyMap<string, AttributeProto>,
    around: Surroundings,
  ): Node[] {
    if (around.depth >= MAX_NESTING) {
      throw new DscAuditError(
        'limit-exceeded',
        `local function '${fn.name}' is called more than ${MAX_NESTING} calls deep: it may call itself.`,
      );
    }
    this.#spend((fn.input?.length ?? 0) + (fn.output?.length ?? 0) + (fn.opsetImport?.length ?? 0));
    const names = new Names();
    (fn.input ?? []).forEach((name, index) => {
      names.define(name, inputs[index] ?? null);
    });
    const passed: [from: ValueId, to: ValueId][] = [];
    const results = new Map<string, ValueId>();
    (fn.output ?? []).forEach((name, index) => {
      const output = outputs[index] ?? null;
      const input = names.find(name) ?? null;
      if (input !== null && output !== null) passed.push([input, output]);
      else if (output !== null) results.set(name, output);
    });
    const attributes = new Map((fn.attributeProto ?? []).map((attribute) => [attribute.name ?? '', attribute]));
    for (const [name, attribute] of given) attributes.set(name, attribute);
    const inside: Surroundings = {
      names,
      scope: [...around.scope, label],
      prefix: `${around.prefix}${label}/`,
      opsets: fn.opsetImport?.length ? new Map([...around.opsets, ...opsetsOf(fn.opsetImport)]) : around.opsets,
      attributes,
      results,
      depth: around.depth + 1,
    };
    const nodes = this.#readNodes(fn.node ?? [], inside, new Map());
    const copies = passed.map(
      ([from, to]): Node => ({
        kind: 'identity',
        attrs: {},
        op: 'Identity',
        name: this.values[to]?.name ?? label,
        scope: inside.scope,
        inputs: [from],
        outputs: [to],
      }),
    );
    return [...nodes, ...copies];
  }

  #loweringContext(label: string, around: Surroundings): LoweringContext {
    return {
      addConstant: (dtype, values, shape = [values.length]) =>
        this.#addValue({ name: '', constant: encoded(dtype, values, shape), declared: null }),
      readBody: (body, branch) =>
        this.#readGraph(body, {
          ...around,
          names: new Names(around.names),
          scope: [...around.scope, label, branch],
          prefix: `${around.prefix}${label}/${branch}/`,
          results: new Map(),
          depth: around.depth + 1,
        }),
      readTensor: (attribute) => (attribute.t ? this.#readTensor(attribute.t, 'inline') : null),
      channelBlock: this.#channelBlock,
    };
  }

  /** A node's attributes by name; within a function, those that refer to the call's are replaced by them. */
  #attributesOf(node: NodeProto, around: Surroundings): ReadonlyMap<string, AttributeProto> {
    const attributes = new Map<string, AttributeProto>();
    for (const attribute of node.attribute ?? []) {
      const name = attribute.name ?? '';
      const referred = attribute.refAttrName ? around.attributes?.get(attribute.refAttrName) : attribute;
      if (referred) attributes.set(name, referred);
    }
    return attributes;
  }

  #resolve(name: string, label: string, around: Surroundings): ValueId | null {
    if (!name) return null;
    const id = around.names.find(name);
    if (id === undefined) throw malformed(`node '${label}' reads the tensor '${name}', which nothing computes`);
    return id;
  }

  #define(name: string, around: Surroundings, declared: Declared | null, constant: Constant | null = null): ValueId {
    checkName(name);
    this.#spend(1);
    const id = this.#addValue({ name: around.prefix + name, constant, declared });
    around.names.define(name, id);
    return id;
  }

  /** A node computes what the call has a value for already. */
  #adopt(name: string, around: Surroundings, id: ValueId, constant: Constant | null): void {
    const value = this.values[id];
    if (constant !== null && value !== undefined) this.values[id] = { ...value, constant };
    around.names.define(name, id);
  }

  #addValue(value: Value): ValueId {
    return this.values.push(value) - 1;
  }

  #readTensor(tensor: object, origin: Constant['origin']): Constant | null {
    return tensor instanceof DeferredTensor ? readTensor(tensor, origin, this.#tensors) : null;
  }

  /** A sparse tensor counts and behaves as the dense one that it stands for; its values are not tracked. */
  #readSparse(sparse: SparseTensorProto, origin: Constant['origin']): Constant | null {
    const values = sparse.values ? this.#readTensor(sparse.values, origin) : null;
    if (values === null) return null;
    const shape = readExtents(sparse.values?.name ?? '', sparse.dims ?? []);
    return { ...values, shape, data: { byteLength: values.data.byteLength, read: () => null } };
  }
}

/** Operator set versions by domain. */
export function opsetsOf(
  imports: readonly { domain?: string | null; version?: unknown }[],
): ReadonlyMap<string, number> {
  return new Map(imports.map(({ domain, version }) => [domainName(domain), Number(version ?? 1)]));
}

function isConstant(node: NodeProto): boolean {
  return node.opType === 'Constant' && domainName(node.domain) === '';
}

/**
 * The module of a node whose name does not tell it: as newer exporters write it beside the name (`['', 'layer1',
 * 'layer1.0', 'conv2d']`), or as the name of its weight has it (`layer1.0.conv1.weight`). Outermost first.
 */
function moduleScope(node: NodeProto, label: string, around: readonly string[]): readonly string[] {
  if (label.includes('/')) return around;
  const scopes = node.metadataProps?.find(({ key }) => key === 'pkg.torch.onnx.name_scopes')?.value;
  if (scopes) {
    const parts = Array.from(scopes.matchAll(/'([^']*)'/g), ([, part]) => part ?? '');
    return [...around, ...parts.slice(0, -1).filter(Boolean)];
  }
  const module = (node.input ?? []).map((name) => /^([\w.]+)\.(?:weight|bias)$/.exec(name)?.[1]).find(Boolean);
  if (module === undefined) return around;
  const names = module.split('.');
  // `layer1.0.conv1` lies in `layer1` and in `layer1.0`: a number belongs to the name before it.
  const modules = names.map((_, index) => names.slice(0, index + 1).join('.'));
  return [...around, ...modules];
}

function checkName(name: string): void {
  if (name.length > MAX_NAME_LENGTH) {
    throw new DscAuditError(
      'limit-exceeded',
      `the name '${name.slice(0, 40)}…' has more than ${MAX_NAME_LENGTH} characters.`,
    );
  }
}

function malformed(what: string): DscAuditError {
  return new DscAuditError('malformed-model', `${what}.`);
}
