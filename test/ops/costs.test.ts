import { describe, expect, it } from 'vitest';
import { auditSpec } from '../support/models.ts';
import type { AttributeSpec, TensorSpec } from '../support/onnx-bytes.ts';

interface Case {
  readonly op: string;
  readonly domain?: string;
  readonly opset?: number;
  /** Inputs in order: a shape is an activation, a tensor a constant, null is left out. */
  readonly inputs: readonly (readonly number[] | TensorSpec | null)[];
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
  readonly outputs?: number;
  readonly macs: number;
  /** FLOPs beside those of the MACs. */
  readonly other: number | null;
  readonly shape: readonly number[];
}

const weight = (...dims: number[]): TensorSpec => ({ dims });
const ints = (...values: number[]): TensorSpec => ({ dims: [values.length], ints: values });
const scalar = (value: number): TensorSpec => ({ dims: [], ints: [value] });
const microsoft = 'com.microsoft';
const float = (value: number): AttributeSpec => ({ float: value });

/** 2×6×4×4 = 192 elements. */
const X = [2, 6, 4, 4];

/** Every figure is worked out by hand from docs/counting.md. */
const CASES: readonly Case[] = [
  // Convolutions: output elements × C_in/groups × ∏k.
  { op: 'Conv', inputs: [X, weight(8, 6, 3, 3), weight(8)], macs: 2 * 8 * 4 * 54, other: 64, shape: [2, 8, 2, 2] },
  {
    op: 'Conv',
    inputs: [X, weight(6, 1, 3, 3)],
    attributes: { group: 6 },
    macs: 48 * 9,
    other: 0,
    shape: [2, 6, 2, 2],
  },
  // Transposed: input elements × C_out/groups × ∏k.
  {
    op: 'ConvTranspose',
    inputs: [X, weight(6, 5, 2, 2)],
    attributes: { strides: [2, 2] },
    macs: 192 * 20,
    other: 0,
    shape: [2, 5, 8, 8],
  },
  // Deformable: 4 FLOPs for each of 2·6 channels at 2·2 positions and 9 taps.
  {
    op: 'DeformConv',
    opset: 19,
    inputs: [X, weight(8, 6, 3, 3), [2, 18, 2, 2]],
    macs: 64 * 54,
    other: 2 * 4 * 6 * 9 * 4,
    shape: [2, 8, 2, 2],
  },
  {
    op: 'CausalConvWithState',
    opset: 27,
    inputs: [[2, 6, 5], weight(6, 1, 3), weight(6)],
    attributes: { activation: 'silu' },
    outputs: 2,
    macs: 60 * 3,
    other: 120,
    shape: [2, 6, 5],
  },

  // Products: batch × m × n × k.
  { op: 'MatMul', inputs: [[2, 3, 4], weight(4, 5)], macs: 120, other: 0, shape: [2, 3, 5] },
  {
    op: 'Gemm',
    inputs: [[3, 4], weight(5, 4), weight(5)],
    attributes: { transB: 1 },
    macs: 60,
    other: 15,
    shape: [3, 5],
  },
  {
    op: 'FusedGemm',
    domain: microsoft,
    inputs: [[3, 4], weight(4, 5), weight(5)],
    attributes: { activation: 'Relu' },
    macs: 60,
    other: 30,
    shape: [3, 5],
  },
  {
    op: 'FusedMatMul',
    domain: microsoft,
    inputs: [
      [2, 3, 4],
      [3, 4, 5],
    ],
    attributes: { transBatchA: 1 },
    macs: 3 * 2 * 4 * 5,
    other: 0,
    shape: [3, 2, 5],
  },
  {
    op: 'Einsum',
    inputs: [
      [2, 3, 4],
      [2, 4, 5],
    ],
    attributes: { equation: 'bij,bjk->bik' },
    macs: 120,
    other: 0,
    shape: [2, 3, 5],
  },
  { op: 'Einsum', inputs: [[3, 4]], attributes: { equation: 'ij->j' }, macs: 0, other: 12, shape: [4] },

  // Recurrent: steps 7, batch 2, gates × 5 × (3 + 5); then activation, bias and update for each unit.
  {
    op: 'RNN',
    inputs: [[7, 2, 3], weight(1, 5, 3), weight(1, 5, 5), weight(1, 10)],
    attributes: { hidden_size: 5 },
    macs: 70 * 8,
    other: 70 * 2,
    shape: [7, 1, 2, 5],
  },
  {
    op: 'GRU',
    inputs: [[7, 2, 3], weight(1, 15, 3), weight(1, 15, 5)],
    attributes: { hidden_size: 5 },
    macs: 70 * 3 * 8,
    other: 70 * (3 + 5),
    shape: [7, 1, 2, 5],
  },
  {
    op: 'LSTM',
    inputs: [[7, 2, 3], weight(2, 20, 3), weight(2, 20, 5), weight(2, 40)],
    attributes: { hidden_size: 5, direction: 'bidirectional' },
    macs: 140 * 4 * 8,
    other: 140 * (8 + 5),
    shape: [7, 2, 2, 5],
  },

  // Attention: scores and values, 5 FLOPs of softmax a score.
  {
    op: 'Attention',
    opset: 23,
    inputs: [
      [2, 4, 3, 8],
      [2, 4, 6, 8],
      [2, 4, 6, 10],
    ],
    macs: 144 * 18,
    other: 144 * 5,
    shape: [2, 4, 3, 10],
  },
  {
    op: 'MultiHeadAttention',
    domain: microsoft,
    inputs: [[2, 3, 8], [2, 6, 8], [2, 6, 8], weight(24)],
    attributes: { num_heads: 2 },
    macs: 72 * 8,
    other: 72 * 5 + 48 + 96 + 96,
    shape: [2, 3, 8],
  },
  {
    op: 'GroupQueryAttention',
    domain: microsoft,
    inputs: [
      [1, 3, 8],
      [1, 3, 4],
      [1, 3, 4],
    ],
    attributes: { num_heads: 2, kv_num_heads: 1 },
    macs: 18 * 8,
    other: 90,
    shape: [1, 3, 8],
  },
  {
    op: 'RotaryEmbedding',
    opset: 23,
    inputs: [[1, 2, 3, 4], weight(3, 2), weight(3, 2)],
    macs: 0,
    other: 72,
    shape: [1, 2, 3, 4],
  },

  // Elementwise: 1 an output element.
  { op: 'Relu', inputs: [X], macs: 0, other: 192, shape: X },
  {
    op: 'Add',
    inputs: [
      [2, 6, 1, 4],
      [6, 4, 1],
    ],
    macs: 0,
    other: 192,
    shape: X,
  },
  { op: 'Sum', inputs: [X, X, X], macs: 0, other: 384, shape: X },
  { op: 'Clip', opset: 6, inputs: [X], attributes: { min: float(0), max: float(6) }, macs: 0, other: 192, shape: X },
  { op: 'BiasGelu', domain: microsoft, inputs: [[2, 6], weight(6)], macs: 0, other: 24, shape: [2, 6] },
  {
    op: 'SwiGLU',
    opset: 28,
    inputs: [
      [2, 6],
      [2, 6],
    ],
    macs: 0,
    other: 24,
    shape: [2, 6],
  },
  { op: 'DynamicQuantizeLinear', inputs: [X], outputs: 3, macs: 0, other: 576, shape: X },
  { op: 'Cast', inputs: [X], attributes: { to: 10 }, macs: 0, other: 0, shape: X },

  // Norms.
  { op: 'BatchNormalization', inputs: [X, weight(6), weight(6), weight(6), weight(6)], macs: 0, other: 384, shape: X },
  { op: 'InstanceNormalization', inputs: [X, weight(6), weight(6)], macs: 0, other: 960, shape: X },
  {
    op: 'GroupNorm',
    domain: microsoft,
    inputs: [X, weight(4), weight(4)],
    attributes: { groups: 2, activation: 1 },
    macs: 0,
    other: 1152,
    shape: X,
  },
  { op: 'LayerNormalization', inputs: [X, weight(4)], macs: 0, other: 960, shape: X },
  { op: 'RMSNormalization', opset: 23, inputs: [X, weight(4)], macs: 0, other: 768, shape: X },
  {
    op: 'SkipLayerNormalization',
    domain: microsoft,
    inputs: [[2, 3, 4], [2, 3, 4], weight(4), weight(4), weight(4)],
    macs: 0,
    other: 24 * 7,
    shape: [2, 3, 4],
  },
  { op: 'LRN', inputs: [X], attributes: { size: 5 }, macs: 0, other: 192 * 9, shape: X },
  { op: 'LpNormalization', inputs: [X], macs: 0, other: 384, shape: X },
  { op: 'MeanVarianceNormalization', inputs: [X], macs: 0, other: 768, shape: X },
  { op: 'Softmax', inputs: [X], macs: 0, other: 960, shape: X },
  { op: 'QLinearSoftmax', domain: microsoft, inputs: [X], attributes: { opset: 13 }, macs: 0, other: 960, shape: X },

  // Pools and reductions: 1 for each input element read.
  { op: 'MaxPool', inputs: [X], attributes: { kernel_shape: [3, 3] }, macs: 0, other: 48 * 9, shape: [2, 6, 2, 2] },
  { op: 'GlobalAveragePool', inputs: [X], macs: 0, other: 192, shape: [2, 6, 1, 1] },
  {
    op: 'ReduceMean',
    opset: 13,
    inputs: [X],
    attributes: { axes: [1], keepdims: 0 },
    macs: 0,
    other: 192,
    shape: [2, 4, 4],
  },
  { op: 'ArgMax', inputs: [X], attributes: { axis: 1 }, macs: 0, other: 192, shape: [2, 1, 4, 4] },
  { op: 'CumSum', inputs: [X, scalar(1)], macs: 0, other: 192, shape: X },
  { op: 'TopK', inputs: [X, ints(2)], outputs: 2, macs: 0, other: 192, shape: [2, 6, 4, 2] },
  {
    op: 'RoiAlign',
    inputs: [X, [5, 4], weight(5)],
    attributes: { output_height: 3, output_width: 2, sampling_ratio: 2 },
    macs: 0,
    other: 5 * 6 * 6 * 16,
    shape: [5, 6, 3, 2],
  },
  { op: 'RoiAlign', inputs: [X, [5, 4], weight(5)], macs: 0, other: null, shape: [5, 6, 1, 1] },
  { op: 'NegativeLogLikelihoodLoss', inputs: [[3, 5], [3]], macs: 0, other: 15 + 1, shape: [] },

  // Interpolation: 2 an axis (linear), 4 (cubic), nothing for the nearest.
  {
    op: 'Resize',
    inputs: [X, null, null, ints(2, 6, 8, 8)],
    attributes: { mode: 'linear' },
    macs: 0,
    other: 768 * 4,
    shape: [2, 6, 8, 8],
  },
  {
    op: 'Resize',
    inputs: [X, null, null, ints(2, 6, 8, 4)],
    attributes: { mode: 'cubic' },
    macs: 0,
    other: 384 * 4,
    shape: [2, 6, 8, 4],
  },
  { op: 'Resize', inputs: [X, null, { dims: [4], floats: [1, 1, 1.75, 2] }], macs: 0, other: 0, shape: [2, 6, 7, 8] },
  { op: 'Resize', inputs: [[1, 1, 10], null, { dims: [3], floats: [1, 1, 0.7] }], macs: 0, other: 0, shape: [1, 1, 7] },
  {
    op: 'GridSample',
    inputs: [X, [2, 3, 5, 2]],
    attributes: { mode: 'bilinear' },
    opset: 16,
    macs: 0,
    other: 180 * 4,
    shape: [2, 6, 3, 5],
  },

  // Transforms: 5·n·log₂n each.
  {
    op: 'DFT',
    opset: 20,
    inputs: [[1, 8, 16, 1], null, scalar(1)],
    macs: 0,
    other: 16 * 5 * 8 * 3,
    shape: [1, 8, 16, 2],
  },
  {
    op: 'STFT',
    inputs: [[1, 64, 1], scalar(16), null, scalar(32)],
    macs: 0,
    other: 3 * 5 * 32 * 5,
    shape: [1, 3, 17, 2],
  },

  // Movement computes nothing.
  { op: 'Transpose', inputs: [X], macs: 0, other: 0, shape: [4, 4, 6, 2] },
  { op: 'DepthToSpace', inputs: [[1, 8, 2, 2]], attributes: { blocksize: 2 }, macs: 0, other: 0, shape: [1, 2, 4, 4] },
  {
    op: 'ScatterND',
    inputs: [[4, 5], { dims: [2, 1], ints: [0, 1] }, [2, 5]],
    attributes: { reduction: 'add' },
    macs: 0,
    other: 10,
    shape: [4, 5],
  },
];

