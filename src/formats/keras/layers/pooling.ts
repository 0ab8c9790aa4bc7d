import type { LayerCall } from '../layer-call.ts';
import { paddingOf } from './convolution.ts';
import { channelsLast, spatialAxes } from './data-format.ts';
import type { LayerRow, LayerRows } from './row.ts';

type PoolFunction = 'average' | 'max';

/** Strides are the window's extents unless told otherwise. An average leaves out the padding. */
const pool =
  (fn: PoolFunction, axes: number): LayerRow =>
  (call) => {
    const kernel = call.config.counts('pool_size', axes, 2);
    const attrs = {
      fn,
      kernel,
      strides: call.config.optionalCounts('strides', axes) ?? kernel,
      dilations: kernel.map(() => 1),
      padding: paddingOf(call, kernel, []),
      ceil: false,
      channelsLast: channelsLast(call),
      countsPadding: false,
    };
    return call.node({ kind: 'pool', attrs }, call.input);
  };

/** Windows that differ in extent by 1 at most, so many that the output has the extents asked for. */
const adaptivePool =
  (fn: PoolFunction, axes: number): LayerRow =>
  (call) => {
    checkRank(call, axes);
    const extents = call.config.counts('output_size', axes);
    return call.node({ kind: 'adaptivePool', attrs: { fn, extents, channelsLast: channelsLast(call) } }, call.input);
  };

/** As functions of `keras.ops`, for as many axes as the input has. */
export const poolingOperation =
  (fn: PoolFunction): LayerRow =>
  (call) =>
    pool(fn, call.rank(call.input) - 2)(call);

export const adaptivePoolingOperation =
  (fn: PoolFunction): LayerRow =>
  (call) =>
    adaptivePool(fn, call.rank(call.input) - 2)(call);

const globalPool =
  (fn: PoolFunction, axes: number): LayerRow =>
  (call) => {
    const last = channelsLast(call);
    checkRank(call, axes);
    const pooled = call.node({ kind: 'globalPool', attrs: { fn, channelsLast: last } }, call.input);
    if (call.config.flag('keepdims', false)) return pooled;
    return call.node({ kind: 'squeeze', attrs: {} }, pooled, call.integers(spatialAxes(axes, last)));
  };

function checkRank(call: LayerCall, axes: number): void {
  const rank = call.rank(call.input);
  if (rank !== axes + 2) throw call.invalid(`is called on a tensor of ${rank} axes, and takes ${axes + 2}`);
}

export const poolingRows: LayerRows = {
  AdaptiveAveragePooling1D: adaptivePool('average', 1),
  AdaptiveAveragePooling2D: adaptivePool('average', 2),
  AdaptiveAveragePooling3D: adaptivePool('average', 3),
  AdaptiveMaxPooling1D: adaptivePool('max', 1),
  AdaptiveMaxPooling2D: adaptivePool('max', 2),
  AdaptiveMaxPooling3D: adaptivePool('max', 3),
  AveragePooling1D: pool('average', 1),
  AveragePooling2D: pool('average', 2),
  AveragePooling3D: pool('average', 3),
  AvgPool1D: pool('average', 1),
  AvgPool2D: pool('average', 2),
  AvgPool3D: pool('average', 3),
  GlobalAveragePooling1D: globalPool('average', 1),
  GlobalAveragePooling2D: globalPool('average', 2),
  GlobalAveragePooling3D: globalPool('average', 3),
  GlobalAvgPool1D: globalPool('average', 1),
  GlobalAvgPool2D: globalPool('average', 2),
  GlobalAvgPool3D: globalPool('average', 3),
  GlobalMaxPool1D: globalPool('max', 1),
  GlobalMaxPool2D: globalPool('max', 2),
  GlobalMaxPool3D: globalPool('max', 3),
  GlobalMaxPooling1D: globalPool('max', 1),
  GlobalMaxPooling2D: globalPool('max', 2),
  GlobalMaxPooling3D: globalPool('max', 3),
  MaxPool1D: pool('max', 1),
  MaxPool2D: pool('max', 2),
  MaxPool3D: pool('max', 3),
  MaxPooling1D: pool('max', 1),
  MaxPooling2D: pool('max', 2),
  MaxPooling3D: pool('max', 3),
};
