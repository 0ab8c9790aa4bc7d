import type { Dim } from '../ir/dim.ts';
import { addExact, multiplyExact } from '../ir/exact.ts';
import { type Fact, tensorFact } from '../ir/fact.ts';
import type { RecurrentAttrs, RecurrentCell } from '../ir/operators.ts';
import { type Cost, type CostContext, type InferContext, type OpFamily, ShapeConflict } from './op-def.ts';
import { extentAt, extentNumber } from './shape-rules.ts';
import { windowExtent } from './window.ts';

type Attrs = RecurrentAttrs['recurrent'];

/**
 * What a cell is made of: gates, each with its own weights and activation, and the elementwise steps that update the
 * state, per hidden unit (LSTM: f·c, i·g, their sum, tanh, o·tanh; GRU: r·h, 1 − z, two products, a sum).
 */
const CELLS: Readonly<Record<RecurrentCell, { readonly gates: number; readonly updates: number }>> = {
  rnn: { gates: 1, updates: 0 },
  gru: { gates: 3, updates: 5 },
  lstm: { gates: 4, updates: 5 },
};

function infer(attrs: Attrs, context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  const recurrentWeight = context.tensor(2).shape;
  const hidden: Dim | null = attrs.hidden ?? recurrentWeight?.at(-1) ?? null;
  if (shape === null || hidden === null)
    return [tensorFact(dtype, null), tensorFact(dtype, null), tensorFact(dtype, null)];
  const [steps, batch] = attrs.batchFirst
    ? [extentAt(shape, 1), extentAt(shape, 0)]
    : [extentAt(shape, 0), extentAt(shape, 1)];
  const { directions } = attrs;
  const sequence = attrs.batchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden];
  const state = attrs.batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
  return [tensorFact(dtype, sequence), tensorFact(dtype, state), tensorFact(dtype, state)];
}

/**
 * MACs: steps × batch × directions × gates × hidden × (input + hidden). FLOPs beside: for every gate its activation and
 * its bias, and the update of the state.
 */
function cost(attrs: Attrs, { inputs }: CostContext): Cost | null {
  const [input, , recurrentWeight, bias] = inputs;
  if (!input) return null;
  const hidden = attrs.hidden ?? (recurrentWeight ? extentNumber(recurrentWeight, -1) : null);
  if (hidden === null) return null;
  const { gates, updates } = CELLS[attrs.cell];
  const width = extentNumber(input, 2);
  const units = multiplyExact(extentNumber(input, 0), extentNumber(input, 1), attrs.directions, hidden);
  return {
    macs: multiplyExact(units, gates, addExact(width, hidden)),
    otherFlops: multiplyExact(units, gates * (bias ? 2 : 1) + updates),
  };
}

type ConvLstm = RecurrentAttrs['convLstm'];

/** One step's image is convolved as a convolution of its own would; the state then keeps its extents. */
function inferConvLstm(attrs: ConvLstm, context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return [tensorFact(dtype, null), tensorFact(dtype, null), tensorFact(dtype, null)];
  const [batch, steps, ...image] = shape;
  if (batch === undefined || steps === undefined || image.length !== attrs.kernel.length + 1) {
    throw new ShapeConflict(`${shape.length} axes for a window of ${attrs.kernel.length}`);
  }
  const spatial = attrs.channelsLast ? image.slice(0, -1) : image.slice(1);
  const extents = spatial.map((extent, axis) => windowExtent(extent, axis, attrs.kernel[axis] ?? 1, attrs));
  const step = attrs.channelsLast ? [...extents, attrs.filters] : [attrs.filters, ...extents];
  const state = tensorFact(dtype, [batch, ...step]);
  return [tensorFact(dtype, [batch, steps, ...step]), state, state];
}

/** MACs: for each element of the state and each step, 4 gates × ∏k × (channels + filters). FLOPs beside: as an LSTM. */
function convLstmCost(attrs: ConvLstm, { inputs, outputs }: CostContext): Cost | null {
  const [input, , , bias] = inputs;
  const units = outputs[0]?.elements;
  if (!input || units === undefined) return null;
  const { gates, updates } = CELLS.lstm;
  const channels = extentNumber(input, attrs.channelsLast ? -1 : 2);
  return {
    macs: multiplyExact(units, gates, ...attrs.kernel, addExact(channels, attrs.filters)),
    otherFlops: multiplyExact(units, gates * (bias ? 2 : 1) + updates),
  };
}

export const recurrentOps: OpFamily<RecurrentAttrs> = {
  recurrent: { kind: 'recurrent', roles: { 1: 'weight', 2: 'weight', 3: 'weight', 7: 'weight' }, infer, cost },
  convLstm: {
    kind: 'recurrent',
    roles: { 1: 'weight', 2: 'weight', 3: 'weight' },
    infer: inferConvLstm,
    cost: convLstmCost,
  },
};