function auditCase({ op, domain, opset, inputs, attributes, outputs = 1 }: Case) {
  const names = inputs.map((input, index) => (input === null ? '' : `i${index}`));
  const isTensor = (input: Case['inputs'][number]): input is TensorSpec => input !== null && 'dims' in input;
  const activations: [string, readonly number[]][] = [];
  const constants: [string, TensorSpec][] = [];
  inputs.forEach((input, index) => {
    if (isTensor(input)) constants.push([names[index] ?? '', input]);
    else if (input !== null) activations.push([names[index] ?? '', input]);
  });
  const results = Array.from({ length: outputs }, (_, index) => `y${index}`);
  return auditSpec({
    opsets: { '': opset ?? 17, [microsoft]: 1 },
    inputs: Object.fromEntries(activations),
    initializers: Object.fromEntries(constants),
    nodes: [
      { op, inputs: names, outputs: results, ...(domain ? { domain } : {}), ...(attributes ? { attributes } : {}) },
    ],
    outputs: results.slice(0, 1),
  });
}

describe('what an operator costs', () => {
  it.each(CASES.map((one) => [`${one.op} ${JSON.stringify(one.inputs[0])}`, one] as const))('%s', (_, one) => {
    const { layers, diagnostics } = auditCase(one);
    const flops = one.other === null ? null : 2 * one.macs + one.other;
    expect(diagnostics.filter(({ severity }) => severity === 'warning')).toEqual([]);
    expect(layers).toHaveLength(1);
    expect(layers[0]).toMatchObject({
      macs: one.macs,
      flops,
      outputShapes: [one.shape, ...(layers[0]?.outputShapes.slice(1) ?? [])],
    });
  });
});

