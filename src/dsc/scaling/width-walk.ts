import { type Fact, staticExtents } from '../../ir/fact.ts';
import type { Model, Node, ValueId } from '../../ir/graph.ts';
import type { Facts } from '../../passes/infer-facts.ts';
import { isConstant, liveNodes } from '../../passes/live-nodes.ts';
import { valuesRead } from '../../passes/walk.ts';
import { CannotScale } from './cannot-scale.ts';
import { after, before, type Channels, type Segment } from './channels.ts';
import type { Decision, Decisions } from './decisions.ts';
import { followWidths } from './width-rules.ts';

/** How many channels a layer puts out from now on. */
export type Decide = (decision: Decision, outChannels: number, input: readonly Segment[]) => number;

/** Changes to the graph that a walk asks for. */
export interface WidthChanges {
  readonly channels: ReadonlyMap<ValueId, Channels>;
  /** New shapes of constants. */
  readonly constants: ReadonlyMap<ValueId, readonly number[]>;
  /** Integers that take the place of an input, by node and input. */
  readonly integers: ReadonlyMap<Node, ReadonlyMap<number, readonly number[]>>;
  /** New counts of groups. */
  readonly groups: ReadonlyMap<Node, number>;
}

/** What a rule may ask of the walk, and tell it. */
export interface WidthScope {
  /** Channels of an input that may change; null where it has none. */
  input(index: number): Channels | null;
  /** Extents before scaling; an empty list where they are not known. */
  inputShape(index: number): readonly number[];
  outputShape(index: number): readonly number[];
  /** Elements of a small constant input; null where it is none. */
  integers(index: number): readonly number[] | null;
  isConstantInput(index: number): boolean;
  setOutput(index: number, axis: number, segments: readonly Segment[]): void;
  /** Fits a constant input to its neighbours along an axis. */
  resize(index: number, axis: number, segments: readonly Segment[]): void;
  replaceIntegers(index: number, values: readonly number[]): void;
  setGroups(groups: number): void;
  /** A layer's own new width. */
  decide(outChannels: number, input: readonly Segment[]): readonly Segment[];
  /** Channels that must come to the same numbers. */
  tie(lists: readonly (readonly Segment[])[]): void;
  fix(segments: readonly Segment[]): void;
  divideBy(segments: readonly Segment[], divisor: number): void;
  refuse(reason: string): never;
}

/** Follows the channels of every convolution through the graph. Throws {@link CannotScale} where they get lost. */
export function walkWidths(model: Model, facts: Facts, decisions: Decisions, decide: Decide): WidthChanges {
  const changes = {
    channels: new Map<ValueId, Channels>(),
    constants: new Map<ValueId, readonly number[]>(),
    integers: new Map<Node, Map<number, readonly number[]>>(),
    groups: new Map<Node, number>(),
  };
  const sources = new Map<ValueId, Node>();
  for (const node of facts.order.get(model.graph) ?? model.graph.nodes) {
    for (const id of node.outputs) if (id !== null) sources.set(id, node);
  }
  const budget = { spent: 0, limit: FREE_SEGMENTS + MAX_SEGMENTS_PER_NODE * model.graph.nodes.length };
  for (const node of liveNodes(model.graph, facts).nodes) {
    const scope = new NodeScope(node, { model, facts, decisions, decide, changes, sources, budget });
    const touched = valuesRead(node).some((id) => changes.channels.has(id));
    const isKnown = followWidths(node, scope);
    if (!isKnown && touched) scope.refuse(`nobody knows how ${node.op} follows another number of channels`);
  }
  for (const id of model.graph.outputs) {
    const channels = changes.channels.get(id);
    if (channels) decisions.fix(channels.segments.flatMap((segment) => segment.decisions));
  }
  return changes;
}

interface Walk {
  readonly model: Model;
  readonly facts: Facts;
  readonly decisions: Decisions;
  readonly decide: Decide;
  readonly changes: {
    readonly channels: Map<ValueId, Channels>;
    readonly constants: Map<ValueId, readonly number[]>;
    readonly integers: Map<Node, Map<number, readonly number[]>>;
    readonly groups: Map<Node, number>;
  };
  /** The node that computes a value. */
  readonly sources: ReadonlyMap<ValueId, Node>;
  readonly budget: { spent: number; readonly limit: number };
}

/** Nodes between a weight and the layer that reads it: exporters write one or two, and every reader walks them. */
const MAX_TURNS = 64;

/** Segments of all channels that one walk may hold, for each node and some more: concatenations of concatenations square. */
const MAX_SEGMENTS_PER_NODE = 100;
const FREE_SEGMENTS = 1_000_000;

class NodeScope implements WidthScope {
  readonly #node: Node;
  readonly #walk: Walk;

  constructor(node: Node, walk: Walk) {
    this.#node = node;
    this.#walk = walk;
  }

