/** Reductions. */
import type { ReduceFunction } from '../../ir/operators.ts';
import { isRuntimeReduction } from '../kernels/reduce.ts';
import { planBinaryPlain, planMapPlain } from '../plan/elementwise.ts';
import { LINEAR } from '../plan/epilogue.ts';
import type { ProgramBuilder } from '../plan/program.ts';
import { planExtremes, planReduction } from '../plan/reduction.ts';
import { newPlain, type Plain } from '../plan/tensor.ts';
import { shapeOf } from './analysed-model.ts';
import type { Layer } from './layer.ts';
import { normaliseAxis } from './layouts.ts';
import { poolGlobally } from './plan-pool.ts';
import { inputOf, type NodePlanner, type PlanContext } from './planner.ts';

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
    if (shapeOf(context.source, inputOf(layer, 0)).length > 6) return 'it has more than six axes';
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
    const reduced = reduce(values.builder, fn, values.plain(input), axes);
    values.setPlain(layer.output, { ...reduced, shape: values.shape(layer.output) });
    return 'reduce';
  },
};

function reduce(builder: ProgramBuilder, fn: ReduceFunction, x: Plain, axes: readonly number[]): Plain {
  if (isRuntimeReduction(fn)) return planReduction(builder, fn, x, axes);
  if (fn === 'logSumExp') return logSumExp(builder, x, axes);
  const sum = planReduction(builder, 'sum', x, axes);
  planMapPlain(builder, sum, sum, { ...LINEAR, activation: 'log' });
  return sum;
}

/** m + ln Σ e^(x − m) with m the greatest x: no power is too large. */
function logSumExp(builder: ProgramBuilder, x: Plain, axes: readonly number[]): Plain {
  const greatest = planReduction(builder, 'max', x, axes);
  const powers = newPlain(builder, x.shape);
  planBinaryPlain(builder, 'sub', x, greatest, powers);
  planMapPlain(builder, powers, powers, { ...LINEAR, activation: 'exp' });
  const sum = planReduction(builder, 'sum', powers, axes);
  planMapPlain(builder, sum, sum, { ...LINEAR, activation: 'log' });
  planBinaryPlain(builder, 'add', sum, greatest, sum);
  return sum;
}

export const planArgReduce: NodePlanner<'argReduce'> = {
  plan: (layer, values) => {
    const { attrs } = layer.node;
    const x = values.plain(inputOf(layer, 0));
    const found = planExtremes(values.builder, x, normaliseAxis(attrs.axis, x.shape.length), attrs);
    values.setPlain(layer.output, { ...found, shape: values.shape(layer.output) });
    return 'reduce';
  },
};
