/** The operators that the runtime runs: one line each. */

import { planConv } from './plan-convolution.ts';
import { planBatchNorm, planBinary, planClip, planPrelu, planUnary, planVariadic } from './plan-elementwise.ts';
import { planGemm, planMatmul } from './plan-matmul.ts';
import {
  planCast,
  planConcat,
  planExpand,
  planGatherNode,
  planIdentity,
  planPad,
  planReshape,
  planSlice,
  planSplit,
  planTranspose,
} from './plan-movement.ts';
import { planGroupNorm, planInstanceNorm, planLayerNorm, planLrn } from './plan-norm.ts';
import { planGlobalPool, planPool, planReduce } from './plan-pool.ts';
import { planResize } from './plan-resample.ts';
import { planSoftmax } from './plan-softmax.ts';
import { planConvTranspose } from './plan-transposed.ts';
import type { Planners } from './planner.ts';

export const PLANNERS: Planners = {
  batchNorm: planBatchNorm,
  binary: planBinary,
  cast: planCast,
  clip: planClip,
  concat: planConcat,
  conv: planConv,
  convTranspose: planConvTranspose,
  dropout: planIdentity,
  expand: planExpand,
  flatten: planReshape,
  gather: planGatherNode,
  gemm: planGemm,
  globalPool: planGlobalPool,
  groupNorm: planGroupNorm,
  identity: planIdentity,
  instanceNorm: planInstanceNorm,
  layerNorm: planLayerNorm,
  lrn: planLrn,
  matmul: planMatmul,
  pad: planPad,
  pool: planPool,
  prelu: planPrelu,
  reduce: planReduce,
  reshape: planReshape,
  resize: planResize,
  slice: planSlice,
  softmax: planSoftmax,
  split: planSplit,
  squeeze: planReshape,
  transpose: planTranspose,
  unary: planUnary,
  unsqueeze: planReshape,
  variadic: planVariadic,
};
