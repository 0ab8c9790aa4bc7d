import { DscAuditError } from '../../ir/errors.ts';
import { type Fact, staticExtents } from '../../ir/fact.ts';
import type { Model, Node, ValueId } from '../../ir/graph.ts';
import type { Facts } from '../../passes/infer-facts.ts';

/** A model with what shape inference found out: the runtime's view of a graph. */
export interface AnalysedModel {
  readonly model: Model;
  /** By value. */
  readonly facts: readonly (Fact | undefined)[];
  /** The nodes of the model's graph, each behind what it needs. */
  readonly nodes: readonly Node[];
}

/** The value's extents; null where one is not known. */
export const knownShape = ({ facts }: AnalysedModel, id: ValueId): readonly number[] | null => staticExtents(facts[id]);

export const hasShape = (source: AnalysedModel, id: ValueId): boolean => knownShape(source, id) !== null;

/** The value's extents. Throws `cannot-run` where one is not known. */
export function shapeOf(source: AnalysedModel, id: ValueId): readonly number[] {
  const shape = knownShape(source, id);
  if (shape !== null) return shape;
  const name = source.model.values[id]?.name;
  throw new DscAuditError('cannot-run', `The shape of '${name}' is not known, so it cannot be run.`);
}

/** Joins a model with the facts of shape inference over it. */
export function analysedModel(model: Model, { of, order }: Facts): AnalysedModel {
  return { model, facts: of, nodes: order.get(model.graph) ?? model.graph.nodes };
}
