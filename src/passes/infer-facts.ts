import { DEFAULT_LIMITS, howToRaise, type Limits } from '../formats/raisable-limits.ts';
import { type Diagnostic, diagnostic } from '../ir/diagnostic.ts';
import { bindDim, type Dim, type DimBindings, dimKey, isStatic, symbolicDim } from '../ir/dim.ts';
import { readElements } from '../ir/elements.ts';
import { DscAuditError } from '../ir/errors.ts';
import { countElements } from '../ir/extents.ts';
import {
  type Element,
  type Fact,
  MAX_TRACKED_ELEMENTS,
  type Shape,
  staticShape,
  type TensorFact,
  tensorFact,
  UNKNOWN_TENSOR,
} from '../ir/fact.ts';
import type { Constant, Declared, Graph, Model, Node, ValueId } from '../ir/graph.ts';
import type { OpKind } from '../ir/operators.ts';
import { opDef } from '../ops/index.ts';
import { type InferContext, ShapeConflict } from '../ops/op-def.ts';
import { checkExtents } from '../ops/shape-rules.ts';
import { orderNodes } from './order-nodes.ts';
import { bodiesOf, valuesRead } from './walk.ts';

/**
 * Visits of nodes, for each node of the model, and some more. Bodies are visited up to five times to settle what they
 * carry, and nest: without a bound, ten nested loops would take a day.
 */
const MAX_VISITS_PER_NODE = 32;
const FREE_VISITS = 100_000;

/** Elements that are computed and kept over a whole model; a shape that is computed takes a handful. */
const MAX_TRACKED_IN_TOTAL = 2_000_000;
const ALWAYS_TRACKED = 16;

/** What is known of every value of a model, by its index; undefined for values in bodies that never run. */
export interface Facts {
  readonly of: readonly (Fact | undefined)[];
  /** Nodes of each graph, each behind what it needs. */
  readonly order: ReadonlyMap<Graph, readonly Node[]>;
  /** Names of extents that depend on data, bound or not. */
  readonly dataDependentNames: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Runs every operator's shape rule, and with it the arithmetic that shapes depend on, over the whole model. `bindings`
 * are values of dimensions that the file names; `requested` those that the user gave, for sizes that depend on data.
 */
export function inferFacts(
  model: Model,
  inputs: ReadonlyMap<ValueId, Fact>,
  bindings: DimBindings,
  requested: DimBindings = bindings,
  limits: Pick<Limits, 'folding'> = DEFAULT_LIMITS,
): Facts {
  return new Inference(model, bindings, requested, limits).run(inputs);
}

class Inference {
  readonly #model: Model;
  readonly #bindings: DimBindings;
  readonly #facts: (Fact | undefined)[];
  readonly #order = new Map<Graph, readonly Node[]>();
  readonly #requested: DimBindings;
  /** Which of its kind each node is, in the file's order: names made of it do not depend on what is bound. */
  readonly #ordinals: ReadonlyMap<Node, number>;
  /** By what they say, so that a body that is visited again says nothing twice. */
  readonly #diagnostics = new Map<string, Diagnostic>();
  readonly #dataDependentNames = new Set<string>();
  readonly #limits: Pick<Limits, 'folding'>;
  #trackedElements = 0;
  /** Elements that were computed, and what they were computed from. */
  #foldedElements = 0;
  #isFoldingStopped = false;
  #visits = 0;

  constructor(model: Model, bindings: DimBindings, requested: DimBindings, limits: Pick<Limits, 'folding'>) {
    this.#limits = limits;
    this.#model = model;
    this.#bindings = bindings;
    this.#requested = requested;
    this.#ordinals = ordinalsOf(model.graph);
    this.#facts = model.values.map(({ constant }) => (constant ? new ConstantFact(constant) : undefined));
  }

