/** Pooling and global pooling. */
import { settledPads } from '../../ops/window.ts';
import { PIXEL_BYTES } from '../kernels/kernel.ts';
import type { Place } from '../plan/program.ts';
import { planReduction } from '../plan/reduction.ts';
import type { ChannelAxis } from '../plan/repacking.ts';
import {
  type Blocked,
  isTight,
  itemBytes,
  NO_HALO,
  newBlocked,
  pixelPlace,
  planeBytes,
  planesOf,
  rowBytes,
} from '../plan/tensor.ts';
import { shapeOf } from './analysed-model.ts';
import type { Layer } from './layer.ts';
import { slicedExtentsOf } from './layouts.ts';
import { inputOf, type NodePlanner } from './planner.ts';
import type { NetworkValues } from './values.ts';

const axisOf = (channelsLast: boolean): ChannelAxis => (channelsLast ? 'last' : 'first');

/** A window along one axis: its extent, stride and dilation, and the pads before and behind. */
interface AxisWindow {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly behind: number;
}

const WHOLE: AxisWindow = { kernel: 1, stride: 1, dilation: 1, before: 0, behind: 0 };

const isWhole = ({ kernel, stride, before, behind }: AxisWindow): boolean =>
  kernel === 1 && stride === 1 && before === 0 && behind === 0;

/** By spatial axis. */
function windowsOf({ node: { attrs } }: Layer<'pool'>, shape: readonly number[]): readonly AxisWindow[] {
  const spatial = attrs.channelsLast ? shape.slice(1, -1) : shape.slice(2);
  return spatial.map((extent, axis) => {
    const kernel = attrs.kernel?.[axis] ?? 1;
    const [before, behind] = settledPads(extent, axis, kernel, attrs);
    return { kernel, stride: attrs.strides[axis] ?? 1, dilation: attrs.dilations[axis] ?? 1, before, behind };
  });
}

/** Where the pooled planes are. */
interface PooledPlanes {
  readonly place: Place;
  readonly plane: number;
  readonly row: number;
  readonly height: number;
  readonly width: number;
}

const planesIn = (tensor: Blocked): PooledPlanes => ({
  place: pixelPlace(tensor, 0, 0),
  plane: planeBytes(tensor),
  row: rowBytes(tensor),
  height: tensor.height,
  width: tensor.width,
});

function poolPlanes(
  values: NetworkValues,
  { fn, countsPadding }: Layer<'pool'>['node']['attrs'],
  count: number,
  [x, y]: readonly [PooledPlanes, PooledPlanes],
  [down, across]: readonly [AxisWindow, AxisWindow],
): void {
  const counted = countsPadding ? 1 : 0;
  values.builder.step(fn === 'max' ? 'maxPool' : 'averagePool', count * y.height, {
    input: x.place,
    output: y.place,
    height: y.height,
    width: y.width,
    inputHeight: x.height,
    inputWidth: x.width,
    kernelHeight: down.kernel,
    kernelWidth: across.kernel,
    strideY: down.stride,
    strideX: across.stride,
    dilationY: down.dilation,
    dilationX: across.dilation,
    padTop: down.before,
    padLeft: across.before,
    inputPlane: x.plane,
    inputRow: x.row,
    outputPlane: y.plane,
    outputRow: y.row,
    countTop: -down.before * counted,
    countLeft: -across.before * counted,
    countBottom: x.height + down.behind * counted,
    countRight: x.width + across.behind * counted,
  });
}

export const planPool: NodePlanner<'pool'> = {
  reject: (layer, { source }) => {
    if (layer.node.attrs.fn === 'lp') return 'the runtime has no kernel for Lp pooling';
    if (shapeOf(source, inputOf(layer, 0)).length > 5) return 'it has more than three spatial axes';
    return layer.node.outputs.slice(1).some((id) => id !== null) ? 'it also gives the positions of the maxima' : null;
  },
  plan: (layer, values) => {
    const { attrs } = layer.node;
    const axis = axisOf(attrs.channelsLast);
    const windows = windowsOf(layer, values.shape(inputOf(layer, 0)));
    const x = values.blocked(inputOf(layer, 0), axis);
    const plane = [windows.at(-2) ?? WHOLE, windows.at(-1) ?? WHOLE] as const;
    const depth = windows.at(-3) ?? WHOLE;
    if (isWhole(depth)) {
      const y = values.newBlocked(layer.output, axis);
      poolPlanes(values, attrs, planesOf(y), [planesIn(x), planesIn(y)], plane);
    } else values.setBlocked(layer.output, poolVolume(layer, values, x, depth, plane), axis);
    return 'pool';
  },
};

/** Planes first, then their slices: a volume as one image whose rows are the slices. */
function poolVolume(
  layer: Layer<'pool'>,
  values: NetworkValues,
  x: Blocked,
  depth: AxisWindow,
  plane: readonly [AxisWindow, AxisWindow],
): Blocked {
  const { attrs } = layer.node;
  const outputs = slicedExtentsOf(values.shape(layer.output), axisOf(attrs.channelsLast)) ?? x;
  const pooled =
    plane.every(isWhole) && isTight(x) ? x : newBlocked(values.builder, { ...outputs, items: x.items }, NO_HALO);
  if (pooled !== x) poolPlanes(values, attrs, planesOf(pooled), [planesIn(x), planesIn(pooled)], plane);
  const y = newBlocked(values.builder, outputs, NO_HALO);
  const [volumes = 1] = values.shape(layer.output);
  const slices = (tensor: Blocked): PooledPlanes => ({
    place: tensor.place,
    plane: (tensor.items / volumes) * itemBytes(tensor),
    row: itemBytes(tensor),
    height: tensor.items / volumes,
    width: itemBytes(tensor) / PIXEL_BYTES,
  });
  poolPlanes(values, attrs, volumes, [slices(pooled), slices(y)], [depth, WHOLE]);
  return y;
}

export function poolGlobally(values: NetworkValues, fn: 'average' | 'max', x: Blocked, y: Blocked): void {
  values.builder.step(fn === 'max' ? 'globalMaxPool' : 'globalAveragePool', planesOf(x), {
    input: pixelPlace(x, 0, 0),
    output: pixelPlace(y, 0, 0),
    height: x.height,
    width: x.width,
    inputPlane: planeBytes(x),
    inputRow: rowBytes(x),
    outputPlane: planeBytes(y),
  });
}

export const planGlobalPool: NodePlanner<'globalPool'> = {
  reject: (layer) => (layer.node.attrs.fn === 'lp' ? 'the runtime has no kernel for Lp pooling' : null),
  plan: (layer, values) => {
    const { fn, channelsLast } = layer.node.attrs;
    const axis = axisOf(channelsLast);
    const input = inputOf(layer, 0);
    const rank = values.shape(input).length;
    if (rank > 4) {
      const axes = Array.from({ length: rank - 2 }, (_, index) => index + (channelsLast ? 1 : 2));
      const reduced = planReduction(values.builder, fn === 'max' ? 'max' : 'mean', values.plain(input), axes);
      values.setPlain(layer.output, { ...reduced, shape: values.shape(layer.output) });
      return 'reduce';
    }
    const x = values.blocked(inputOf(layer, 0), axis);
    poolGlobally(values, fn === 'max' ? 'max' : 'average', x, values.newBlocked(layer.output, axis));
    return 'global-pool';
  },
};
