/** A whole model as a program. */
import { DscAuditError } from '../../ir/errors.ts';
import type { Node, ValueId } from '../../ir/graph.ts';
import type { OpKind } from '../../ir/operators.ts';
import type { PlanOptions } from '../plan/plan-options.ts';
import { type Program, ProgramBuilder } from '../plan/program.ts';
import { type Halo, joinHalos, NO_HALO, newPlain, type Plain } from '../plan/tensor.ts';
import { type AnalysedModel, hasShape } from './analysed-model.ts';
import type { ConstantValues } from './constants.ts';
import { fuseLayers, liveNodes } from './fusion.ts';
import { type Layer, lacksOutput, readValues } from './layer.ts';
import { isFusible, planSeparable } from './plan-convolution.ts';
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
  const context: PlanContext = { source, constants, options };
  const live = liveNodes(source, constants);
  assertKnown(source, live);
  const layers = fuseLayers(source, constants, live);
  constants.assertPresent();
  assertAccepted(layers, context);
  const builder = new ProgramBuilder();
  const values = new NetworkValues(source, constants, demandHalos(layers, context), builder, options);
  const { graph } = source.model;
  const inputs = graph.inputs.filter((id) => !constants.isConstant(id)).map((id) => planInput(values, id));
  const groups = groupLayers(layers, context, options.threads);
  const planned = groups.map((group, index): PlannedLayer => {
    builder.layer = index;
    return planGroup(group, values, context);
  });
  builder.layer = Math.max(0, groups.length - 1);
  const outputs = graph.outputs.map((id) => ({ name: values.nameOf(id), tensor: values.plain(id) }));
  return { program: builder.build(), inputs, outputs, layers: planned };
}

/** A layer by itself, or a depthwise one with the pointwise one behind it. */
type LayerGroup =
  | { readonly first: Layer; readonly second: null }
  | { readonly first: Layer<'conv'>; readonly second: Layer<'conv'> };

function groupLayers(layers: readonly Layer[], context: PlanContext, threads: number): readonly LayerGroup[] {
  const readers = new Map<ValueId, Layer[]>();
  for (const layer of layers) {
    const read = [...layer.node.inputs, layer.residual].filter((id) => id !== null);
    for (const id of new Set(read)) readers.set(id, [...(readers.get(id) ?? []), layer]);
  }
  const handedOut = new Set(context.source.model.graph.outputs);
  const firstOf = new Map<Layer, Layer<'conv'>>();
  for (const layer of layers) {
    const [reader, ...others] = readers.get(layer.output) ?? [];
    if (!reader || others.length > 0 || handedOut.has(layer.output) || !isConv(layer) || !isConv(reader)) continue;
    // What is also added to the sum must be a tensor of its own.
    if (reader.residual === layer.output) continue;
    if (isFusible(layer, reader, context, threads)) firstOf.set(reader, layer);
  }
  const taken = new Set<Layer>(firstOf.values());
  return layers.flatMap((layer): LayerGroup[] => {
    if (taken.has(layer)) return [];
    const first = firstOf.get(layer);
    return first && isConv(layer) ? [{ first, second: layer }] : [{ first: layer, second: null }];
  });
}

const isConv = (layer: Layer): layer is Layer<'conv'> => layer.node.kind === 'conv';

function planGroup({ first, second }: LayerGroup, values: NetworkValues, context: PlanContext): PlannedLayer {
  const { name, op } = first.node;
  if (second === null) {
    return { name, op, nodes: first.covered, kernel: plannerOf(first).plan(first, values, context) };
  }
  planSeparable(first, second, values, context);
  return { name, op, nodes: [...first.covered, ...second.covered], kernel: 'depthwise+pointwise' };
}

function planInput(values: NetworkValues, id: ValueId): NetworkTensor {
  const tensor = newPlain(values.builder, values.shape(id));
  values.setPlain(id, tensor);
  return { name: values.nameOf(id), tensor };
}

/** The planner of the layer's kind. */
function plannerOf<K extends OpKind>(layer: Layer<K>): NodePlanner<K> {
  const planner: NodePlanner<K> | undefined = PLANNERS[layer.kind];
  if (planner === undefined) throw new Error(`No planner for ${layer.kind}.`);
  return planner;
}

/** Every operator has a planner, and every tensor a shape; unknown shapes mostly follow from unknown operators. */
function assertKnown(source: AnalysedModel, live: ReadonlySet<number>): void {
  const nodes = source.nodes.filter((_, index) => live.has(index));
  refuse(nodes.flatMap((node) => (PLANNERS[node.kind] === undefined ? [{ node, reason: 'no kernel' }] : [])));
  refuse(
    nodes.flatMap((node) => {
      const id = [...node.inputs, ...node.outputs].find((value) => value !== null && !hasShape(source, value));
      const name = id == null ? '' : source.model.values[id]?.name;
      return id === undefined ? [] : [{ node, reason: `the shape of '${name}' is not known` }];
    }),
  );
}

function assertAccepted(layers: readonly Layer[], context: PlanContext): void {
  const read = readValues(context.source);
  const lacking = layers.filter(({ node }) => lacksOutput(node, read, context.constants));
  refuse(lacking.map(({ node }) => ({ node, reason: 'only its first output is computed' })));
  refuse(
    layers.flatMap((layer) => {
      const reason = plannerOf(layer).reject?.(layer, context) ?? null;
      return reason === null ? [] : [{ node: layer.node, reason }];
    }),
  );
}

/** Lists of operators are cut here: the first few say enough. */
const NAMED_AT_MOST = 8;

function refuse(refused: readonly { readonly node: Node; readonly reason: string }[]): void {
  if (refused.length === 0) return;
  const more = refused.length > NAMED_AT_MOST ? `, and ${refused.length - NAMED_AT_MOST} more` : '';
  const named = refused.slice(0, NAMED_AT_MOST).map(({ node, reason }) => `${node.op} '${node.name}' (${reason})`);
  throw new DscAuditError('cannot-run', `The built-in runtime cannot run this model: ${named.join(', ')}${more}.`);
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