  input(index: number): Channels | null {
    const id = this.#node.inputs[index];
    return typeof id === 'number' ? (this.#walk.changes.channels.get(id) ?? null) : null;
  }

  inputShape(index: number): readonly number[] {
    return staticExtents(this.#factOf(this.#node.inputs[index])) ?? [];
  }

  outputShape(index: number): readonly number[] {
    return staticExtents(this.#factOf(this.#node.outputs[index])) ?? [];
  }

  integers(index: number): readonly number[] | null {
    const fact = this.#factOf(this.#node.inputs[index]);
    if (fact?.type !== 'tensor' || !fact.constant || fact.elements === null) return null;
    const values = fact.elements.filter((element) => typeof element === 'number');
    return values.length === fact.elements.length ? values : null;
  }

  isConstantInput(index: number): boolean {
    const id = this.#node.inputs[index];
    return typeof id === 'number' && isConstant(id, this.#walk.facts);
  }

  setOutput(index: number, axis: number, segments: readonly Segment[]): void {
    const id = this.#node.outputs[index];
    if (typeof id !== 'number') return;
    const { budget, changes } = this.#walk;
    // A part of several keeps the decisions of all.
    budget.spent += segments.reduce((sum, { decisions }) => sum + 1 + decisions.length, 0);
    if (budget.spent > budget.limit) this.refuse('too many layers have a part in its channels to follow each');
    changes.channels.set(id, { axis, segments });
  }

  resize(index: number, axis: number, segments: readonly Segment[]): void {
    const id = this.#node.inputs[index];
    if (typeof id === 'number') this.#resizeConstant(id, axis, segments);
  }

  /** Exporters turn weights around in front of a matrix product: the tensor in the file is the one that changes. */
  #resizeConstant(read: ValueId, readAxis: number, segments: readonly Segment[]): void {
    const { model, sources, changes } = this.#walk;
    let [id, axis] = [read, readAxis];
    for (let turns = 0; ; turns++) {
      const source = sources.get(id);
      const [input] = source?.inputs ?? [];
      const isMoved = source?.kind === 'transpose' || source?.kind === 'identity' || source?.kind === 'cast';
      if (!isMoved || typeof input !== 'number') break;
      if (turns === MAX_TURNS) this.refuse(`its weights are turned around more than ${MAX_TURNS} times`);
      if (source.kind === 'transpose') {
        const rank = staticExtents(this.#factOf(input))?.length ?? 0;
        axis = source.attrs.permutation?.[axis] ?? rank - 1 - axis;
      }
      id = input;
    }
    const constant = model.values[id]?.constant;
    if (!constant) this.refuse('its weights are no tensors of the file');
    const shape = changes.constants.get(id) ?? constant.shape;
    const was = constant.shape[axis];
    const is = shape[axis];
    if (was !== before(segments) || (is !== was && is !== after(segments))) {
      this.refuse('its weights are shared by layers of different widths');
    }
    changes.constants.set(id, shape.with(axis, after(segments)));
  }

  replaceIntegers(index: number, values: readonly number[]): void {
    const { integers } = this.#walk.changes;
    const known = integers.get(this.#node) ?? new Map<number, readonly number[]>();
    integers.set(this.#node, known.set(index, values));
  }

  setGroups(groups: number): void {
    this.#walk.changes.groups.set(this.#node, groups);
  }

  decide(outChannels: number, input: readonly Segment[]): readonly Segment[] {
    const { decisions, decide } = this.#walk;
    const decision = decisions.of(this.#node);
    return [{ before: outChannels, after: decide(decision, outChannels, input), decisions: [decision] }];
  }

  tie(lists: readonly (readonly Segment[])[]): void {
    const { decisions } = this.#walk;
    const [first = []] = lists;
    const isAlike = lists.every(
      (segments) => segments.length === first.length && segments.every((one, at) => one.before === first[at]?.before),
    );
    if (!isAlike) {
      for (const segments of lists) this.fix(segments);
      if (new Set(lists.map(after)).size > 1) this.refuse('it adds up channels that scale to different numbers');
      return;
    }
    first.forEach((_, at) => {
      const together = lists.map((segments) => segments[at]?.decisions ?? []);
      decisions.tie(together.flat());
      if (together.some((some) => some.length === 0)) decisions.fix(together.flat());
      if (new Set(lists.map((segments) => segments[at]?.after)).size > 1) {
        this.refuse('it adds up channels that scale to different numbers');
      }
    });
  }

  fix(segments: readonly Segment[]): void {
    this.#walk.decisions.fix(segments.flatMap((segment) => segment.decisions));
  }

  divideBy(segments: readonly Segment[], divisor: number): void {
    this.#walk.decisions.divideBy(
      segments.flatMap((segment) => segment.decisions),
      divisor,
    );
  }

  refuse(reason: string): never {
    throw new CannotScale(this.#node, reason);
  }

  #factOf(id: ValueId | null | undefined): Fact | undefined {
    return typeof id === 'number' ? this.#walk.facts.of[id] : undefined;
  }
}
