import { type Diagnostic, diagnostic } from '../ir/diagnostic.ts';
import { byteSize } from '../ir/dtype.ts';
import { addExact, multiplyExact } from '../ir/exact.ts';
import { type Fact, type SequenceFact, staticShape, type TensorFact } from '../ir/fact.ts';
import type { Graph, Model, Node, ValueId } from '../ir/graph.ts';
import type { OpKind } from '../ir/operators.ts';
import { scanRuns, takenBranch, tripCount } from '../ops/control.ts';
import { opDef } from '../ops/index.ts';
import { type CostContext, type LayerKind, ShapeConflict, type SizedTensor } from '../ops/op-def.ts';
import type { Facts } from './infer-facts.ts';
import { joinLayers } from './join-layers.ts';
import { isConstant, liveNodes } from './live-nodes.ts';
import { type Weight, WeightTracer } from './trace-weights.ts';

/** A node that runs, and how often in one run of the model: more than once inside a loop. */
export interface LayerPart {
  readonly node: Node;
  readonly repeats: number;
}

/**
 * One layer with what it costs in one run of the model: a node of the graph that is left after folding, or all nodes
 * that a layer of the file became.
 */
export interface CountedLayer {
  /** The node that tells what it is. */
  readonly node: Node;
  readonly parts: readonly LayerPart[];
  readonly kind: LayerKind;
  /** How often it runs in one run of the model: more than once inside a loop, or where the model calls it again. */
  readonly repeats: number;
  /** The activations that it reads and writes. */
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  /** Null where the operator or an extent is not known. */
  readonly macs: number | null;
  readonly flops: number | null;
  readonly inputBytes: number | null;
  readonly outputBytes: number | null;
  /** All weights that it reads, and those of them that no layer before it has. */
  readonly weights: readonly Weight[];
  readonly ownWeights: readonly Weight[];
}

