import type { Node, ValueId } from '../../ir/graph.ts';
import type { OpKind } from '../../ir/operators.ts';
import { type Epilogue, LINEAR } from '../plan/epilogue.ts';
import type { AnalysedModel } from './analysed-model.ts';
import type { ConstantValues } from './constants.ts';

/** A scale and a shift for each output channel, folded into weights and bias. */
export interface ChannelAffine {
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

/** One node with what is computed together with it. */
export interface Layer<out K extends OpKind = OpKind> {
  readonly kind: K;
  readonly node: Node<K>;
  /** Index in the network's list of nodes. */
  readonly index: number;
  /** Every node that it computes, by index. */
  readonly covered: readonly number[];
  readonly affine: ChannelAffine | null;
  /** A tensor to add before the activation. */
  readonly residual: ValueId | null;
  readonly epilogue: Epilogue;
  /** What the layer writes: the last covered node's output. */
  readonly output: ValueId;
}

export function plainLayer(node: Node, index: number): Layer {
  return {
    kind: node.kind,
    node,
    index,
    covered: [index],
    affine: null,
    residual: null,
    epilogue: LINEAR,
    output: outputOf(node),
  };
}

/** The first output. */
export function outputOf(node: Node): ValueId {
  const output = node.outputs[0] ?? null;
  if (output === null) throw new Error(`${node.name} has no output.`);
  return output;
}

/** Values that somebody reads, or that the model hands out. */
export const readValues = ({ model, nodes }: AnalysedModel): ReadonlySet<ValueId> =>
  new Set([...model.graph.outputs, ...nodes.flatMap(({ inputs }) => inputs.filter((id) => id !== null))]);

/** Whether somebody reads an output of the node that no kernel computes: all but splitting give one. */
export const lacksOutput = ({ kind, outputs }: Node, read: ReadonlySet<ValueId>, constants: ConstantValues): boolean =>
  kind !== 'split' && outputs.slice(1).some((id) => id !== null && read.has(id) && !constants.isConstant(id));
