/** Elements picked, or placed, by index. */
import { stridesOf } from '../../ir/extents.ts';
import type { ValueId } from '../../ir/graph.ts';
import { type Piece, piecesOf, planPieces } from '../plan/pieces.ts';
import { at } from '../plan/program.ts';
import { elementsOf, newPlain, type Plain } from '../plan/tensor.ts';
import { shapeOf } from './analysed-model.ts';
import type { Layer } from './layer.ts';
import { normaliseAxis } from './layouts.ts';
import { inputOf, type NodePlanner, type PlanContext } from './planner.ts';
import type { NetworkValues } from './values.ts';

/** Each piece is a copy of its own; more of them are picked one by one. */
const MAX_PIECES = 64;

/** Indices are floats while they are used: beyond, they would be rounded. */
const MAX_EXTENT = 2 ** 24;

/** Constant indices along an axis, in pieces; null where only a run could tell, or there are too many. */
function gatheredPieces(layer: Layer<'gather'>, { source, constants }: PlanContext): readonly Piece[] | null {
  const indices = constants.numbers(inputOf(layer, 1));
  const shape = shapeOf(source, inputOf(layer, 0));
  const extent = shape[normaliseAxis(layer.node.attrs.axis, shape.length)] ?? 1;
  if (shape.length > 6 || indices === null) return null;
  return piecesOf(
    indices.map((index) => normaliseAxis(index, extent)),
    MAX_PIECES,
  );
}

/** How the indices lie: bytes from one to the next along the axes before, on and behind the one that they index. */
interface IndexStrides {
  readonly outer: number;
  readonly step: number;
  readonly inner: number;
}

function planPicked(
  values: NetworkValues,
  [input, indices, output]: readonly [ValueId, ValueId, ValueId],
  axis: number,
  count: number,
  strides: IndexStrides,
): void {
  const x = values.plain(input);
  const outer = elementsOf(x.shape.slice(0, axis));
  values.builder.step('pick', outer * count, {
    input: x.place,
    output: values.newPlain(output).place,
    indices: values.plain(indices).place,
    count,
    extent: x.shape[axis] ?? 1,
    inner: elementsOf(x.shape.slice(axis + 1)),
    indexOuter: strides.outer * 4,
    indexStep: strides.step * 4,
    indexInner: strides.inner * 4,
  });
}

export const planGatherNode: NodePlanner<'gather'> = {
  reject: rejectExtent,
  plan: (layer, values, context) => {
    const [input, indices] = [inputOf(layer, 0), inputOf(layer, 1)];
    const shape = values.shape(input);
    const axis = normaliseAxis(layer.node.attrs.axis, shape.length);
    const pieces = gatheredPieces(layer, context);
    const count = elementsOf(values.shape(indices));
    if (pieces === null) {
      planPicked(values, [input, indices, layer.output], axis, count, { outer: 0, step: 1, inner: 0 });
      return 'gather';
    }
    const gathered = shape.map((extent, index) => (index === axis ? count : extent));
    planPieces(
      values.builder,
      values.plain(input),
      { ...values.newPlain(layer.output), shape: gathered },
      axis,
      pieces,
    );
    return 'copy';
  },
};

function rejectExtent(layer: Layer<'gather'> | Layer<'gatherElements'>, { source }: PlanContext): string | null {
  const shape = shapeOf(source, inputOf(layer, 0));
  const extent = shape[normaliseAxis(layer.node.attrs.axis, shape.length)] ?? 0;
  if (extent === 0) return 'it picks from nothing';
  return extent > MAX_EXTENT ? 'its axis is too long for indices that are floats' : null;
}

