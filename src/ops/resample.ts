import { type Dim, isStatic, multiplyDims } from '../ir/dim.ts';
import { multiplyExact } from '../ir/exact.ts';
import { type Fact, type Shape, tensorFact } from '../ir/fact.ts';
import type { ResampleAttrs } from '../ir/operators.ts';
import { type InferContext, type OpFamily, ShapeConflict } from './op-def.ts';
import { extentAt, extentNumber, normaliseAxis } from './shape-rules.ts';

type ResizeAttrs = ResampleAttrs['resize'];

/** Elements that one output element is interpolated from, along one axis. */
const TAPS = { nearest: 0, linear: 2, cubic: 4 } as const;

function inferResize(attrs: ResizeAttrs, context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return [tensorFact(dtype, null)];
  const axes = attrs.axes?.map((axis) => normaliseAxis(axis, shape.length)) ?? shape.map((_, axis) => axis);
  if (axes.length > shape.length) throw new ShapeConflict(`${axes.length} axes to resize of ${shape.length}`);
  const resized = [...shape];
  const sizes = asked(context, 2);
  const scales = asked(context, 1);
  axes.forEach((axis, index) => {
    const extent = extentAt(shape, axis);
    if (sizes !== null) resized[axis] = sizes[index] ?? context.dataDependent('resized', axis);
    else resized[axis] = scaledExtent(extent, scales?.[index] ?? null) ?? context.dataDependent('resized', axis);
  });
  return [
    tensorFact(dtype, attrs.policy === 'stretch' || sizes === null ? resized : keepAspect(attrs, shape, resized, axes)),
  ];
}

/** Values of an input that is left out where it has no elements. */
function asked(context: InferContext, index: number): readonly (Dim | null)[] | null {
  if (!context.isPresent(index)) return null;
  const { elements, shape } = context.tensor(index);
  if (elements !== null) return elements.length > 0 ? elements : null;
  return shape?.[0] === 0 ? null : [];
}

/** ⌊in · scale⌋ in float32, as runtimes compute it: 10 · 0.7 is 7. Null where it depends on data. */
function scaledExtent(extent: Dim, scale: Dim | null): Dim | null {
  if (scale === 1) return extent;
  if (scale === null || !isStatic(scale)) return null;
  if (!isStatic(extent)) return Number.isInteger(scale) ? multiplyDims(extent, scale) : null;
  return Math.floor(Math.fround(extent * Math.fround(scale)));
}

/** One scale for all axes, the smallest or the largest asked for. */
function keepAspect(attrs: ResizeAttrs, shape: Shape, resized: Shape, axes: readonly number[]): Shape {
  if (!axes.every((axis) => isStatic(resized[axis] ?? 0) && isStatic(shape[axis] ?? 0))) {
    throw new ShapeConflict('a ratio of extents that are not known');
  }
  const scales = axes.map((axis) => Number(resized[axis]) / Number(shape[axis]));
  const scale = attrs.policy === 'not_larger' ? Math.min(...scales) : Math.max(...scales);
  if (!Number.isFinite(scale)) return resized;
  return shape.map((extent, axis) => (axes.includes(axis) ? Math.floor(Number(extent) * scale + 0.5) : extent));
}

function inferAffineGrid(_attrs: unknown, context: InferContext): readonly Fact[] {
  const { dtype } = context.tensor(0);
  const size = context.integers(1);
  if (size === null) return [tensorFact(dtype, null)];
  const [batch = 1, , ...spatial] = size;
  return [tensorFact(dtype, [batch, ...spatial, spatial.length])];
}

export const resampleOps: OpFamily<ResampleAttrs> = {
  resize: {
    kind: 'other',
    roles: { 0: 'carried' },
    infer: inferResize,
    // One operation for each element that is interpolated from; picking the nearest moves data only.
    cost: ({ mode }, { inputs, outputs }) => {
      const [from, to] = [inputs[0], outputs[0]];
      if (!from || !to || TAPS[mode] === 0) return { macs: 0, otherFlops: 0 };
      const scaledAxes = to.shape.filter((extent, axis) => extent !== from.shape[axis]).length;
      return { macs: 0, otherFlops: multiplyExact(to.elements, scaledAxes === 0 ? 0 : TAPS[mode] ** scaledAxes) };
    },
  },
  gridSample: {
    kind: 'other',
    roles: {},
    infer: (_attrs, context) => {
      const { dtype, shape } = context.tensor(0);
      const grid = context.tensor(1).shape;
      if (shape === null || grid === null) return [tensorFact(dtype, null)];
      return [tensorFact(dtype, [extentAt(shape, 0), extentAt(shape, 1), ...grid.slice(1, -1)])];
    },
    cost: ({ mode }, { inputs, outputs }) => {
      const axes = (inputs[0]?.shape.length ?? 2) - 2;
      return {
        macs: 0,
        otherFlops: TAPS[mode] === 0 ? 0 : multiplyExact(outputs[0]?.elements ?? 0, TAPS[mode] ** axes),
      };
    },
  },
  affineGrid: {
    kind: 'other',
    roles: { 0: 'carried' },
    infer: inferAffineGrid,
    // Each coordinate is a product with one row of the matrix: a multiply-add an axis, and one for the shift.
    cost: (_attrs, { outputs }) => {
      const output = outputs[0];
      if (!output) return null;
      return { macs: 0, otherFlops: multiplyExact(2, output.elements, extentNumber(output, -1) + 1) };
    },
  },
};