it('counts no window as a parameter: it is chosen, and not learned', () => {
  const { totals } = auditSpec({
    inputs: { x: [1, 64, 1] },
    initializers: { step: { dims: [], ints: [16] }, window: { dims: [32] } },
    nodes: [{ op: 'STFT', inputs: ['x', 'step', 'window'], outputs: ['y'] }],
    outputs: ['y'],
  });
  expect(totals.params.total).toBe(0);
});

it('follows padding that a network works out for itself', () => {
  // TensorFlow's rule: as much as it takes for ⌈in / stride⌉ windows, and never less than none.
  const { layers, coverage } = auditSpec({
    inputs: { x: [1, 3, 224, 224] },
    initializers: {
      axis: { dims: [], ints: [2] },
      stride: { dims: [], floats: [2] },
      kernel: { dims: [], floats: [3] },
      unit: { dims: [], floats: [1] },
      none: { dims: [], floats: [0] },
      shape: { dims: [1], ints: [-1] },
      before: { dims: [7], ints: [0, 0, 0, 0, 0, 0, 0] },
      w: { dims: [8, 3, 3, 3] },
    },
    nodes: [
      { op: 'Shape', inputs: ['x'], outputs: ['extents'] },
      { op: 'Gather', inputs: ['extents', 'axis'], outputs: ['height'] },
      { op: 'Cast', inputs: ['height'], outputs: ['h'], attributes: { to: 1 } },
      { op: 'Div', inputs: ['h', 'stride'], outputs: ['exact'] },
      { op: 'Ceil', inputs: ['exact'], outputs: ['windows'] },
      { op: 'Sub', inputs: ['windows', 'unit'], outputs: ['steps'] },
      { op: 'Mul', inputs: ['steps', 'stride'], outputs: ['reach'] },
      { op: 'Add', inputs: ['reach', 'kernel'], outputs: ['needed'] },
      { op: 'Sub', inputs: ['needed', 'h'], outputs: ['lack'] },
      { op: 'Clip', inputs: ['lack', 'none'], outputs: ['padding'] },
      { op: 'Cast', inputs: ['padding'], outputs: ['whole'], attributes: { to: 7 } },
      { op: 'Reshape', inputs: ['whole', 'shape'], outputs: ['listed'] },
      { op: 'Concat', inputs: ['before', 'listed'], outputs: ['pads'], attributes: { axis: 0 } },
      { op: 'Pad', inputs: ['x', 'pads'], outputs: ['padded'] },
      { op: 'Conv', inputs: ['padded', 'w'], outputs: ['y'], attributes: { strides: [2, 2] } },
    ],
    outputs: ['y'],
  });
  expect(coverage.counted).toBe(coverage.nodes);
  expect(layers.at(-1)?.inputShapes).toEqual([[1, 3, 224, 225]]);
});

it('gives a pool that rounds up one window where its kernel is larger than the input', () => {
  const pooled = (ceil: number) =>
    auditSpec({
      inputs: { x: [1, 8, 7, 7] },
      nodes: [
        {
          op: 'AveragePool',
          inputs: ['x'],
          outputs: ['y'],
          attributes: { kernel_shape: [64, 64], strides: [64, 64], ceil_mode: ceil },
        },
      ],
      outputs: ['y'],
    }).layers[0]?.outputShapes[0];
  expect(pooled(1)).toEqual([1, 8, 1, 1]);
  expect(pooled(0)).toBeNull();
});
