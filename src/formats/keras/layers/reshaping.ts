import type { ValueId } from '../../../ir/graph.ts';
import { isList, type Json } from '../json.ts';
import type { LayerCall } from '../layer-call.ts';
import { channelsLast, spatialAxes } from './data-format.ts';
import { resize, scaleBy } from './resampling.ts';
import type { LayerRow, LayerRows } from './row.ts';

/** Channels first are moved behind before the elements are put in a row. */
const lowerFlatten: LayerRow = (call) => {
  const rank = call.rank(call.input);
  if (rank === 1) return call.reshape(call.input, [0, 1]);
  const isFirst = call.config.optionalText('data_format') === 'channels_first' && rank > 2;
  const order = [0, ...Array.from({ length: Math.max(0, rank - 2) }, (_, axis) => axis + 2), 1];
  return call.reshape(isFirst ? call.transpose(call.input, order) : call.input, [0, -1]);
};

/** The batch stays in front; one extent may be -1. */
const lowerReshape: LayerRow = (call) => {
  const shape = call.config.integers('target_shape');
  if (shape.some((extent) => extent < -1)) throw call.config.invalid('target_shape', 'a list of extents');
  if (shape.includes(0)) throw call.config.invalid('target_shape', 'a list of extents above 0');
  return call.reshape(call.input, [0, ...shape]);
};

/** Axes are counted from 1, behind the batch. */
const lowerPermute: LayerRow = (call) => {
  const dims = call.config.integers('dims');
  const isPermutation = [...dims].sort((a, b) => a - b).every((axis, index) => axis === index + 1);
  if (!isPermutation) throw call.config.invalid('dims', `the numbers from 1 to ${dims.length} in some order`);
  return call.transpose(call.input, [0, ...dims]);
};

const lowerRepeatVector: LayerRow = (call) => {
  const rows = call.node({ kind: 'unsqueeze', attrs: {} }, call.input, call.integers([1]));
  return call.node({ kind: 'tile', attrs: {} }, rows, call.integers([1, call.config.count('n'), 1]));
};

type Pair = readonly [begin: number, end: number];

/** What is added to or cut from each axis: one number for all, one an axis, or begin and end of each. */
function pairsOf(call: LayerCall, field: string, axes: number): readonly Pair[] {
  const value = call.config.value(field);
  const needed = `a whole number, or ${axes} of them or pairs of them, none below 0`;
  const pair = (given: Json | undefined): Pair => {
    const [begin, end] = isList(given) && given.length === 2 ? given : [given, given];
    if (!isLength(begin) || !isLength(end)) throw call.config.invalid(field, needed);
    return [begin, end];
  };
  // For a single axis, two numbers are its begin and end.
  if (axes === 1) return [pair(isList(value) && value.length === 1 ? value[0] : value)];
  if (!isList(value)) return Array.from({ length: axes }, () => pair(value));
  if (value.length !== axes) throw call.config.invalid(field, needed);
  return value.map(pair);
}

const isLength = (value: Json | undefined): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

const zeroPadding =
  (axes: number): LayerRow =>
  (call) => {
    const pairs = pairsOf(call, 'padding', axes);
    const pads = [...pairs.map(([begin]) => begin), ...pairs.map(([, end]) => end)];
    const on = spatialAxes(axes, channelsLast(call));
    return call.node(
      { kind: 'pad', attrs: { mode: 'constant' } },
      call.input,
      call.integers(pads),
      null,
      call.integers(on),
    );
  };

const cropping =
  (axes: number): LayerRow =>
  (call) => {
    const pairs = pairsOf(call, 'cropping', axes);
    const on = spatialAxes(axes, channelsLast(call));
    on.forEach((axis, index) => {
      const extent = call.shape(call.input)[axis];
      const [begin, end] = pairs[index] ?? [0, 0];
      if (typeof extent === 'number' && begin + end >= extent) {
        throw call.invalid(`cuts ${begin + end} of the ${extent} positions on axis ${axis} of its input`);
      }
    });
    return slice(call, call.input, {
      axes: on,
      starts: pairs.map(([begin]) => begin),
      ends: pairs.map(([, end]) => (end === 0 ? TO_THE_END : -end)),
    });
  };

/** An end beyond every axis. */
export const TO_THE_END = 2 ** 31 - 1;

interface SliceRanges {
  readonly axes: readonly number[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** 1 everywhere if left out. */
  readonly steps?: readonly number[];
}

export function slice(call: LayerCall, x: ValueId, { axes, starts, ends, steps }: SliceRanges): ValueId {
  const stepsOf = call.integers(steps ?? axes.map(() => 1));
  return call.node(
    { kind: 'slice', attrs: {} },
    x,
    call.integers(starts),
    call.integers(ends),
    call.integers(axes),
    stepsOf,
  );
}

/** The other way round along an axis. */
export function flip(call: LayerCall, x: ValueId, axis: number): ValueId {
  return slice(call, x, { axes: [axis], starts: [-1], ends: [-TO_THE_END], steps: [-1] });
}

const upSampling =
  (axes: number): LayerRow =>
  (call) => {
    const on = spatialAxes(axes, channelsLast(call));
    const interpolation = call.config.text('interpolation', 'nearest');
    return resize(call, call.input, interpolation, on, scaleBy(call.config.counts('size', axes, 2)));
  };

export const reshapingRows: LayerRows = {
  Cropping1D: cropping(1),
  Cropping2D: cropping(2),
  Cropping3D: cropping(3),
  Flatten: lowerFlatten,
  Permute: lowerPermute,
  RepeatVector: lowerRepeatVector,
  Reshape: lowerReshape,
  UpSampling1D: upSampling(1),
  UpSampling2D: upSampling(2),
  UpSampling3D: upSampling(3),
  ZeroPadding1D: zeroPadding(1),
  ZeroPadding2D: zeroPadding(2),
  ZeroPadding3D: zeroPadding(3),
};
