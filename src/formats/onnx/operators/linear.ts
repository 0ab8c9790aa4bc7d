import type { ResultType } from '../../../ir/operators.ts';
import type { OnnxNode } from '../onnx-node.ts';
import { always, type Lowering, type Rows } from './row.ts';

function matmul(result: ResultType, ...order: (number | null)[]): Lowering {
  return (node) => ({
    kind: 'matmul',
    attrs: {
      transposeA: node.flag('transA'),
      transposeB: node.flag('transB'),
      rotateA: node.flag('transBatchA'),
      rotateB: node.flag('transBatchB'),
      alpha: node.optionalFloat('alpha') ?? 1,
      activation: node.op === 'GemmFastGelu' ? 'FastGelu' : node.string('activation', '') || null,
      result,
    },
    inputs: node.reorder(...order),
  });
}

const gemmAttrs = (node: OnnxNode, result: ResultType) => ({
  transposeA: node.flag('transA'),
  transposeB: node.flag('transB'),
  alpha: node.optionalFloat('alpha') ?? 1,
  beta: node.optionalFloat('beta') ?? 1,
  activation: node.string('activation', '') || null,
  result,
});

const lowerGemm: Lowering = (node) => ({ kind: 'gemm', attrs: gemmAttrs(node, 'same') });

export const linearRows: Rows = {
  MatMul: matmul('same', 0, 1),
  MatMulInteger: matmul('int32', 0, 1, null),
  // a, scale, zero, b, scale, zero, y scale, y zero → a, b, no bias, the rest; y's zero point is the 9th.
  QLinearMatMul: matmul({ likeInput: 8 }, 0, 3, null),
  Gemm: lowerGemm,
  Einsum: (node) => ({ kind: 'einsum', attrs: { equation: node.string('equation', '') } }),
  Det: always('det', {}),
  Col2Im: (node) => ({
    kind: 'col2im',
    attrs: { strides: node.positives('strides'), dilations: node.positives('dilations'), pads: node.extents('pads') },
  }),
};

export const microsoftLinearRows: Rows = {
  FusedMatMul: matmul('same', 0, 1),
  TransposeMatMul: matmul('same', 0, 1),
  FusedMatMulActivation: matmul('same', 0, 1),
  FusedGemm: lowerGemm,
  GemmFastGelu: matmul('same', 0, 1, 2),
  GemmFloat8: (node) => ({ kind: 'gemm', attrs: gemmAttrs(node, node.dtypeOr('dtype', 'float32')) }),
  MatMulInteger16: matmul('int32', 0, 1, null),
  // a, b, a scale, b scale, a zero, b zero, bias → a, b, bias, the rest.
  MatMulIntegerToFloat: matmul('float32', 0, 1, 6),
  // a, b, b scale, b zero, bias → a, b, bias, the rest.
  DynamicQuantizeMatMul: matmul('float32', 0, 1, 4),
  // a, scale, zero, b, scale, zero, c, y scale, y zero → a, b, c, the rest; without y's zero point the result is float.
  QGemm: (node) => ({
    kind: 'gemm',
    attrs: gemmAttrs(node, node.input(8) === null ? 'float32' : { likeInput: 8 }),
    inputs: node.reorder(0, 3, 6),
  }),
  MatMulNBits: (node) => ({
    kind: 'packedMatmul',
    attrs: { inFeatures: node.requiredCount('K'), outFeatures: node.requiredCount('N') },
  }),
  MatMulBnb4: (node) => ({
    kind: 'packedMatmul',
    attrs: { inFeatures: node.requiredCount('K'), outFeatures: node.requiredCount('N') },
  }),
};
