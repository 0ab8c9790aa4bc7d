/** Operators that move elements and compute nothing. */

import { stridesOf } from '../../ir/extents.ts';
import type { ValueId } from '../../ir/graph.ts';
import { channelRange, planGather } from '../plan/channels.ts';
import type { ChannelAxis } from '../plan/repacking.ts';
import { planCopy, planPermuted } from '../plan/strided.ts';
import { elementsOf, type Halo, isTight } from '../plan/tensor.ts';
import { shapeOf } from './analysed-model.ts';
import { join, reorder, takeApart } from './channel-shuffle.ts';
import type { Layer } from './layer.ts';
import { channelPosition, extentsOf, isPixel, normaliseAxis, slicedExtentsOf } from './layouts.ts';
import { inputOf, type NodePlanner, type PlanContext } from './planner.ts';
import type { NetworkValues } from './values.ts';

type Alias = 'identity' | 'dropout' | 'cast';

/** The same tensor under another name. */
export const planIdentity: NodePlanner<Alias> = {
  halos: (layer, _, output) => [[inputOf(layer, 0), output]],
  plan: (layer, values) => {
    const input = inputOf(layer, 0);
    const axis = values.blockedAxis(input);
    if (axis !== null) values.setBlocked(layer.output, values.blocked(input, axis), axis);
    else values.setPlain(layer.output, values.plain(input));
    return 'none';
  },
};

export const planCast: NodePlanner<'cast'> = {
  ...planIdentity,
  reject: (layer, { source }) => {
    const from = source.facts[inputOf(layer, 0)];
    const isFloat = from?.type === 'tensor' && from.dtype === 'float32' && layer.node.attrs.to === 'float32';
    return isFloat ? null : 'only float32 is run';
  },
};

type Reshaping = 'reshape' | 'flatten' | 'squeeze' | 'unsqueeze';

/** The same elements in the same order; between vectors and images of one pixel also in blocks. */
export const planReshape: NodePlanner<Reshaping> = {
  plan: (layer, values) => {
    const input = inputOf(layer, 0);
    if (join(values, input, layer.output)) return 'copy';
    if (takeApart(values, input, layer.output)) return 'none';
    const axis = values.blockedAxis(input);
    const from = axis === null ? null : extentsOf(values.shape(input), axis);
    const shape = values.shape(layer.output);
    const axes = (['first', 'last'] as const).filter((candidate) => {
      const to = extentsOf(shape, candidate);
      return to !== null && from !== null && isPixel(to) && to.channels === from.channels && to.items === from.items;
    });
    const to = axes.find((candidate) => candidate === axis) ?? axes[0];
    const tensor = axis === null ? null : values.blocked(input, axis);
    if (to !== undefined && from !== null && isPixel(from) && tensor && isTight(tensor)) {
      values.setBlocked(layer.output, tensor, to);
      return 'none';
    }
    values.setPlain(layer.output, { ...values.plain(input), shape });
    return 'none';
  },
};

function permutationOf({ node }: Layer<'transpose'>, rank: number): readonly number[] {
  return node.attrs.permutation ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
}

/** Between channels first and channels last: in blocks the tensor stays where it is. */
const CHANNEL_MOVES: Readonly<Record<string, { readonly from: ChannelAxis; readonly to: ChannelAxis }>> = {
  '0,2,3,1': { from: 'first', to: 'last' },
  '0,3,1,2': { from: 'last', to: 'first' },
  '0,2,1': { from: 'first', to: 'last' },
};

const channelMove = (layer: Layer<'transpose'>, rank: number) =>
  CHANNEL_MOVES[permutationOf(layer, rank).join()] ?? null;

export const planTranspose: NodePlanner<'transpose'> = {
  reject: (layer, { source }) => (shapeOf(source, layer.output).length > 6 ? 'it has more than six axes' : null),
  halos: (layer, { source }, output) => {
    const input = inputOf(layer, 0);
    return channelMove(layer, shapeOf(source, input).length) === null ? [] : [[input, output]];
  },
  plan: (layer, values) => {
    const input = inputOf(layer, 0);
    const rank = values.shape(input).length;
    if (reorder(values, input, layer.output, permutationOf(layer, rank))) return 'none';
    const move = channelMove(layer, rank);
    const known = values.blockedAxis(input);
    if (move !== null && rank === 3 && known === 'last') {
      values.setBlocked(layer.output, values.blocked(input, 'last'), 'first');
      return 'none';
    }
    if (move !== null && (known === null || known === move.from)) {
      values.setBlocked(layer.output, values.blocked(input, move.from), move.to);
      return 'none';
    }
    values.setPlain(layer.output, planPermuted(values.builder, values.plain(input), permutationOf(layer, rank)));
    return 'copy';
  },
};

