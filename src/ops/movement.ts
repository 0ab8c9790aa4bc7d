import { addDims, type Dim, divideExactly, floorDivideDims, isStatic, multiplyDims, subtractDims } from '../ir/dim.ts';
import { type Fact, type Shape, staticShape, tensorFact } from '../ir/fact.ts';
import type { MovementAttrs } from '../ir/operators.ts';
import { broadcastElements } from './evaluate.ts';
import { computedShape } from './generate.ts';
import { concatElements, sliceElements, splitElements, tileElements } from './move-elements.ts';
import { moves } from './moves.ts';
import { type InferContext, type OpDef, type OpFamily, ShapeConflict } from './op-def.ts';
import { broadcastShapes, extentAt, normaliseAxis, replaceAxis, sameAsInput, trackedTensor } from './shape-rules.ts';
import { type SliceRange, sliceExtent } from './slice-range.ts';

function inferConcat({ axis, operands }: MovementAttrs['concat'], context: InferContext): readonly Fact[] {
  const tensors = (operands ?? [...context.inputs.keys()]).map((index) => context.tensor(index));
  const dtype = tensors[0]?.dtype ?? null;
  const shapes = tensors.map(({ shape }) => shape);
  const first = shapes.find((shape) => shape !== null);
  if (!first) return [tensorFact(dtype, null)];
  const at = normaliseAxis(axis, first.length);
  if (shapes.some((shape) => shape === null)) {
    return [tensorFact(dtype, replaceAxis(first, at, context.dataDependent('concatenated')))];
  }
  const total = shapes.reduce<Dim>((sum, shape) => addDims(sum, extentAt(shape ?? [], at)), 0);
  // The other extents agree; a known one tells what a symbolic one is.
  const joined = first.map((extent, index) => {
    const known = shapes.map((shape) => shape?.[index]).find((other) => typeof other === 'number');
    return known ?? extent;
  });
  return [trackedTensor(dtype, replaceAxis(joined, at, total), concatElements(tensors, at))];
}

function inferSplit({ axis, parts }: MovementAttrs['split'], context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const { dtype, shape } = input;
  const count = context.outputCount;
  if (shape === null) return Array.from({ length: count }, () => tensorFact(dtype, null));
  const at = normaliseAxis(axis, shape.length);
  if (parts !== null && parts !== count) throw new ShapeConflict(`${parts} parts for ${count} results`);
  const lengths = parts === null ? computedShape(context, 1, 'split') : equalParts(extentAt(shape, at), parts);
  if (lengths === null) throw new ShapeConflict('the lengths of the parts are not known');
  const elements = splitElements(input, at, lengths);
  return Array.from({ length: count }, (_, index) =>
    trackedTensor(dtype, replaceAxis(shape, at, extentAt(lengths, index)), elements?.[index] ?? null),
  );
}

/** Parts of ⌈extent / parts⌉; the last one takes what is left. */
function equalParts(extent: Dim, parts: number): Shape {
  if (parts <= 0) throw new ShapeConflict('a split into no parts');
  const length = isStatic(extent) ? Math.ceil(extent / parts) : floorDivideDims(addDims(extent, parts - 1), parts);
  if (length === null) return [extent];
  const last = subtractDims(extent, multiplyDims(length, parts - 1));
  const rest = isStatic(last) ? Math.max(0, last) : (divideExactly(extent, parts) ?? last);
  return Array.from({ length: parts }, (_, index) => (index === parts - 1 ? rest : length));
}

function inferSlice(_attrs: unknown, context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const { dtype, shape } = input;
  if (shape === null) return [tensorFact(dtype, null)];
  const starts = context.tensor(1).elements;
  const ends = context.tensor(2).elements;
  const count = starts?.length ?? ends?.length ?? staticShape(context.tensor(1).shape)?.[0];
  if ((count ?? 0) > shape.length) throw new ShapeConflict(`${count} slices of ${shape.length} axes`);
  const axes = context.isPresent(3) ? context.integers(3) : shape.slice(0, count).map((_, axis) => axis);
  const steps = context.isPresent(4) ? context.integers(4) : new Array<number>(count ?? 0).fill(1);
  if (axes === null || steps === null)
    return [
      tensorFact(
        dtype,
        shape.map((_, axis) => context.dataDependent('sliced', axis)),
      ),
    ];
  const ranges = axes.map(
    (axis, index): SliceRange => ({
      axis: normaliseAxis(axis, shape.length),
      start: starts?.[index] ?? null,
      end: ends?.[index] ?? null,
      step: steps[index] ?? 1,
    }),
  );
  const sliced = ranges.reduce<Shape>((result, range) => {
    const extent = sliceExtent(extentAt(shape, range.axis), range) ?? context.dataDependent('sliced', range.axis);
    return replaceAxis(result, range.axis, extent);
  }, shape);
  return [trackedTensor(dtype, sliced, sliceElements(input, ranges))];
}