export const planGatherElements: NodePlanner<'gatherElements'> = {
  reject: (layer, context) => {
    const [x, indices] = [0, 1].map((index) => shapeOf(context.source, inputOf(layer, index)));
    const axis = normaliseAxis(layer.node.attrs.axis, x?.length ?? 0);
    const isPartial = x?.some((extent, index) => index !== axis && extent !== indices?.[index]);
    return isPartial ? 'its indices are for a part of the tensor' : rejectExtent(layer, context);
  },
  plan: (layer, values) => {
    const [input, indices] = [inputOf(layer, 0), inputOf(layer, 1)];
    const shape = values.shape(indices);
    const axis = normaliseAxis(layer.node.attrs.axis, shape.length);
    const count = shape[axis] ?? 1;
    const inner = elementsOf(shape.slice(axis + 1));
    planPicked(values, [input, indices, layer.output], axis, count, { outer: count * inner, step: inner, inner: 1 });
    return 'gather';
  },
};

/**
 * Where the elements of a scattering come from: positions in the tensor and, behind its last, in the updates. Null where
 * only a run could tell.
 */
function scatteredRuns(layer: Scatter, { source, constants }: PlanContext) {
  const { node } = layer;
  const shape = shapeOf(source, inputOf(layer, 0));
  const indices = constants.numbers(inputOf(layer, 1));
  const indexShape = shapeOf(source, inputOf(layer, 1));
  if (indices === null) return null;
  const strides = stridesOf(shape);
  const depth = node.kind === 'scatterND' ? (indexShape.at(-1) ?? 0) : shape.length;
  const run = elementsOf(shape.slice(depth));
  const total = elementsOf(shape) / Math.max(1, run);
  if (2 * total + indices.length > MAX_EXTENT) return null;
  const from = Float32Array.from({ length: total }, (_, position) => position);
  const updates = indices.length / (node.kind === 'scatterND' ? depth : 1);
  const own = stridesOf(indexShape);
  for (let update = 0; update < updates; update++) {
    let target = 0;
    for (let axis = 0; axis < depth; axis++) {
      const extent = shape[axis] ?? 1;
      const isIndexed = node.kind === 'scatterND' || axis === normaliseAxis(node.attrs.axis, shape.length);
      const index = indices[node.kind === 'scatterND' ? update * depth + axis : update] ?? 0;
      const along = Math.floor(update / (own[axis] ?? 1)) % (indexShape[axis] ?? 1);
      target += (isIndexed ? normaliseAxis(index, extent) : along) * (strides[axis] ?? 0);
    }
    from[target / run] = total + update;
  }
  return { from, run, total, updates };
}

type Scatter = Layer<'scatterND' | 'scatterElements'>;

/** Behind each other, tensor and updates are one list of runs that the result is picked from. */
export const planScatter: NodePlanner<'scatterND' | 'scatterElements'> = {
  reject: (layer, context) => {
    const { node } = layer;
    if (node.attrs.adds) return 'it adds its updates up';
    if (node.kind === 'scatterND' && (shapeOf(context.source, inputOf(layer, 1)).at(-1) ?? 0) === 0) {
      return 'its indices name no axis';
    }
    return scatteredRuns(layer, context) === null ? 'its indices are computed while it runs, or too many' : null;
  },
  plan: (layer, values, context) => {
    const runs = scatteredRuns(layer, context);
    if (runs === null) return 'copy';
    const { builder } = values;
    const { from, run, total, updates } = runs;
    const parts = [inputOf(layer, 0), inputOf(layer, 2)].map((id) => values.plain(id));
    const joined = newPlain(builder, [total + updates, run]);
    let done = 0;
    for (const { place, shape } of parts) {
      const part: Plain = { kind: 'plain', place, shape: [elementsOf(shape)] };
      const to = { kind: 'plain', place: at(joined.place, done * 4), shape: part.shape } as const;
      planPieces(builder, part, to, 0, [{ first: 0, count: elementsOf(shape), step: 1 }]);
      done += elementsOf(shape);
    }
    builder.step('pick', total, {
      input: joined.place,
      output: values.newPlain(layer.output).place,
      indices: builder.constant(total, () => from),
      count: total,
      extent: total + updates,
      inner: run,
      indexOuter: 0,
      indexStep: 4,
      indexInner: 0,
    });
    return 'gather';
  },
};