export const planConcat: NodePlanner<'concat'> = {
  reject: (layer, { source }) => {
    if (layer.node.attrs.operands !== null) return 'it joins quantised tensors';
    return shapeOf(source, layer.output).length > 6 ? 'it has more than six axes' : null;
  },
  plan: (layer, values) => {
    const shape = values.shape(layer.output);
    const position = normaliseAxis(layer.node.attrs.axis, shape.length);
    const ids = layer.node.inputs.filter((id): id is ValueId => id !== null);
    const axis = ids.map(values.blockedAxis).find((known) => known !== null) ?? null;
    if (axis !== null && slicedExtentsOf(shape, axis) !== null && channelPosition(shape.length, axis) === position) {
      concatChannels(layer, values, ids, axis);
      return 'copy';
    }
    const y = values.newPlain(layer.output);
    const strides = stridesOf(shape);
    let offset = 0;
    for (const id of ids) {
      const x = values.plain(id);
      const to = { place: y.place, offset: offset * (strides[position] ?? 1), strides };
      planCopy(values.builder, x.shape, { place: x.place, offset: 0, strides: stridesOf(x.shape) }, to);
      offset += x.shape[position] ?? 0;
    }
    return 'copy';
  },
};

function concatChannels(
  layer: Layer<'concat'>,
  values: NetworkValues,
  ids: readonly ValueId[],
  axis: ChannelAxis,
): void {
  const sources = ids.map((id) => values.blocked(id, axis));
  const y = values.newBlocked(layer.output, axis);
  let first = 0;
  for (const x of sources) {
    planGather(values.builder, x, y, first, channelRange(0, x.channels));
    first += x.channels;
  }
}

/** A part of each axis: where it begins, how many elements it has, and the step between them. */
interface Part {
  readonly start: number;
  readonly count: number;
  readonly step: number;
}

function takePart(values: NetworkValues, input: ValueId, output: ValueId, parts: readonly Part[]): void {
  const shape = values.shape(input);
  const axis = values.blockedAxis(input);
  const position = axis === null ? -1 : channelPosition(shape.length, axis);
  const channels = parts[position];
  const isWhole = parts.every(({ count, step }, index) => index === position || (count === shape[index] && step === 1));
  if (axis !== null && channels && isWhole && slicedExtentsOf(shape, axis) !== null) {
    const x = values.blocked(input, axis);
    const y = values.newBlocked(output, axis);
    const sources = channelRange(0, channels.count).map((index) => channels.start + index * channels.step);
    planGather(values.builder, x, y, 0, sources);
    return;
  }
  const x = values.plain(input);
  const y = values.newPlain(output);
  const strides = stridesOf(shape);
  const offset = parts.reduce((sum, { start }, index) => sum + start * (strides[index] ?? 0), 0);
  const from = { place: x.place, offset, strides: parts.map(({ step }, index) => step * (strides[index] ?? 0)) };
  const extents = parts.map(({ count }) => count);
  planCopy(values.builder, extents, from, { place: y.place, offset: 0, strides: stridesOf(extents) });
}

const wholeParts = (shape: readonly number[]): Part[] => shape.map((count) => ({ start: 0, count, step: 1 }));

export const planSplit: NodePlanner<'split'> = {
  plan: (layer, values) => {
    const input = inputOf(layer, 0);
    const shape = values.shape(input);
    const position = normaliseAxis(layer.node.attrs.axis, shape.length);
    let start = 0;
    for (const output of layer.node.outputs) {
      if (output === null) continue;
      const count = values.shape(output)[position] ?? 0;
      const parts = wholeParts(shape);
      parts[position] = { start, count, step: 1 };
      takePart(values, input, output, parts);
      start += count;
    }
    return 'copy';
  },
};