function inferPad(_attrs: unknown, context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return [tensorFact(dtype, null)];
  const pads = context.tensor(1).elements;
  const axes = context.isPresent(3) ? context.integers(3) : shape.map((_, axis) => axis);
  if (pads === null || axes === null)
    return [
      tensorFact(
        dtype,
        shape.map((_, axis) => context.dataDependent('padded', axis)),
      ),
    ];
  const padded = [...shape];
  axes.forEach((axis, index) => {
    const at = normaliseAxis(axis, shape.length);
    const [begin, end] = [pads[index] ?? null, pads[index + axes.length] ?? null];
    padded[at] =
      begin === null || end === null
        ? context.dataDependent('padded', at)
        : addDims(extentAt(shape, at), addDims(begin, end));
  });
  return [tensorFact(dtype, padded)];
}

function inferExpand(_attrs: unknown, context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const shape = broadcastShapes([input.shape, computedShape(context, 1, 'expanded')]);
  return [
    trackedTensor(
      input.dtype,
      shape,
      broadcastElements([input], shape, ([element = null]) => element),
    ),
  ];
}

function inferTile(_attrs: unknown, context: InferContext): readonly Fact[] {
  const input = context.tensor(0);
  const { dtype, shape } = input;
  const repeats = context.tensor(1).elements;
  if (shape === null) return [tensorFact(dtype, null)];
  const tiled = shape.map((extent, axis) => {
    const repeat = repeats?.[axis] ?? null;
    return repeat === null ? context.dataDependent('tiled', axis) : multiplyDims(extent, repeat);
  });
  return [trackedTensor(dtype, tiled, tileElements(input, staticShape(repeats?.map((r) => r ?? -1))))];
}

function inferTileAxis(_attrs: unknown, context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  const [repeat, axis] = [context.integers(1)?.[0], context.integers(2)?.[0]];
  if (shape === null || axis === undefined) return [tensorFact(dtype, null)];
  const at = normaliseAxis(axis, shape.length);
  const extent = repeat === undefined ? context.dataDependent('repeated') : multiplyDims(extentAt(shape, at), repeat);
  return [tensorFact(dtype, replaceAxis(shape, at, extent))];
}

function inferCenterCropPad({ axes }: MovementAttrs['centerCropPad'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  const asked = computedShape(context, 1, 'cropped');
  if (shape === null || asked === null) return [tensorFact(dtype, null)];
  const on = axes?.map((axis) => normaliseAxis(axis, shape.length)) ?? shape.map((_, axis) => axis);
  const cropped = on.reduce<Shape>((result, axis, index) => replaceAxis(result, axis, extentAt(asked, index)), shape);
  return [tensorFact(dtype, cropped)];
}

/** Space moves into depth, or back: the block's area between channels and positions. */
function blocks(direction: 'to-depth' | 'to-space'): OpDef<'depthToSpace'>['infer'] {
  return ({ block }, context) => {
    const { dtype, shape } = context.tensor(0);
    if (shape === null) return [tensorFact(dtype, null)];
    const [batch, channels, height, width] = [0, 1, 2, 3].map((axis) => extentAt(shape, axis));
    const divide = (dim: Dim | undefined, by: number) => floorDivideDims(dim ?? 1, by);
    const multiply = (dim: Dim | undefined, by: number) => multiplyDims(dim ?? 1, by);
    const [depth, space] = direction === 'to-depth' ? [multiply, divide] : [divide, multiply];
    const moved = [depth(channels, block * block), space(height, block), space(width, block)];
    const known = moved.filter((extent) => extent !== null);
    if (known.length < moved.length) throw new ShapeConflict('a block of 0');
    return [tensorFact(dtype, [batch ?? 1, ...known])];
  };
}

function inferBlocked({ block, channelsLast }: MovementAttrs['blockChannels'], context: InferContext): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return [tensorFact(dtype, null)];
  const spatial = channelsLast ? shape.slice(1, -1) : shape.slice(2);
  const channels = extentAt(shape, channelsLast ? shape.length - 1 : 1);
  const blocks = floorDivideDims(addDims(channels, block - 1), block);
  const filled = blocks === null ? context.dataDependent('channels') : multiplyDims(blocks, block);
  return [tensorFact(dtype, [extentAt(shape, 0), filled, ...spatial])];
}

function inferUnblocked(
  { channels, channelsLast }: MovementAttrs['unblockChannels'],
  context: InferContext,
): readonly Fact[] {
  const { dtype, shape } = context.tensor(0);
  if (shape === null) return [tensorFact(dtype, null)];
  const [batch, spatial] = [extentAt(shape, 0), shape.slice(2)];
  return [tensorFact(dtype, channelsLast ? [batch, ...spatial, channels] : [batch, channels, ...spatial])];
}

export const movementOps: OpFamily<MovementAttrs> = {
  concat: moves(inferConcat, { every: 'carried' }),
  split: moves(inferSplit),
  slice: moves(inferSlice),
  pad: moves(inferPad),
  expand: moves(inferExpand),
  tile: moves(inferTile),
  tileAxis: moves(inferTileAxis),
  centerCropPad: moves(inferCenterCropPad),
  tensorScatter: moves(sameAsInput),
  depthToSpace: moves(blocks('to-space')),
  spaceToDepth: moves(blocks('to-depth')),
  blockChannels: moves(inferBlocked),
  unblockChannels: moves(inferUnblocked),
  reverseSequence: moves(sameAsInput),
  trilu: moves(sameAsInput),
};