  run(inputs: ReadonlyMap<ValueId, Fact>): Facts {
    for (const [id, fact] of inputs) this.#facts[id] = fact;
    this.#inferGraph(this.#model.graph);
    if (this.#isFoldingStopped) {
      const { folding: elements } = this.#limits;
      this.#tell(diagnostic('folding-stopped', 'warning', null, { elements, hint: howToRaise('folding', elements) }));
    }
    return {
      of: this.#facts,
      order: this.#order,
      dataDependentNames: [...this.#dataDependentNames],
      diagnostics: [...this.#diagnostics.values()],
    };
  }

  /** What a body computes from given inputs. */
  inferBody(body: Graph, given: readonly Fact[]): readonly Fact[] {
    body.inputs.forEach((id, index) => {
      this.#facts[id] = given[index] ?? UNKNOWN_TENSOR;
    });
    return this.#inferGraph(body);
  }

  #inferGraph(graph: Graph): readonly Fact[] {
    for (const node of this.#ordered(graph)) this.#inferNode(node);
    return graph.outputs.map((id) => this.#facts[id] ?? UNKNOWN_TENSOR);
  }

  #ordered(graph: Graph): readonly Node[] {
    const known = this.#order.get(graph);
    if (known) return known;
    const { nodes, moved } = orderNodes(graph);
    if (moved > 0) this.#tell(diagnostic('not-sorted', 'warning', null, { nodes: moved }));
    this.#order.set(graph, nodes);
    return nodes;
  }

  #inferNode<K extends OpKind>(node: Node<K> & Node): void {
    if (++this.#visits > FREE_VISITS + MAX_VISITS_PER_NODE * this.#ordinals.size) {
      throw new DscAuditError('limit-exceeded', 'loops are nested too deep: no real model is.');
    }
    const def = opDef<K>(node.kind);
    const inputs = node.inputs.map((id) => (id === null ? null : this.#affordable(this.#facts[id] ?? UNKNOWN_TENSOR)));
    let outputs: readonly Fact[] = [];
    try {
      outputs = def.infer(node.attrs, new NodeContext(inputs, node, this)).map(checkedFact);
    } catch (error) {
      if (!(error instanceof ShapeConflict)) throw locate(error, node);
      this.#tell(diagnostic('shape-unknown', 'warning', node.name, { op: node.op, reason: error.message }));
    }
    this.#foldedElements += foldedBy(inputs, outputs);
    if (node.kind === 'unknown') this.#tell(diagnostic('unknown-operator', 'warning', node.name, { op: node.op }));
    const constant = !def.random && this.#readsConstantsOnly(node);
    node.outputs.forEach((id, index) => {
      if (id === null) return;
      const inferred = this.#withDeclared(id, outputs[index] ?? UNKNOWN_TENSOR, node);
      this.#facts[id] = this.#bounded(settle(inferred, constant));
    });
  }

  /** Once more was computed than any model needs, rules see no more elements than a shape has. */
  #affordable(fact: Fact): Fact {
    const { folding } = this.#limits;
    if (this.#foldedElements <= folding || fact.type !== 'tensor' || elementCount(fact) <= ALWAYS_TRACKED) return fact;
    this.#isFoldingStopped = true;
    return { ...tensorFact(fact.dtype, fact.shape), constant: fact.constant };
  }

  /** Beyond the budget, elements are let go: shapes need few of them. */
  #bounded(fact: Fact): Fact {
    if (fact.type !== 'tensor' || fact.elements === null) return fact;
    this.#trackedElements += fact.elements.length;
    if (this.#trackedElements <= MAX_TRACKED_IN_TOTAL || fact.elements.length <= ALWAYS_TRACKED) return fact;
    return { ...tensorFact(fact.dtype, fact.shape), constant: fact.constant };
  }

  /** Also where a body is between: what it captures must be constant too. */
  #readsConstantsOnly(node: Node): boolean {
    if (node.kind === 'unknown' || bodiesOf(node).length > 0) return false;
    return valuesRead(node).every((id) => {
      const fact = this.#facts[id];
      return fact?.type === 'tensor' ? fact.constant : false;
    });
  }

  /**
   * A name such as `nonzero_1`, for the first NonZero of the file, or the number that the user bound it to. What the
   * file itself calls its dimensions has no say.
   */
  dataDependent(node: Node, label: string, slot: number): Dim {
    const name = `${label}_${this.#ordinals.get(node) ?? 0}${slot === 0 ? '' : `_${slot + 1}`}`;
    this.#dataDependentNames.add(name);
    const bound = this.#requested.get(name);
    if (bound !== undefined) return bound;
    this.#tell(diagnostic('data-dependent', 'info', node.name, { dimension: name, op: node.op }));
    return symbolicDim(name);
  }

  /** No number can be bound to what changes from one iteration to the next. */
  changing(node: Node, slot: number): Dim {
    const reason = 'an extent changes from one iteration to the next';
    this.#tell(diagnostic('shape-unknown', 'warning', node.name, { op: node.op, reason }));
    return symbolicDim(`changing_${this.#ordinals.get(node) ?? 0}${slot === 0 ? '' : `_${slot + 1}`}`);
  }

  /** What the file declares fills in where no rule tells; where both tell, the rule is right. */
  #withDeclared(id: ValueId, inferred: Fact, node: Node): Fact {
    const value = this.#model.values[id];
    const declared = value?.declared ?? null;
    if (declared === null || inferred.type !== 'tensor' || declared.isSequence) return inferred;
    const shape = declared.shape?.map((dim) => bindDim(dim, this.#bindings)) ?? null;
    if (inferred.shape === null || inferred.dtype === null) return filledIn(inferred, declared, shape);
    if (shape !== null && contradicts(inferred.shape, shape)) {
      this.#tell(
        diagnostic('shape-contradicted', 'warning', node.name, {
          tensor: value?.name ?? '',
          declared: shape.map(dimKey).join('x'),
          inferred: inferred.shape.map(dimKey).join('x'),
        }),
      );
    }
    return inferred;
  }

  #tell(told: Diagnostic): void {
    this.#diagnostics.set(`${told.code}\0${told.layer}\0${JSON.stringify(told.args)}`, told);
  }
}

/** What the rule of one node sees, at one visit. */
class NodeContext implements InferContext {
  readonly inputs: readonly (Fact | null)[];
  readonly outputCount: number;
  readonly #node: Node;
  readonly #inference: Inference;