/** The parts that a slice takes; null where only a run could tell. */
function slicedParts(layer: Layer<'slice'>, { source, constants }: PlanContext): readonly Part[] | null {
  const shape = shapeOf(source, inputOf(layer, 0));
  const output = shapeOf(source, layer.output);
  const [starts, , axes, steps] = [1, 2, 3, 4].map((index) => {
    const id = layer.node.inputs[index] ?? null;
    return id === null ? undefined : constants.numbers(id);
  });
  if (!starts || axes === null || steps === null) return null;
  const parts = wholeParts(shape);
  for (const [index, start] of starts.entries()) {
    const axis = normaliseAxis(axes?.[index] ?? index, shape.length);
    const step = steps?.[index] ?? 1;
    const extent = shape[axis] ?? 0;
    const from = Math.max(0, Math.min(start < 0 ? start + extent : start, step > 0 ? extent : extent - 1));
    parts[axis] = { start: from, count: output[axis] ?? 0, step };
  }
  return parts;
}

export const planSlice: NodePlanner<'slice'> = {
  reject: (layer, context) => (slicedParts(layer, context) === null ? 'its bounds are computed while it runs' : null),
  plan: (layer, values, context) => {
    takePart(values, inputOf(layer, 0), layer.output, slicedParts(layer, context) ?? []);
    return 'copy';
  },
};

/** Indices that follow each other, as one part of the axis. */
interface Run {
  readonly first: number;
  readonly count: number;
}

/** Each run of indices is a copy of its own. */
const MAX_RUNS = 256;

/** Constant indices along an axis, in runs; null where only a run could tell, or there are too many. */
function gatheredRuns(layer: Layer<'gather'>, { source, constants }: PlanContext): readonly Run[] | null {
  const indices = constants.numbers(inputOf(layer, 1));
  const shape = shapeOf(source, inputOf(layer, 0));
  const extent = shape[normaliseAxis(layer.node.attrs.axis, shape.length)] ?? 1;
  const runs: Run[] = [];
  for (const given of indices ?? []) {
    const index = normaliseAxis(given, extent);
    const last = runs.at(-1);
    if (last && last.first + last.count === index) runs[runs.length - 1] = { ...last, count: last.count + 1 };
    else runs.push({ first: index, count: 1 });
    if (runs.length > MAX_RUNS) return null;
  }
  return indices === null ? null : runs;
}

export const planGatherNode: NodePlanner<'gather'> = {
  reject: (layer, context) => {
    if (shapeOf(context.source, inputOf(layer, 0)).length > 6) return 'it has more than six axes';
    return gatheredRuns(layer, context) === null ? `its indices are no constants, or more than ${MAX_RUNS} runs` : null;
  },
  plan: (layer, values, context) => {
    const x = values.plain(inputOf(layer, 0));
    const axis = normaliseAxis(layer.node.attrs.axis, x.shape.length);
    const runs = gatheredRuns(layer, context) ?? [];
    const extentsWith = (count: number): readonly number[] =>
      x.shape.map((extent, index) => (index === axis ? count : extent));
    const from = stridesOf(x.shape);
    const to = stridesOf(extentsWith(runs.reduce((sum, { count }) => sum + count, 0)));
    const y = values.newPlain(layer.output);
    let done = 0;
    for (const { first, count } of runs) {
      const source = { place: x.place, offset: first * (from[axis] ?? 0), strides: from };
      planCopy(values.builder, extentsWith(count), source, {
        place: y.place,
        offset: done * (to[axis] ?? 0),
        strides: to,
      });
      done += count;
    }
    return 'copy';
  },
};

export const planExpand: NodePlanner<'expand'> = {
  reject: (layer, { source }) => (shapeOf(source, layer.output).length > 6 ? 'it has more than six axes' : null),
  plan: (layer, values) => {
    const x = values.plain(inputOf(layer, 0));
    const y = values.newPlain(layer.output);
    const shift = y.shape.length - x.shape.length;
    const own = stridesOf(x.shape);
    const strides = y.shape.map((_, axis) =>
      axis < shift || x.shape[axis - shift] === 1 ? 0 : (own[axis - shift] ?? 0),
    );
    planCopy(
      values.builder,
      y.shape,
      { place: x.place, offset: 0, strides },
      { place: y.place, offset: 0, strides: stridesOf(y.shape) },
    );
    return 'copy';
  },
};

