import type { Node, ValueId } from '../../ir/graph.ts';
import type { OpKind } from '../../ir/operators.ts';
import type { ConvUnit } from './element.ts';
import { type Flow, type FlowStep, onlyReader } from './flow.ts';

/** Reads every convolution with what belongs to it: a bias or scale by constants, normalisation, activation. */
export function convUnits(flow: Flow): readonly ConvUnit[] {
  return flow.steps.flatMap((step) => (step.conv === null ? [] : (convUnit(flow, step) ?? [])));
}

function convUnit(flow: Flow, step: FlowStep): ConvUnit | null {
  const { conv, node } = step;
  const [input] = step.inputs;
  const [first] = step.outputs;
  if (conv === null || input === undefined || first === undefined || hasResidual(step)) return null;
  const affine = following(flow, first, isAffine);
  const fused = 'activation' in node.attrs && node.attrs.activation !== null;
  const closing = fused ? null : activation(flow, affine.output);
  const rest = following(flow, closing?.output ?? affine.output, isTransposed);
  return {
    type: 'conv',
    node,
    conv,
    input,
    output: rest.output,
    steps: [step.index, ...affine.steps, ...(closing?.steps ?? []), ...rest.steps],
    affine: nodesAt(flow, [...affine.steps, ...rest.steps]),
    activation: nodesAt(flow, closing?.steps ?? []),
    activated: fused || closing !== null,
  };
}

const nodesAt = (flow: Flow, steps: readonly number[]): readonly Node[] =>
  steps.flatMap((at) => flow.steps[at]?.node ?? []);

/** Inputs of a convolution that are its own: data, weight and bias. One behind them is a fused residual. */
const OWN_INPUTS = 3;

const hasResidual = ({ node, inputs }: FlowStep): boolean => inputs.length > 1 && node.inputs.length > OWN_INPUTS;

/** Steps that read a value alone, one behind the other, as long as they are of a kind. */
function following(flow: Flow, value: ValueId, isOfKind: (step: FlowStep) => boolean): Activation {
  const steps: number[] = [];
  let output = value;
  for (let next = onlyReader(flow, output); next !== null && isOfKind(next); next = onlyReader(flow, output)) {
    steps.push(next.index);
    output = next.outputs[0] ?? output;
  }
  return { output, steps };
}

const NORMS: ReadonlySet<OpKind> = new Set(['batchNorm', 'groupNorm', 'instanceNorm', 'layerNorm']);

/** Another layout for the same values. */
const isTransposed = ({ node }: FlowStep): boolean => node.kind === 'transpose';

/** A norm, or arithmetic with constants. */
function isAffine(step: FlowStep): boolean {
  const { node, inputs } = step;
  const isArithmetic = node.kind === 'binary' && ['add', 'div', 'mul', 'sub'].includes(node.attrs.fn);
  return inputs.length === 1 && (NORMS.has(node.kind) || isArithmetic || isTransposed(step));
}

/** What a network calls an activation; `clip` is ReLU6. */
const ACTIVATIONS: ReadonlySet<OpKind> = new Set(['biasActivation', 'clip', 'prelu', 'unary']);

interface Activation {
  readonly output: ValueId;
  readonly steps: readonly number[];
}

/** The activation of a value: one operator, or the product x · gate(x) that swishes are spelt as. */
export function activation(flow: Flow, value: ValueId): Activation | null {
  const next = onlyReader(flow, value);
  const [output] = next?.outputs ?? [];
  if (next !== null && output !== undefined) {
    return ACTIVATIONS.has(next.node.kind) ? { output, steps: [next.index] } : null;
  }
  return gate(flow, value);
}

/** Operators between x and the product with it: hard-swish is x · clip(x + 3, 0, 6) / 6 where it is spelt out. */
const MAX_GATE_STEPS = 4;

function gate(flow: Flow, value: ValueId): Activation | null {
  const readers = flow.readersOf(value);
  if (readers.length !== 2 || flow.isOutput(value)) return null;
  const product = readers.find(({ node }) => node.kind === 'binary' && node.attrs.fn === 'mul');
  const first = readers.find((reader) => reader !== product);
  if (product === undefined || first === undefined) return null;
  const steps: number[] = [];
  let step: FlowStep | null = first;
  while (step !== null && step !== product) {
    const { kind } = step.node;
    const isGate = kind === 'unary' || kind === 'clip' || kind === 'binary';
    const [output]: readonly ValueId[] = step.outputs;
    if (!isGate || step.inputs.length !== 1 || output === undefined || steps.length === MAX_GATE_STEPS) return null;
    steps.push(step.index);
    step = onlyReader(flow, output);
  }
  let output = product.outputs[0];
  if (step !== product || output === undefined) return null;
  steps.push(product.index);
  const rescale = onlyReader(flow, output);
  if (rescale?.node.kind === 'binary' && rescale.inputs.length === 1) {
    steps.push(rescale.index);
    output = rescale.outputs[0] ?? output;
  }
  return { output, steps };
}
