/** Operators that move elements and compute nothing. */

import { isFloat } from '../../ir/dtype.ts';
import { stridesOf } from '../../ir/extents.ts';
import type { ValueId } from '../../ir/graph.ts';
import { channelRange, planGather } from '../plan/channels.ts';
import { broadcastStrides, planBinaryPlain, planMapPlain } from '../plan/elementwise.ts';
import { LINEAR } from '../plan/epilogue.ts';
import type { ChannelAxis } from '../plan/repacking.ts';
import { planCopy, planPermuted } from '../plan/strided.ts';
import { isTight, newPlain } from '../plan/tensor.ts';
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

/** Floats of any width are the same here, and truth values numbers; integers lose what is behind the point. */
export const planCast: NodePlanner<'cast'> = {
  halos: (layer, context, output) => (isKept(layer, context) ? [[inputOf(layer, 0), output]] : []),
  plan: (layer, values, context) => {
    if (isKept(layer, context)) return planIdentity.plan(layer, values, context);
    const { builder } = values;
    const x = values.plain(inputOf(layer, 0));
    const y = values.newPlain(layer.output);
    const isTruth = layer.node.attrs.to === 'bool';
    // Not not x; or the sign times what of |x| is in front of the point.
    for (const [index, activation] of (isTruth ? TRUTH : WHOLE_PART).entries()) {
      planMapPlain(builder, index === 0 ? x : y, y, { ...LINEAR, activation });
    }
    if (isTruth) return 'elementwise';
    const sign = newPlain(builder, y.shape);
    planMapPlain(builder, x, sign, { ...LINEAR, activation: 'sign' });
    planBinaryPlain(builder, 'mul', y, sign, y);
    return 'elementwise';
  },
};

const TRUTH = ['not', 'not'] as const;
const WHOLE_PART = ['abs', 'floor'] as const;

/** Whether the numbers stay what they are. */
function isKept(layer: Layer<'cast'>, { source }: PlanContext): boolean {
  const fact = source.facts[inputOf(layer, 0)];
  const from = fact?.type === 'tensor' ? fact.dtype : null;
  const { to } = layer.node.attrs;
  return isFloat(to) || from === 'bool' || (to !== 'bool' && from !== null && !isFloat(from));
}

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

export const planExpand: NodePlanner<'expand'> = {
  reject: (layer, { source }) => (shapeOf(source, layer.output).length > 6 ? 'it has more than six axes' : null),
  plan: (layer, values) => {
    const x = values.plain(inputOf(layer, 0));
    const y = values.newPlain(layer.output);
    const strides = broadcastStrides(x.shape, y.shape);
    planCopy(
      values.builder,
      y.shape,
      { place: x.place, offset: 0, strides },
      { place: y.place, offset: 0, strides: stridesOf(y.shape) },
    );
    return 'copy';
  },
};
