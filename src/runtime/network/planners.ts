/** The operators that the runtime runs: one line each. */

import { planConv } from './plan-convolution.ts';
import { planBatchNorm, planBinary, planClip, planPrelu, planUnary, planVariadic } from './plan-elementwise.ts';
import { planGatherElements, planGatherNode, planScatter } from './plan-indexing.ts';
import { planGemm, planMatmul } from './plan-matmul.ts';
import {
  planCast,
  planConcat,
  planExpand,
  planIdentity,
  planReshape,
  planSlice,
  planSplit,
  planTranspose,
} from './plan-movement.ts';
import { planGroupNorm, planInstanceNorm, planLayerNorm, planLrn } from './plan-norm.ts';
import { planPad } from './plan-pad.ts';
import { planGlobalPool, planPool } from './plan-pool.ts';
import { planDepthToSpace, planSpaceToDepth, planTile } from './plan-rearrange.ts';
import { planArgReduce, planReduce } from './plan-reduce.ts';
import { planResize } from './plan-resample.ts';
import { planSoftmax } from './plan-softmax.ts';
import { planConvTranspose } from './plan-transposed.ts';
import { planWhere } from './plan-where.ts';
import type { Planners } from './planner.ts';

export const PLANNERS: Planners = {
  argReduce: planArgReduce,
  batchNorm: planBatchNorm,
  binary: planBinary,
  cast: planCast,
  clip: planClip,
  concat: planConcat,
  conv: planConv,
  convTranspose: planConvTranspose,
  depthToSpace: planDepthToSpace,
  dropout: planIdentity,
  expand: planExpand,
  flatten: planReshape,
  gather: planGatherNode,
  gatherElements: planGatherElements,
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
  scatterElements: planScatter,
  scatterND: planScatter,
  slice: planSlice,
  softmax: planSoftmax,
  spaceToDepth: planSpaceToDepth,
  split: planSplit,
  squeeze: planReshape,
  tile: planTile,
  tileAxis: planTile,
  transpose: planTranspose,
  unary: planUnary,
  unsqueeze: planReshape,
  variadic: planVariadic,
  where: planWhere,
};