export interface CountedModel {
  readonly layers: readonly CountedLayer[];
  readonly dead: readonly Node[];
  readonly unusedConstants: readonly ValueId[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Counts every layer of a model, bodies of control flow included. */
export function countLayers(model: Model, facts: Facts): CountedModel {
  return new Count(model, facts).run();
}

interface BranchCost {
  readonly macs: number;
  readonly flops: number;
  /** Every operator that multiplies has been counted. */
  readonly complete: boolean;
}

/** What the counts of branches have in common: nested branches are counted once each, not once for every level. */
interface Shared {
  readonly tracer: WeightTracer;
  readonly branchCosts: Map<Graph, BranchCost>;
}

/** Operators that MACs are counted for, and those that nobody knows. */
const MULTIPLIES: ReadonlySet<OpKind> = new Set([
  'additiveAttention',
  'attention',
  'blockedConv',
  'causalConv',
  'conv',
  'convLstm',
  'convTranspose',
  'deformConv',
  'einsum',
  'gemm',
  'gradient',
  'groupQueryAttention',
  'linearAttention',
  'matmul',
  'multiHeadAttention',
  'packedMatmul',
  'projectedAttention',
  'recurrent',
  'unknown',
]);

class Count {
  readonly #model: Model;
  readonly #facts: Facts;
  readonly #tracer: WeightTracer;
  readonly #shared: Shared;
  readonly #dead: Node[] = [];
  readonly #diagnostics: Diagnostic[] = [];
  readonly #taken = new Set<ValueId>();
  readonly #reached = new Set<ValueId>();

  constructor(model: Model, facts: Facts, shared?: Shared) {
    this.#model = model;
    this.#facts = facts;
    this.#shared = shared ?? { tracer: new WeightTracer(model, facts), branchCosts: new Map() };
    this.#tracer = this.#shared.tracer;
  }

  run(): CountedModel {
    const parts = this.#countGraph(this.#model.graph, 1);
    const layers = joinLayers(parts, {
      bytesOf: (ids) => this.#bytes(ids, 1),
      furtherWeights: (ids) => this.#furtherWeights(ids),
    });
    const told = new Set(parts.map(({ node }) => node.layer));
    return {
      layers,
      // Of a layer of the file one node is named, and none where another part of it is needed.
      dead: this.#dead.filter(({ layer }) => layer === undefined || (!told.has(layer) && told.add(layer))),
      unusedConstants: this.#unused(),
      diagnostics: this.#diagnostics,
    };
  }

  #unused(): readonly ValueId[] {
    return this.#model.graph.constants.filter((id) => !this.#reached.has(id) && !this.#taken.has(id));
  }

  /** Weights that a layer of the file holds and that no node of it reads. */
  #furtherWeights(ids: readonly ValueId[]): readonly Weight[] {
    const weights = ids.filter((id) => !this.#taken.has(id)).flatMap((id) => this.#tracer.heldWeight(id) ?? []);
    for (const { id } of weights) this.#taken.add(id);
    return weights;
  }

  #countGraph(graph: Graph, repeats: number): CountedLayer[] {
    const { nodes, dead } = liveNodes(graph, this.#facts);
    this.#tracer.constantsBehind(graph.outputs, this.#reached);
    for (const node of dead) this.#dead.push(node);
    const layers: CountedLayer[] = [];
    // One by one: a body may hold more layers than a call takes arguments.
    for (const node of nodes) for (const layer of this.#countNode(node, repeats)) layers.push(layer);
    return layers;
  }

  #countNode(node: Node, repeats: number): readonly CountedLayer[] {
    this.#tracer.constantsBehind(node.inputs, this.#reached);
    switch (node.kind) {
      case 'if':
        return this.#countIf(node, repeats);
      case 'loop':
        return this.#countLoop(node, node.attrs.body, this.#tripCount(node), repeats);
      case 'scan': {
        const first = this.#inputFacts(node)[node.inputs.length - node.attrs.scanInputs];
        const runs = scanRuns(node.attrs, first);
        return this.#countLoop(node, node.attrs.body, typeof runs === 'number' ? runs : null, repeats);
      }
      case 'sequenceMap': {
        const sequence = this.#inputFacts(node)[0];
        const length = sequence?.type === 'sequence' ? sequence.length : null;
        return this.#countLoop(node, node.attrs.body, typeof length === 'number' ? length : null, repeats);
      }
      default:
        return [this.#countLayer(node, repeats, [])];
    }
  }

  #tripCount(node: Node<'loop'>): number | null {
    const condition = node.attrs.body.outputs[0];
    return tripCount(this.#inputFacts(node), condition === undefined ? undefined : this.#facts.of[condition]);
  }

  #countLoop(node: Node, body: Graph, iterations: number | null, repeats: number): readonly CountedLayer[] {
    const told =
      iterations === null
        ? diagnostic('trip-count-unknown', 'warning', node.name, { op: node.op })
        : diagnostic('loop-counted', 'info', node.name, { op: node.op, iterations });
    this.#diagnostics.push(told);
    const layer = this.#countLayer(node, repeats, []);
    return [layer, ...this.#countGraph(body, multiplyExact(repeats, iterations ?? 1))];
  }

  /** The branch that runs, or the costlier one; weights of the other are the If's own: the file holds them all the same. */
  #countIf(node: Node<'if'>, repeats: number): readonly CountedLayer[] {
    const chosen = this.#chooseBranch(node);
    const layers = this.#countGraph(node.attrs[chosen], repeats);
    const other = chosen === 'thenBranch' ? node.attrs.elseBranch : node.attrs.thenBranch;
    this.#tracer.constantsBehind(other.outputs, this.#reached);
    const idle = liveNodes(other, this.#facts).nodes.flatMap((idleNode) => {
      this.#tracer.constantsBehind(idleNode.inputs, this.#reached);
      return this.#tracer.weightsOf(idleNode);
    });
    return [this.#countLayer(node, repeats, idle), ...layers];
  }

  #chooseBranch(node: Node<'if'>): 'thenBranch' | 'elseBranch' {
    const known = takenBranch(this.#inputFacts(node)[0]);
    if (known !== null) return known;
    const whenTrue = this.#branchCost(node.attrs.thenBranch);
    const whenFalse = this.#branchCost(node.attrs.elseBranch);
    const chosen =
      whenTrue.macs !== whenFalse.macs ? whenTrue.macs > whenFalse.macs : whenTrue.flops >= whenFalse.flops;
    if (!whenTrue.complete || !whenFalse.complete) {
      this.#diagnostics.push(diagnostic('branch-unclear', 'warning', node.name, { op: node.op }));
    }
    if (whenTrue.macs > 0 || whenFalse.macs > 0) {
      const [macs, otherMacs] = chosen ? [whenTrue.macs, whenFalse.macs] : [whenFalse.macs, whenTrue.macs];
      const branch = chosen ? 'then_branch' : 'else_branch';
      this.#diagnostics.push(diagnostic('branch-counted', 'info', node.name, { branch, macs, otherMacs }));
    }
    return chosen ? 'thenBranch' : 'elseBranch';
  }

  /** Counts a branch without taking its weights, or saying anything of it. */
  #branchCost(branch: Graph): BranchCost {
    const known = this.#shared.branchCosts.get(branch);
    if (known) return known;
    const layers = new Count(this.#model, this.#facts, this.#shared).#countGraph(branch, 1);
    const cost = {
      macs: layers.reduce((sum, { macs }) => addExact(sum, macs ?? 0), 0),
      flops: layers.reduce((sum, { flops }) => addExact(sum, flops ?? 0), 0),
      complete: layers.every(({ macs, node }) => macs !== null || !MULTIPLIES.has(node.kind)),
    };
    this.#shared.branchCosts.set(branch, cost);
    return cost;
  }

  #countLayer<K extends OpKind>(
    node: Node<K> & Node,
    repeats: number,
    furtherWeights: readonly Weight[],
  ): CountedLayer {
    const def = opDef<K>(node.kind);
    const inputFacts = this.#inputFacts(node);
    const kind = typeof def.kind === 'string' ? def.kind : def.kind(node.attrs, inputFacts);
    const weights = [...this.#tracer.weightsOf(node), ...furtherWeights];
    const ownWeights = weights.filter(({ id }) => !this.#taken.has(id));
    for (const { id } of weights) this.#taken.add(id);
    const inputs = node.inputs.filter((id) => id !== null).filter((id) => !isConstant(id, this.#facts));
    const outputs = node.outputs.filter((id) => id !== null);
    const cost = this.#cost(node, inputFacts);
    const macs = cost === null ? null : multiplyExact(cost.macs, repeats);
    const flops =
      cost === null || cost.otherFlops === null
        ? null
        : multiplyExact(addExact(multiplyExact(2, cost.macs), cost.otherFlops), repeats);
    return {
      node,
      parts: [{ node, repeats }],
      kind,
      repeats,
      inputs,
      outputs,
      macs,
      flops,
      inputBytes: this.#bytes([...new Set(inputs)], repeats),
      outputBytes: this.#bytes(outputs, repeats),
      weights,
      ownWeights,
    };
  }

  #cost<K extends OpKind>(node: Node<K> & Node, inputs: readonly (Fact | null)[]) {
    const context: CostContext = {
      inputs: inputs.map(sized),
      outputs: node.outputs.map((id) => (id === null ? null : sized(this.#facts.of[id]))),
    };
    const isOpen = (fact: Fact | null | undefined) => fact?.type === 'tensor' && staticShape(fact.shape) === null;
    if (inputs.some(isOpen) || node.outputs.some((id) => id !== null && isOpen(this.#facts.of[id]))) return null;
    try {
      const cost = opDef<K>(node.kind).cost(node.attrs, context);
      return cost !== null && cost.macs >= 0 && (cost.otherFlops ?? 0) >= 0 ? cost : null;
    } catch (error) {
      if (error instanceof ShapeConflict) return null;
      throw error;
    }
  }

  #inputFacts(node: Node): readonly (Fact | null)[] {
    return node.inputs.map((id) => (id === null ? null : (this.#facts.of[id] ?? null)));
  }

  #bytes(ids: readonly ValueId[], repeats: number): number | null {
    let total = 0;
    for (const id of ids) {
      const bytes = tensorBytes(this.#facts.of[id]);
      if (bytes === null) return null;
      total = addExact(total, bytes);
    }
    return multiplyExact(total, repeats);
  }
}

/** Bytes of an activation, of a list's items together; null where a type, an extent or a length is not known. */
export function tensorBytes(fact: Fact | undefined): number | null {
  if (fact?.type === 'sequence') return sequenceBytes(fact);
  if (fact === undefined || fact.dtype === null) return null;
  const extents = staticShape(fact.shape);
  return extents === null ? null : byteSize(fact.dtype, multiplyExact(...extents));
}

function sequenceBytes({ items, length, item }: SequenceFact): number | null {
  if (items === null) {
    const each = typeof length === 'number' ? tensorBytes(item) : null;
    return each === null || typeof length !== 'number' ? null : multiplyExact(each, length);
  }
  let total = 0;
  for (const one of items) {
    const bytes = tensorBytes(one);
    if (bytes === null) return null;
    total = addExact(total, bytes);
  }
  return total;
}

function sized(fact: Fact | null | undefined): SizedTensor | null {
  if (fact?.type !== 'tensor') return null;
  const shape = staticShape(fact.shape);
  if (shape === null) return null;
  const elements = multiplyExact(...shape);
  return { shape, elements, constant: fact.constant, value: elements === 1 && fact.constant ? scalarOf(fact) : null };
}

function scalarOf({ elements }: TensorFact): number | null {
  const element = elements?.[0];
  return typeof element === 'number' ? element : null;
}
