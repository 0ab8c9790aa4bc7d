import { addExact, multiplyExact } from '../ir/exact.ts';
import type { Node, ValueId } from '../ir/graph.ts';
import type { OpKind, UnaryFunction } from '../ir/operators.ts';
import { type CountedLayer, tensorBytes } from './count-layers.ts';
import type { Facts } from './infer-facts.ts';
import { isConstant } from './live-nodes.ts';

/** What one step of training adds to one run: gradients by backpropagation, and what must be kept for them. */
export interface TrainingCost {
  /** Products of the forward pass; null where a layer's are not known. */
  readonly forwardMacs: number | null;
  /** As many again for each operand of a product that a gradient is wanted of: weights, and what lies before. */
  readonly backwardMacs: number | null;
  /** Elements that an optimiser moves. */
  readonly trainableElements: number;
  readonly gradientBytes: number;
  /** Activations that the gradients' formulas read, each once; null where one has no known size. */
  readonly keptActivationBytes: number | null;
}

/** Which of its tensors an operator's gradient is computed from. */
type Kept = 'both' | 'inputs' | 'nothing' | 'outputs';

/** f' follows from f itself: what comes out is what the next layer keeps anyway. */
const FROM_OUTPUT: ReadonlySet<UnaryFunction> = new Set([
  'elu',
  'exp',
  'leakyRelu',
  'relu',
  'relu6',
  'sigmoid',
  'sqrt',
  'tanh',
]);

type KeptRules = { readonly [K in OpKind]?: Kept | ((node: Node<K>) => Kept) };

/** The least that the formulas need. What is not listed keeps all that it reads and writes. */
const KEPT: KeptRules = {
  conv: 'inputs',
  convTranspose: 'inputs',
  gemm: 'inputs',
  matmul: 'inputs',
  einsum: 'inputs',
  batchNorm: 'inputs',
  instanceNorm: 'inputs',
  groupNorm: 'inputs',
  layerNorm: 'inputs',
  softmax: 'outputs',
  clip: 'outputs',
  prelu: 'inputs',
  unary: ({ attrs }) => (FROM_OUTPUT.has(attrs.fn) ? 'outputs' : 'inputs'),
  binary: ({ attrs }) => (attrs.fn === 'add' || attrs.fn === 'sub' ? 'nothing' : 'inputs'),
  variadic: ({ attrs }) => (attrs.fn === 'sum' || attrs.fn === 'mean' ? 'nothing' : 'inputs'),
  pool: ({ attrs }) => (attrs.fn === 'average' ? 'nothing' : 'inputs'),
  globalPool: ({ attrs }) => (attrs.fn === 'average' ? 'nothing' : 'inputs'),
  reduce: ({ attrs }) => (attrs.fn === 'sum' || attrs.fn === 'mean' ? 'nothing' : 'both'),
  dropout: 'nothing',
  identity: 'nothing',
  cast: 'nothing',
  reshape: 'nothing',
  flatten: 'nothing',
  transpose: 'nothing',
  squeeze: 'nothing',
  unsqueeze: 'nothing',
  concat: 'nothing',
  split: 'nothing',
  slice: 'nothing',
  pad: 'nothing',
  expand: 'nothing',
  tile: 'nothing',
  resize: 'nothing',
  depthToSpace: 'nothing',
  spaceToDepth: 'nothing',
  gather: 'nothing',
};

function keptBy<K extends OpKind>(node: Node<K> & Node): Kept {
  const rule: Kept | ((node: Node<K>) => Kept) | undefined = KEPT[node.kind];
  return typeof rule === 'function' ? rule(node) : (rule ?? 'both');
}

/** Follows gradients from every trainable weight to the outputs (reverse-mode differentiation needs just these). */
export function trainingCost(facts: Facts, layers: readonly CountedLayer[]): TrainingCost {
  const differentiated = new Set<ValueId>();
  const kept = new Set<ValueId>();
  let forwardMacs: number | null = 0;
  let backwardMacs: number | null = 0;
  for (const layer of layers) {
    const learns = layer.weights.some(({ trainable }) => trainable);
    const before = layer.inputs.filter((id) => differentiated.has(id)).length;
    const operands = Math.min(2, before + (learns ? 1 : 0));
    forwardMacs = plus(forwardMacs, layer.macs);
    backwardMacs = plus(backwardMacs, layer.macs === null ? null : multiplyExact(layer.macs, operands));
    for (const { node } of layer.parts) keep(node, { facts, learns, differentiated, kept });
  }
  const trainable = layers.flatMap(({ ownWeights }) => ownWeights.filter((weight) => weight.trainable));
  return {
    forwardMacs,
    backwardMacs,
    trainableElements: trainable.reduce((sum, { elements }) => addExact(sum, elements), 0),
    gradientBytes: trainable.reduce((sum, { bytes }) => addExact(sum, bytes), 0),
    keptActivationBytes: Array.from(kept).reduce<number | null>((sum, id) => plus(sum, tensorBytes(facts.of[id])), 0),
  };
}

interface Keeping {
  readonly facts: Facts;
  /** The layer has weights to learn. */
  readonly learns: boolean;
  /** Values that a trainable weight lies before. */
  readonly differentiated: Set<ValueId>;
  readonly kept: Set<ValueId>;
}

function keep(node: Node, { facts, learns, differentiated, kept }: Keeping): void {
  const ids = node.inputs.filter((id) => id !== null);
  const inputs = ids.filter((id) => !isConstant(id, facts));
  const readsWeights = learns && ids.length > inputs.length;
  if (!readsWeights && !inputs.some((id) => differentiated.has(id))) return;
  const outputs = node.outputs.filter((id) => id !== null);
  for (const id of outputs) differentiated.add(id);
  const keeps = keptBy(node);
  if (keeps === 'inputs' || keeps === 'both') for (const id of inputs) kept.add(id);
  if (keeps === 'outputs' || keeps === 'both') for (const id of outputs) kept.add(id);
}

const plus = (sum: number | null, figure: number | null): number | null =>
  sum === null || figure === null ? null : addExact(sum, figure);
