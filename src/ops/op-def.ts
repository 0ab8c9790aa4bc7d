import type { Dim } from '../ir/dim.ts';
import type { Fact, TensorFact } from '../ir/fact.ts';
import type { Graph } from '../ir/graph.ts';
import type { OpAttrs, OpKind } from '../ir/operators.ts';

/** What a layer is, for the reader of a report. */
const LAYER_KINDS = [
  'standard-conv',
  'pointwise-conv',
  'depthwise-conv',
  'grouped-conv',
  'conv-transpose',
  'dense',
  'matmul',
  'recurrent',
  'attention',
  'norm',
  'activation',
  'elementwise',
  'pool',
  'reduce',
  'reshape',
  'other',
] as const;

export type LayerKind = (typeof LAYER_KINDS)[number];

/**
 * The part that an input plays if it is a constant:
 * - `weight`: learned parameters, however the file spells them;
 * - `statistic`: parameters that training does not learn (running mean and variance);
 * - `operand`: learned only if the file keeps it as an initializer of several elements (a learned position, say; a
 *   literal 0.5 is none);
 * - `carried`: it passes through, and plays the part of the result.
 */
export type InputRole = 'weight' | 'statistic' | 'operand' | 'carried';

/** Roles by input, or one for all; inputs that are not listed steer the operator and hold no parameters. */
export interface InputRoles {
  readonly [index: number]: InputRole;
  readonly every?: InputRole;
}

/** What an operator's shape rule sees. */
export interface InferContext {
  /** Null for an input that is left out. */
  readonly inputs: readonly (Fact | null)[];
  readonly outputCount: number;
  /** The input as a tensor; of unknown type and shape where it is left out, or no tensor. */
  tensor(index: number): TensorFact;
  /** The input's elements as integers; null where it is left out or one of them is unknown. */
  integers(index: number): readonly number[] | null;
  isPresent(index: number): boolean;
  /**
   * An extent that only running the model can tell, under a name that the user can bind. `slot` tells apart several of
   * one node: the name must not depend on what else is bound.
   */
  dataDependent(label: string, slot?: number): Dim;
  /** An extent that changes from one iteration to the next: no single number can be bound to it. */
  changing(slot: number): Dim;
  /** What a body computes from given inputs. */
  inferBody(body: Graph, inputs: readonly Fact[]): readonly Fact[];
}

/** A tensor whose extents are all known. */
export interface SizedTensor {
  readonly shape: readonly number[];
  readonly elements: number;
  readonly constant: boolean;
  /** The number that it holds, where it is a known scalar. */
  readonly value: number | null;
}

/** What an operator's cost rule sees: every extent is a number. Null for what is left out, or is no tensor. */
export interface CostContext {
  readonly inputs: readonly (SizedTensor | null)[];
  readonly outputs: readonly (SizedTensor | null)[];
}

/** Work in one run. `otherFlops` are those of no MAC: FLOPs are 2 × MACs plus these; null where data decide. */
export interface Cost {
  readonly macs: number;
  readonly otherFlops: number | null;
}

export const FREE: Cost = { macs: 0, otherFlops: 0 };

/** Everything that is known of an operator: what it is, the shapes that it makes, and what that costs. */
export interface OpDef<K extends OpKind> {
  readonly kind: LayerKind | ((attrs: OpAttrs[K], inputs: readonly (Fact | null)[]) => LayerKind);
  readonly roles: InputRoles;
  /** One fact an output. Throws {@link ShapeConflict} where the inputs contradict each other. */
  infer(attrs: OpAttrs[K], context: InferContext): readonly Fact[];
  /** Null where the cost is not known even though all extents are. */
  cost(attrs: OpAttrs[K], context: CostContext): Cost | null;
  /** Two runs on the same inputs may differ: never computed ahead. */
  readonly random?: boolean;
  /** Weights that hold several elements in one: how many elements input `index` stands for. */
  weightElements?(attrs: OpAttrs[K], index: number, shape: readonly number[]): number;
}

export type OpTable = { readonly [K in OpKind]: OpDef<K> };

/** The part of the operator table that a family fills. */
export type OpFamily<Attrs> = { readonly [K in keyof Attrs & OpKind]: OpDef<K> };

/** Inputs that no runtime would accept: the layer's shape is unknown, and the report says why. */
export class ShapeConflict extends Error {}
