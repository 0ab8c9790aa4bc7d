import { DscAuditError } from '../../ir/errors.ts';
import type { ValueId } from '../../ir/graph.ts';
import type { OpKind } from '../../ir/operators.ts';
import type { PlanOptions } from '../plan/plan-options.ts';
import type { Halo } from '../plan/tensor.ts';
import type { AnalysedModel } from './analysed-model.ts';
import type { ConstantValues } from './constants.ts';
import type { Layer } from './layer.ts';
import type { NetworkValues } from './values.ts';

/** What is known before any memory is planned. */
export interface PlanContext {
  readonly source: AnalysedModel;
  readonly constants: ConstantValues;
  readonly options: PlanOptions;
}

/** How one kind of operator is run. */
export interface NodePlanner<in K extends OpKind> {
  /** Why this node cannot be run; null where it can. */
  readonly reject?: (layer: Layer<K>, context: PlanContext) => string | null;
  /** Zeroes that the layer reads around an input, given those that consumers want around its output. */
  readonly halos?: (layer: Layer<K>, context: PlanContext, output: Halo) => readonly (readonly [ValueId, Halo])[];
  /** Appends the layer's steps; gives the name of the kernel that does the work. */
  readonly plan: (layer: Layer<K>, values: NetworkValues, context: PlanContext) => string;
}

export type Planners = { readonly [K in OpKind]?: NodePlanner<K> };

/** The input that the operator cannot do without. Throws `cannot-run` for a node of a damaged file that does without. */
export function inputOf({ node }: Layer, index: number): ValueId {
  const id = node.inputs[index] ?? null;
  if (id === null) throw new DscAuditError('cannot-run', `${node.op} '${node.name}' lacks its input ${index}`);
  return id;
}
