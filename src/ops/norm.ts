import { multiplyExact } from '../ir/exact.ts';
import { type Fact, tensorFact } from '../ir/fact.ts';
import type { NormAttrs } from '../ir/operators.ts';
import type { Cost, CostContext, InferContext, OpFamily } from './op-def.ts';
import { extentAt, normaliseAxis, perOutputElement, sameAsInput } from './shape-rules.ts';

/** FLOPs an element: mean and variance, the difference and its scaling; and the learned scale and shift where there is one. */
const STATISTICS_FLOPS = 4;
/** Without the mean. */
const RMS_FLOPS = 3;
const AFFINE_FLOPS = 1;

const normFlops = (rms: boolean, affine: boolean): number =>
  (rms ? RMS_FLOPS : STATISTICS_FLOPS) + (affine ? AFFINE_FLOPS : 0);

const affineCost =
  (rms: boolean) =>
  (_attrs: unknown, { inputs, outputs }: CostContext): Cost => ({
    macs: 0,
    otherFlops: multiplyExact(normFlops(rms, Boolean(inputs[1])), outputs[0]?.elements ?? 0),
  });

function inferBatchNorm({ channelAxis }: NormAttrs['batchNorm'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  const channels = shape === null ? null : [extentAt(shape, normaliseAxis(channelAxis, shape.length))];
  const statistics = Array.from({ length: Math.max(0, context.outputCount - 1) }, () => tensorFact(dtype, channels));
  return [tensorFact(dtype, shape), ...statistics];
}

/** The reduced axes stay, with an extent of 1. */
function inferLayerNorm({ axis }: NormAttrs['layerNorm'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return [tensorFact(dtype, null), tensorFact('float32', null), tensorFact('float32', null)];
  const from = normaliseAxis(axis, shape.length);
  const statistics = tensorFact(
    'float32',
    shape.map((extent, index) => (index < from ? extent : 1)),
  );
  return [tensorFact(dtype, shape), statistics, statistics];
}

function inferSkipLayerNorm(_attrs: unknown, context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  const statistics = tensorFact('float32', shape && [...shape.slice(0, -1), 1]);
  return [tensorFact(dtype, shape), statistics, statistics, tensorFact(dtype, shape)];
}

function inferEmbedLayerNorm(_attrs: unknown, context: InferContext): readonly Fact[] {
  const ids = context.tensor(0).shape;
  const { dtype, shape: table } = context.tensor(2);
  const shape = ids && table ? [...ids, extentAt(table, 1)] : null;
  return [tensorFact(dtype, shape), tensorFact('int32', ids?.slice(0, 1) ?? null), tensorFact(dtype, shape)];
}

export const normOps: OpFamily<NormAttrs> = {
  batchNorm: {
    kind: 'norm',
    roles: { 1: 'weight', 2: 'weight', 3: 'statistic', 4: 'statistic' },
    infer: inferBatchNorm,
    // Inference folds the statistics into one scale and one shift.
    cost: perOutputElement(2),
  },
  instanceNorm: {
    kind: 'norm',
    // Exporters spell GroupNorm as this one with literal ones and zeros, and put the learned scale behind it.
    roles: { 1: 'operand', 2: 'operand' },
    infer: sameAsInput,
    cost: affineCost(false),
  },
  groupNorm: {
    kind: 'norm',
    roles: { 1: 'weight', 2: 'weight' },
    infer: sameAsInput,
    cost: ({ activation }, { inputs, outputs }) => ({
      macs: 0,
      otherFlops: multiplyExact(normFlops(false, Boolean(inputs[1])) + (activation ? 1 : 0), outputs[0]?.elements ?? 0),
    }),
  },
  layerNorm: {
    kind: 'norm',
    roles: { 1: 'weight', 2: 'weight' },
    infer: inferLayerNorm,
    cost: (attrs, context) => affineCost(attrs.rms)(attrs, context),
  },
  skipLayerNorm: {
    kind: 'norm',
    roles: { 0: 'operand', 1: 'operand', 2: 'weight', 3: 'weight', 4: 'weight' },
    infer: inferSkipLayerNorm,
    cost: ({ rms }, { inputs, outputs }) => ({
      macs: 0,
      // The sum with the residual, and the second bias, come first.
      otherFlops: multiplyExact(normFlops(rms, true) + (inputs[4] ? 2 : 1), outputs[0]?.elements ?? 0),
    }),
  },
  embedLayerNorm: {
    kind: 'norm',
    roles: { 2: 'weight', 3: 'weight', 4: 'weight', 5: 'weight', 6: 'weight' },
    infer: inferEmbedLayerNorm,
    cost: (_attrs, { inputs, outputs }) => ({
      macs: 0,
      otherFlops: multiplyExact(normFlops(false, true) + (inputs[4] ? 2 : 1), outputs[0]?.elements ?? 0),
    }),
  },
  lrn: {
    kind: 'norm',
    roles: { 0: 'carried' },
    infer: sameAsInput,
    // A square and a sum for each neighbour, then scale, power and division.
    cost: ({ size }, { outputs }) => ({ macs: 0, otherFlops: multiplyExact(size + 4, outputs[0]?.elements ?? 0) }),
  },
  lpNorm: { kind: 'norm', roles: { 0: 'carried' }, infer: sameAsInput, cost: perOutputElement(2) },
  meanVarianceNorm: {
    kind: 'norm',
    roles: { 0: 'carried' },
    infer: sameAsInput,
    cost: perOutputElement(STATISTICS_FLOPS),
  },
  softmax: {
    kind: 'activation',
    roles: { 0: 'carried' },
    infer: sameAsInput,
    cost: perOutputElement(5),
  },
  hardmax: { kind: 'activation', roles: { 0: 'carried' }, infer: sameAsInput, cost: perOutputElement(1) },
};
