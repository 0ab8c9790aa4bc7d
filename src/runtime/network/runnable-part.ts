/** What of a model the runtime can run, where it cannot run all of it. */
import { DscAuditError } from '../../ir/errors.ts';
import type { Node, ValueId } from '../../ir/graph.ts';
import type { OpKind } from '../../ir/operators.ts';
import type { PlanOptions } from '../plan/plan-options.ts';
import { elementsOf } from '../plan/tensor.ts';
import { type AnalysedModel, hasShape, knownShape } from './analysed-model.ts';
import type { ConstantValues } from './constants.ts';
import { type Layer, lacksOutput, plainLayer, readValues } from './layer.ts';
import type { NodePlanner, PlanContext } from './planner.ts';
import { PLANNERS } from './planners.ts';

/** A node that the runtime cannot run. */
export interface UnrunnableNode {
  /** Position in the model's order of nodes. */
  readonly index: number;
  readonly node: Node;
  readonly reason: string;
}

export interface RunnablePart {
  /** The rest: what it needs of the others are inputs, and what they need are outputs. Nodes keep their order. */
  readonly part: AnalysedModel;
  /** By position in the part, the position in the whole. */
  readonly positions: readonly number[];
  readonly unrunnable: readonly UnrunnableNode[];
}

/** Every node is looked at by itself: what a kernel does together with its neighbours, it can do alone. */
export function runnablePart(source: AnalysedModel, constants: ConstantValues, options: PlanOptions): RunnablePart {
  const read = readValues(source);
  const reasonNot = (node: Node, index: number): string | null => {
    if (!isComputed(node, constants)) return null;
    if (lacksOutput(node, read, constants)) return 'only its first output is computed';
    return reasonOf(node, index, { source, constants, options });
  };
  const unrunnable = source.nodes.flatMap((node, index) => {
    const reason = reasonNot(node, index);
    return reason === null ? [] : [{ index, node, reason }];
  });
  const left = new Set(unrunnable.map(({ index }) => index));
  const kept = source.nodes.flatMap((node, index) => (left.has(index) ? [] : [{ node, index }]));
  const made = new Set(kept.flatMap(({ node }) => node.outputs));
  const ends = (ids: readonly (ValueId | null)[]): readonly ValueId[] =>
    ids.filter((id): id is ValueId => id !== null && !constants.isConstant(id) && hasShape(source, id));
  const { graph } = source.model;
  const inputs = new Set([...graph.inputs, ...ends(unrunnable.flatMap(({ node }) => node.outputs))]);
  const needed = ends([...graph.outputs, ...unrunnable.flatMap(({ node }) => node.inputs)]);
  const outputs = new Set(needed.filter((id) => made.has(id)));
  const model = { ...source.model, graph: { ...graph, inputs: [...inputs], outputs: [...outputs] } };
  return {
    part: { ...source, model, nodes: kept.map(({ node }) => node) },
    positions: kept.map(({ index }) => index),
    unrunnable,
  };
}

const isComputed = (node: Node, constants: ConstantValues): boolean =>
  node.outputs.some((id) => id !== null && !constants.isConstant(id));

function reasonOf(node: Node, index: number, context: PlanContext): string | null {
  if (PLANNERS[node.kind] === undefined) return 'the runtime has no kernel for it';
  const ids = [...node.inputs, ...node.outputs].filter((id) => id !== null);
  if (!ids.every((id) => hasShape(context.source, id))) return 'a shape is not known';
  if (ids.some((id) => isTooLarge(knownShape(context.source, id) ?? []))) return 'a tensor is too large';
  try {
    return reject(plainLayer(node, index), context);
  } catch (error) {
    if (error instanceof DscAuditError) return error.message;
    throw error;
  }
}

function reject<K extends OpKind>(layer: Layer<K>, context: PlanContext): string | null {
  const planner: NodePlanner<K> | undefined = PLANNERS[layer.kind];
  return planner?.reject?.(layer, context) ?? null;
}

/** Bytes that WebAssembly can address, for floats; and items and slices, since some kernels are planned one by one. */
const MAX_ELEMENTS = 2 ** 29;
const MAX_ITEMS = 4096;

const isTooLarge = (shape: readonly number[]): boolean =>
  elementsOf(shape) > MAX_ELEMENTS ||
  (shape.length === 5 && Math.max(...shape.slice(1, 3)) > MAX_ITEMS) ||
  (shape.length > 1 && (shape[0] ?? 1) > MAX_ITEMS && elementsOf(shape.slice(1)) > MAX_ITEMS);

/** Whether planning the model takes no more time and memory than running it may. */
export const fitsRuntime = (source: AnalysedModel): boolean =>
  source.nodes.every((node) =>
    [...node.inputs, ...node.outputs].every((id) => id === null || !isTooLarge(knownShape(source, id) ?? [])),
  );
