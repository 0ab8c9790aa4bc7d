/** A whole model as a program. */
import { DscAuditError } from '../../ir/errors.ts';
import type { ValueId } from '../../ir/graph.ts';
import type { OpKind } from '../../ir/operators.ts';
import type { PlanOptions } from '../plan/convolution.ts';
import { type Program, ProgramBuilder } from '../plan/program.ts';
import { type Halo, joinHalos, NO_HALO, newPlain, type Plain } from '../plan/tensor.ts';
import { type AnalysedModel, shapeOf } from './analysed-model.ts';
import type { ConstantValues } from './constants.ts';
import { fuseLayers } from './fusion.ts';
import type { Layer } from './layer.ts';
import type { NodePlanner, PlanContext } from './planner.ts';
import { PLANNERS } from './planners.ts';
import { NetworkValues } from './values.ts';

export interface NetworkTensor {
  readonly name: string;
  readonly tensor: Plain;
}

/** One layer of the plan: which nodes it computes, and by which kernel. */
export interface PlannedLayer {
  /** Name of the first node it computes. */
  readonly name: string;
  readonly op: string;
  /** Positions, in the model's order of nodes, of all that it computes. */
  readonly nodes: readonly number[];
  readonly kernel: string;
}

export interface NetworkPlan {
  readonly program: Program;
  readonly inputs: readonly NetworkTensor[];
  readonly outputs: readonly NetworkTensor[];
  readonly layers: readonly PlannedLayer[];
}

/**
 * Plans a model. Throws `cannot-run`, naming every operator that the runtime cannot run, before any memory is taken.
 */
export function planNetwork(source: AnalysedModel, constants: ConstantValues, options: PlanOptions): NetworkPlan {
  const context: PlanContext = { source, constants, exact: options.exact };
  const layers = fuseLayers(source, constants);
  assertRunnable(layers, context);
  const builder = new ProgramBuilder();
  const values = new NetworkValues(source, constants, demandHalos(layers, context), builder, options);
  const { graph } = source.model;
  const inputs = graph.inputs.filter((id) => !constants.isConstant(id)).map((id) => planInput(values, id));
  const planned = layers.map((layer, index): PlannedLayer => {
    builder.layer = index;
    const kernel = plannerOf(layer).plan(layer, values, context);
    return { name: layer.node.name, op: layer.node.op, nodes: layer.covered, kernel };
  });
  builder.layer = Math.max(0, layers.length - 1);
  const outputs = graph.outputs.map((id) => ({ name: values.nameOf(id), tensor: values.plain(id) }));
  return { program: builder.build(), inputs, outputs, layers: planned };
}

function planInput(values: NetworkValues, id: ValueId): NetworkTensor {
  const tensor = newPlain(values.builder, values.shape(id));
  values.setPlain(id, tensor);
  return { name: values.nameOf(id), tensor };
}

/** The planner of the layer's kind. */
function plannerOf<K extends OpKind>(layer: Layer<K>): NodePlanner<K> {
  const planner = PLANNERS[layer.node.kind as K];
  if (planner === undefined) throw new Error(`No planner for ${layer.node.kind}.`);
  return planner;
}

/** Lists of operators are cut here: the first few say enough. */
const NAMED_AT_MOST = 8;

function assertRunnable(layers: readonly Layer[], context: PlanContext): void {
  const reasons = layers.flatMap((layer) => {
    const reason = rejectionOf(layer, context);
    return reason === null ? [] : [`${layer.node.op} '${layer.node.name}' (${reason})`];
  });
  if (reasons.length === 0) return;
  const more = reasons.length > NAMED_AT_MOST ? `, and ${reasons.length - NAMED_AT_MOST} more` : '';
  const named = reasons.slice(0, NAMED_AT_MOST).join(', ');
  throw new DscAuditError('cannot-run', `The built-in runtime cannot run this model: ${named}${more}.`);
}

function rejectionOf(layer: Layer, context: PlanContext): string | null {
  if (PLANNERS[layer.node.kind] === undefined) return 'no kernel';
  for (const id of [...layer.node.inputs, ...layer.node.outputs]) if (id !== null) shapeOf(context.source, id);
  return plannerOf(layer).reject?.(layer, context) ?? null;
}

/** Zeroes that consumers read around each value: from the last layer to the first, since some pass them on. */
function demandHalos(layers: readonly Layer[], context: PlanContext): ReadonlyMap<ValueId, Halo> {
  const halos = new Map<ValueId, Halo>();
  for (const layer of [...layers].reverse()) {
    const demands = plannerOf(layer).halos?.(layer, context, halos.get(layer.output) ?? NO_HALO) ?? [];
    for (const [id, halo] of demands) halos.set(id, joinHalos(halos.get(id) ?? NO_HALO, halo));
  }
  return halos;
}
