import { addDims, multiplyDims, subtractDims } from '../ir/dim.ts';
import { multiplyExact } from '../ir/exact.ts';
import { type Fact, tensorFact } from '../ir/fact.ts';
import type { PoolAttrs, WindowAttrs } from '../ir/operators.ts';
import type { Cost, CostContext, InferContext, OpFamily } from './op-def.ts';
import { ShapeConflict } from './op-def.ts';
import { extentAt, extentNumber, perInputElement } from './shape-rules.ts';
import { effectiveKernel, windowExtent } from './window.ts';

function kernelOf(attrs: WindowAttrs): readonly number[] {
  if (attrs.kernel === null) throw new ShapeConflict('no kernel shape');
  return attrs.kernel;
}

function inferPool(attrs: PoolAttrs['pool'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return [tensorFact(dtype, null), tensorFact('int64', null)];
  const kernel = kernelOf(attrs);
  if (attrs.padding.mode === 'explicit' && ![0, 2 * kernel.length].includes(attrs.padding.pads.length)) {
    throw new ShapeConflict(`${attrs.padding.pads.length} pads for ${kernel.length} axes`);
  }
  if (kernel.length !== shape.length - 2) {
    throw new ShapeConflict(`a window of ${kernel.length} axes on an input of ${shape.length}`);
  }
  const spatial = (attrs.channelsLast ? shape.slice(1, -1) : shape.slice(2)).map((extent, axis) =>
    windowExtent(extent, axis, kernel[axis] ?? 1, attrs, attrs.ceil),
  );
  const pooled = attrs.channelsLast
    ? [extentAt(shape, 0), ...spatial, extentAt(shape, shape.length - 1)]
    : [extentAt(shape, 0), extentAt(shape, 1), ...spatial];
  return [tensorFact(dtype, pooled), tensorFact('int64', pooled)];
}

function inferGlobalPool({ channelsLast }: PoolAttrs['globalPool'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return [tensorFact(dtype, null)];
  const last = shape.length - 1;
  const isKept = (axis: number) => axis === 0 || axis === (channelsLast ? last : 1);
  return [
    tensorFact(
      dtype,
      shape.map((extent, axis) => (isKept(axis) ? extent : 1)),
    ),
  ];
}

function inferAdaptive(attrs: PoolAttrs['adaptivePool'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return [tensorFact(dtype, null)];
  if (attrs.extents.length !== shape.length - 2) {
    throw new ShapeConflict(`${attrs.extents.length} extents for an input of ${shape.length} axes`);
  }
  const [batch, last] = [extentAt(shape, 0), shape.length - 1];
  const channels = extentAt(shape, attrs.channelsLast ? last : 1);
  return [
    tensorFact(dtype, attrs.channelsLast ? [batch, ...attrs.extents, channels] : [batch, channels, ...attrs.extents]),
  ];
}

/**
 * Elements that the windows along an axis read together: the input's, and one more for each border between two windows
 * that falls within an element, which are n − gcd(in, n).
 */
const readAlong = (input: number, windows: number): number => input + windows - greatestCommonDivisor(input, windows);

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function adaptiveCost(attrs: PoolAttrs['adaptivePool'], { inputs }: CostContext): Cost | null {
  const input = inputs[0];
  if (!input) return null;
  const spatial = attrs.channelsLast ? input.shape.slice(1, -1) : input.shape.slice(2);
  const planes = multiplyExact(extentNumber(input, 0), extentNumber(input, attrs.channelsLast ? -1 : 1));
  const read = spatial.map((extent, axis) => readAlong(extent, attrs.extents[axis] ?? 1));
  return { macs: 0, otherFlops: multiplyExact(planes, ...read) };
}

function inferUnpool(attrs: WindowAttrs, context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return [tensorFact(dtype, null)];
  if (context.isPresent(2))
    return [tensorFact(dtype, context.integers(2) ?? shape.map((_, axis) => context.dataDependent('unpooled', axis)))];
  const kernel = kernelOf(attrs);
  const pads = attrs.padding.mode === 'explicit' ? attrs.padding.pads : [];
  const spatial = shape.slice(2).map((extent, axis) => {
    const steps = multiplyDims(subtractDims(extent, 1), attrs.strides[axis] ?? 1);
    const covered = effectiveKernel(kernel[axis] ?? 1, 1);
    return addDims(steps, covered - (pads[axis] ?? 0) - (pads[axis + pads.length / 2] ?? 0));
  });
  return [tensorFact(dtype, [extentAt(shape, 0), extentAt(shape, 1), ...spatial])];
}

/** Regions are the rows of the second input. */
function inferRegions(extents: readonly number[], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  const regions = context.tensor(1).shape;
  if (shape === null || regions === null) return [tensorFact(dtype, null)];
  return [tensorFact(dtype, [extentAt(regions, 0), extentAt(shape, 1), ...extents])];
}

export const poolOps: OpFamily<PoolAttrs> = {
  pool: {
    kind: 'pool',
    roles: { 0: 'carried' },
    infer: inferPool,
    // One operation for each input element that a window reads.
    cost: ({ kernel }, { outputs }) => ({
      macs: 0,
      otherFlops: multiplyExact(outputs[0]?.elements ?? 0, ...(kernel ?? [])),
    }),
  },
  adaptivePool: { kind: 'pool', roles: { 0: 'carried' }, infer: inferAdaptive, cost: adaptiveCost },
  globalPool: { kind: 'pool', roles: { 0: 'carried' }, infer: inferGlobalPool, cost: perInputElement(1) },
  maxUnpool: { kind: 'pool', roles: {}, infer: inferUnpool, cost: () => ({ macs: 0, otherFlops: 0 }) },
  roiPool: {
    kind: 'pool',
    roles: {},
    infer: ({ pooled }, context) => inferRegions(pooled, context),
    // How much of the image a region covers is data.
    cost: () => ({ macs: 0, otherFlops: null }),
  },
  roiAlign: {
    kind: 'pool',
    roles: {},
    infer: ({ height, width }, context) => inferRegions([height, width], context),
    // Bilinear interpolation reads 4 elements a sampling point; without a fixed ratio their number follows the region.
    cost: ({ samples }, { outputs }) => ({
      macs: 0,
      otherFlops: samples > 0 ? multiplyExact(outputs[0]?.elements ?? 0, samples, samples, 4) : null,
    }),
  },
};