  constructor(inputs: readonly (Fact | null)[], node: Node, inference: Inference) {
    this.inputs = inputs;
    this.outputCount = node.outputs.length;
    this.#node = node;
    this.#inference = inference;
  }

  tensor(index: number): TensorFact {
    const fact = this.inputs[index];
    return fact?.type === 'tensor' ? fact : UNKNOWN_TENSOR;
  }

  integers(index: number): readonly number[] | null {
    return integersOf(this.tensor(index).elements);
  }

  isPresent(index: number): boolean {
    return (this.inputs[index] ?? null) !== null;
  }

  dataDependent(label: string, slot = 0): Dim {
    return this.#inference.dataDependent(this.#node, label, slot);
  }

  changing(slot: number): Dim {
    return this.#inference.changing(this.#node, slot);
  }

  inferBody(body: Graph, inputs: readonly Fact[]): readonly Fact[] {
    return this.#inference.inferBody(body, inputs);
  }
}

/** Numbers the nodes of each kind, bodies included, in the file's order. */
function ordinalsOf(graph: Graph): ReadonlyMap<Node, number> {
  const ordinals = new Map<Node, number>();
  const counts = new Map<OpKind, number>();
  const visit = ({ nodes }: Graph): void => {
    for (const node of nodes) {
      const ordinal = (counts.get(node.kind) ?? 0) + 1;
      counts.set(node.kind, ordinal);
      ordinals.set(node, ordinal);
      for (const [, body] of bodiesOf(node)) visit(body);
    }
  };
  visit(graph);
  return ordinals;
}

/** Elements that a rule has read and written to tell those of its results; none where it told none. */
function foldedBy(inputs: readonly (Fact | null)[], outputs: readonly Fact[]): number {
  const written = sum(outputs.map((fact) => (fact.type === 'tensor' ? (fact.elements?.length ?? 0) : 0)));
  return written === 0 ? 0 : written + sum(inputs.map((fact) => (fact?.type === 'tensor' ? elementsRead(fact) : 0)));
}

/** Elements that a tensor is known by. Those of a file are not read to count them. */
const elementsRead = (fact: TensorFact): number =>
  fact instanceof ConstantFact ? elementCount(fact) : (fact.elements?.length ?? 0);

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** How many elements a tensor may be known by; 0 for one of which none are. Those of a file are not read for it. */
function elementCount({ shape }: TensorFact): number {
  const extents = staticShape(shape);
  const count = extents === null ? 0 : countElements(extents);
  return count <= MAX_TRACKED_ELEMENTS ? count : 0;
}

/** A rule's result, if it is one that a tensor can have. */
function checkedFact(fact: Fact): Fact {
  if (fact.type === 'tensor' && fact.shape !== null) checkExtents(fact.shape);
  return fact;
}

/** A constant of the file; its elements are read when somebody asks. */
class ConstantFact implements TensorFact {
  readonly type = 'tensor';
  readonly constant = true;
  readonly dtype: TensorFact['dtype'];
  readonly shape: Shape;
  readonly #source: Constant;
  #elements: readonly Element[] | null | undefined;

  constructor(constant: Constant) {
    this.dtype = constant.dtype;
    this.shape = constant.shape;
    this.#source = constant;
  }

  get elements(): readonly Element[] | null {
    if (this.#elements === undefined) this.#elements = isSmall(this.#source) ? readElements(this.#source) : null;
    return this.#elements;
  }
}

function isSmall({ shape }: Constant): boolean {
  return countElements(shape) <= MAX_TRACKED_ELEMENTS;
}

/** A tensor all of whose elements are known is a constant, whatever it was computed from. */
function settle(fact: Fact, constant: boolean): Fact {
  if (fact.type !== 'tensor') return fact;
  const isKnown = fact.elements?.every((element) => element !== null && isStatic(element)) ?? false;
  if (!constant && !(isKnown && (fact.elements?.length ?? 0) > 0))
    return fact.constant ? { ...tensorFact(fact.dtype, fact.shape), elements: fact.elements } : fact;
  return { type: 'tensor', dtype: fact.dtype, shape: fact.shape, elements: fact.elements, constant: true };
}

function filledIn(inferred: TensorFact, declared: Declared, shape: Shape | null): TensorFact {
  return { ...tensorFact(inferred.dtype ?? declared.dtype, inferred.shape ?? shape), elements: inferred.elements };
}

function contradicts(inferred: Shape, declared: Shape): boolean {
  if (inferred.length !== declared.length) return true;
  return inferred.some((dim, axis) => {
    const other = declared[axis];
    return isStatic(dim) && typeof other === 'number' && dim !== other;
  });
}

function integersOf(elements: readonly Element[] | null): readonly number[] | null {
  if (elements === null) return null;
  const integers: number[] = [];
  for (const element of elements) {
    if (element === null || !isStatic(element)) return null;
    integers.push(Math.trunc(element));
  }
  return integers;
}

/** An error from deep within an operator's rule, with the node that it came from. */
function locate(error: unknown, node: Node): unknown {
  return error instanceof DscAuditError
    ? new DscAuditError(error.code, `node '${node.name}' (${node.op}): ${error.message}`)
    : error;
}