/** Pads before and behind each axis, and the value there; null where only a run could tell. */
function padding(layer: Layer<'pad'>, { source, constants }: PlanContext) {
  const rank = shapeOf(source, inputOf(layer, 0)).length;
  const [pads, value, axes] = [1, 2, 3].map((index) => {
    const id = layer.node.inputs[index] ?? null;
    return id === null ? undefined : constants.numbers(id);
  });
  if (!pads || value === null || axes === null) return null;
  const before = Array.from({ length: rank }, () => 0);
  const behind = Array.from({ length: rank }, () => 0);
  const count = pads.length / 2;
  for (let index = 0; index < count; index++) {
    const axis = normaliseAxis(axes?.[index] ?? index, rank);
    before[axis] = pads[index] ?? 0;
    behind[axis] = pads[index + count] ?? 0;
  }
  return { before, behind, value: value?.[0] ?? 0 };
}

/** Zeroes around height and width; null where the pad does something else. */
function spatialPadding(layer: Layer<'pad'>, context: PlanContext, axis: ChannelAxis): Halo | null {
  const pads = padding(layer, context);
  const rank = shapeOf(context.source, layer.output).length;
  if (pads === null || pads.value !== 0 || rank !== 4) return null;
  if ([...pads.before, ...pads.behind].some((extent) => extent < 0)) return null;
  const [y, x] = axis === 'first' ? [2, 3] : [1, 2];
  const others = [0, 1, 2, 3].filter((index) => index !== y && index !== x);
  if (others.some((index) => pads.before[index] !== 0 || pads.behind[index] !== 0)) return null;
  return {
    top: pads.before[y] ?? 0,
    left: pads.before[x] ?? 0,
    bottom: pads.behind[y] ?? 0,
    right: pads.behind[x] ?? 0,
  };
}

const addHalos = (a: Halo, b: Halo): Halo => ({
  top: a.top + b.top,
  left: a.left + b.left,
  bottom: a.bottom + b.bottom,
  right: a.right + b.right,
});

/** The axis along which the pad is only around height and width. */
const paddedAxis = (layer: Layer<'pad'>, context: PlanContext): ChannelAxis | null =>
  (['first', 'last'] as const).find((axis) => spatialPadding(layer, context, axis) !== null) ?? null;

export const planPad: NodePlanner<'pad'> = {
  reject: (layer, context) => {
    const pads = padding(layer, context);
    if (pads === null) return 'its pads are computed while it runs';
    if (layer.node.attrs.mode !== 'constant') return `the runtime has no kernel for ${layer.node.attrs.mode} padding`;
    return [...pads.before, ...pads.behind].some((extent) => extent < 0) ? 'it crops' : null;
  },
  halos: (layer, context, output) => {
    const axis = paddedAxis(layer, context);
    const pads = axis === null ? null : spatialPadding(layer, context, axis);
    return pads === null ? [] : [[inputOf(layer, 0), addHalos(pads, output)]];
  },
  plan: (layer, values, context) => {
    const axis = paddedAxis(layer, context);
    const pads = axis === null ? null : spatialPadding(layer, context, axis);
    const known = values.blockedAxis(inputOf(layer, 0));
    if (axis !== null && pads !== null && (known === null || known === axis)) {
      // The zeroes are there already: the padded tensor is the same memory with less of it as halo.
      const x = values.blocked(inputOf(layer, 0), axis);
      const halo = {
        top: x.halo.top - pads.top,
        left: x.halo.left - pads.left,
        bottom: x.halo.bottom - pads.bottom,
        right: x.halo.right - pads.right,
      };
      const height = x.height + pads.top + pads.bottom;
      const width = x.width + pads.left + pads.right;
      values.setBlocked(layer.output, { ...x, height, width, halo }, axis);
      return 'none';
    }
    padPlain(layer, values, context);
    return 'copy';
  },
};

function padPlain(layer: Layer<'pad'>, values: NetworkValues, context: PlanContext): void {
  const pads = padding(layer, context);
  if (pads === null) return;
  const x = values.plain(inputOf(layer, 0));
  const y = values.newPlain(layer.output);
  const strides = stridesOf(y.shape);
  values.builder.step('fill', Math.ceil(elementsOf(y.shape) / 4), { output: y.place, value: pads.value });
  const offset = pads.before.reduce((sum, extent, axis) => sum + extent * (strides[axis] ?? 0), 0);
  planCopy(
    values.builder,
    x.shape,
    { place: x.place, offset: 0, strides: stridesOf(x.shape) },
    { place: y.place, offset, strides },
  );
}
