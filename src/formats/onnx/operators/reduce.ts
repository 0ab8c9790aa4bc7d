import type { ReduceFunction } from '../../../ir/operators.ts';
import type { OnnxNode } from '../onnx-node.ts';
import type { Lowering, Rows } from './row.ts';

/** Axes were an attribute before operator set 18 (13 for sums). */
const reduce =
  (fn: ReduceFunction): Lowering =>
  (node) => ({
    kind: 'reduce',
    attrs: { fn, keepDims: node.flag('keepdims', true), noopWithoutAxes: node.flag('noop_with_empty_axes') },
    inputs: [node.input(0), node.inputOrInts(1, 'axes')],
  });

const argReduce =
  (fn: 'max' | 'min'): Lowering =>
  (node) => ({
    kind: 'argReduce',
    attrs: {
      fn,
      axis: node.int('axis', 0),
      keepDims: node.flag('keepdims', true),
      selectsLast: node.flag('select_last_index'),
    },
  });

const cumulate =
  (fn: 'prod' | 'sum'): Lowering =>
  (node) => ({ kind: 'cumulate', attrs: { fn, exclusive: node.flag('exclusive'), reverse: node.flag('reverse') } });

function reductionOf(node: OnnxNode): 'mean' | 'none' | 'sum' {
  const name = node.string('reduction', 'mean');
  return name === 'none' || name === 'sum' ? name : 'mean';
}

export const reduceRows: Rows = {
  ReduceL1: reduce('l1'),
  ReduceL2: reduce('l2'),
  ReduceLogSum: reduce('logSum'),
  ReduceLogSumExp: reduce('logSumExp'),
  ReduceMax: reduce('max'),
  ReduceMean: reduce('mean'),
  ReduceMin: reduce('min'),
  ReduceProd: reduce('prod'),
  ReduceSum: reduce('sum'),
  ReduceSumSquare: reduce('sumSquare'),
  ArgMax: argReduce('max'),
  ArgMin: argReduce('min'),
  CumSum: cumulate('sum'),
  CumProd: cumulate('prod'),
  // k was an attribute before operator set 10.
  TopK: (node) => ({
    kind: 'topK',
    attrs: { axis: node.int('axis', -1) },
    inputs: [node.input(0), node.inputOrInt(1, 'k')],
  }),
  NegativeLogLikelihoodLoss: (node) => ({
    kind: 'classificationLoss',
    attrs: { reduction: reductionOf(node), softmax: false },
  }),
  SoftmaxCrossEntropyLoss: (node) => ({
    kind: 'classificationLoss',
    attrs: { reduction: reductionOf(node), softmax: true },
  }),
};

export const microsoftReduceRows: Rows = {
  QLinearReduceMean: (node) => ({
    kind: 'reduce',
    attrs: { fn: 'mean', keepDims: node.flag('keepdims', true), noopWithoutAxes: false },
    inputs: [node.input(0), node.inputOrInts(-1, 'axes')],
  }),
};
