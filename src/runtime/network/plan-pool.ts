/** Pooling, global pooling and reductions. */
import { settledPads } from '../../ops/window.ts';
import { isRuntimeReduction, reductionCode } from '../kernels/reduce.ts';
import type { ChannelAxis } from '../plan/repacking.ts';
import { planPermuted } from '../plan/strided.ts';
import { type Blocked, elementsOf, pixelPlace, planeBytes, planesOf, rowBytes } from '../plan/tensor.ts';
import { shapeOf } from './analysed-model.ts';
import type { Layer } from './layer.ts';
import { heightAndWidth, normaliseAxis } from './layouts.ts';
import { inputOf, type NodePlanner, type PlanContext } from './planner.ts';
import type { NetworkValues } from './values.ts';

const axisOf = (channelsLast: boolean): ChannelAxis => (channelsLast ? 'last' : 'first');

export const planPool: NodePlanner<'pool'> = {
  reject: (layer, { source }) => {
    if (layer.node.attrs.fn === 'lp') return 'the runtime has no kernel for Lp pooling';
    if (shapeOf(source, inputOf(layer, 0)).length > 4) return 'it has more than two spatial axes';
    return layer.node.outputs.slice(1).some((id) => id !== null) ? 'it also gives the positions of the maxima' : null;
  },
  plan: (layer, values) => {
    const { attrs } = layer.node;
    const axis = axisOf(attrs.channelsLast);
    const shape = values.shape(inputOf(layer, 0));
    const spatial = attrs.channelsLast ? shape.slice(1, -1) : shape.slice(2);
    const axes = spatial.length;
    const x = values.blocked(inputOf(layer, 0), axis);
    const y = values.newBlocked(layer.output, axis);
    const pads = spatial.map((extent, index) => settledPads(extent, index, attrs.kernel?.[index] ?? 1, attrs));
    const begins = pads.map(([begin]) => begin);
    const ends = pads.map(([, end]) => end);
    const [padTop, padLeft] = heightAndWidth(begins, axes, 0);
    const [padBottom, padRight] = heightAndWidth(ends, axes, 0);
    const [kernelHeight, kernelWidth] = heightAndWidth(attrs.kernel ?? [], axes, 1);
    const [strideY, strideX] = heightAndWidth(attrs.strides, axes, 1);
    const [dilationY, dilationX] = heightAndWidth(attrs.dilations, axes, 1);
    const counted = attrs.countsPadding ? 1 : 0;
    values.builder.step(attrs.fn === 'max' ? 'maxPool' : 'averagePool', planesOf(y) * y.height, {
      input: pixelPlace(x, 0, 0),
      output: pixelPlace(y, 0, 0),
      height: y.height,
      width: y.width,
      inputHeight: x.height,
      inputWidth: x.width,
      kernelHeight,
      kernelWidth,
      strideY,
      strideX,
      dilationY,
      dilationX,
      padTop,
      padLeft,
      inputPlane: planeBytes(x),
      inputRow: rowBytes(x),
      outputPlane: planeBytes(y),
      outputRow: rowBytes(y),
      countTop: -padTop * counted,
      countLeft: -padLeft * counted,
      countBottom: x.height + padBottom * counted,
      countRight: x.width + padRight * counted,
    });
    return 'pool';
  },
};

function poolGlobally(values: NetworkValues, fn: 'average' | 'max', x: Blocked, y: Blocked): void {
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
  reject: (layer, { source }) => {
    if (layer.node.attrs.fn === 'lp') return 'the runtime has no kernel for Lp pooling';
    return shapeOf(source, inputOf(layer, 0)).length > 4 ? 'it has more than two spatial axes' : null;
  },
  plan: (layer, values) => {
    const { fn, channelsLast } = layer.node.attrs;
    const axis = axisOf(channelsLast);
    const x = values.blocked(inputOf(layer, 0), axis);
    poolGlobally(values, fn === 'max' ? 'max' : 'average', x, values.newBlocked(layer.output, axis));
    return 'global-pool';
  },
};

/** The reduced axes, sorted; null where only a run could tell them. */
function reducedAxes(layer: Layer<'reduce'>, { source, constants }: PlanContext): readonly number[] | null {
  const rank = shapeOf(source, inputOf(layer, 0)).length;
  const id = layer.node.inputs[1] ?? null;
  const given = id === null ? [] : constants.numbers(id);
  if (given === null) return null;
  if (given.length > 0) return given.map((axis) => normaliseAxis(axis, rank)).sort((a, b) => a - b);
  return layer.node.attrs.noopWithoutAxes ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

export const planReduce: NodePlanner<'reduce'> = {
  reject: (layer, context) => {
    const { fn } = layer.node.attrs;
    if (!isRuntimeReduction(fn)) return `the runtime has no kernel for the reduction ${fn}`;
    return reducedAxes(layer, context) === null ? 'its axes are computed while it runs' : null;
  },
  plan: (layer, values, context) => {
    const axes = reducedAxes(layer, context) ?? [];
    const { fn, keepDims } = layer.node.attrs;
    const input = inputOf(layer, 0);
    const rank = values.shape(input).length;
    const axis = values.blockedAxis(input);
    const spatial = axis === 'last' ? [1, 2] : [2, 3];
    const isGlobal = axis !== null && rank === 4 && axes.join() === spatial.join() && (fn === 'mean' || fn === 'max');
    if (isGlobal) {
      // Without the reduced axes the channels are last, whichever axis they were.
      const y = values.newBlocked(layer.output, keepDims ? axis : 'last');
      poolGlobally(values, fn === 'max' ? 'max' : 'average', values.blocked(input, axis), y);
      return 'global-pool';
    }
    reducePlain(layer, values, axes);
    return 'reduce';
  },
};

/** Brings the reduced axes together, behind all others, unless they already lie side by side. */
function reducePlain(layer: Layer<'reduce'>, values: NetworkValues, axes: readonly number[]): void {
  const { fn } = layer.node.attrs;
  const input = inputOf(layer, 0);
  const shape = values.shape(input);
  const first = axes[0] ?? shape.length;
  const last = axes.at(-1) ?? shape.length - 1;
  const areTogether = last - first + 1 === axes.length;
  const kept = shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const source = areTogether
    ? values.plain(input)
    : planPermuted(values.builder, values.plain(input), [...kept, ...axes]);
  const count = elementsOf(axes.map((axis) => shape[axis] ?? 1));
  const y = values.newPlain(layer.output);
  if (!isRuntimeReduction(fn)) return;
  values.builder.step('reduce', elementsOf(y.shape), {
    input: source.place,
    output: y.place,
    fn: reductionCode(fn),
    count,
    inner: areTogether ? elementsOf(shape.slice(last + 1)) : 1,
  });
}
