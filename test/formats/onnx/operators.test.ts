import { describe, expect, it } from 'vitest';
import { loweringOf } from '../../../src/formats/onnx/operators/index.ts';
import { auditSpec } from '../../support/models.ts';
import { ONNX_OPERATORS } from '../../support/onnx-operators.ts';

/** They become constants, bodies or whole graphs before lowering is asked. */
const NOT_LOWERED = new Set(['Constant']);

describe('the operator table', () => {
  it.each(Object.entries(ONNX_OPERATORS))('knows every operator of the domain "%s"', (domain, names) => {
    const missing = names.filter((name) => !NOT_LOWERED.has(name) && loweringOf(domain, name) === undefined);
    expect(missing).toEqual([]);
  });

  it('knows what onnxruntime writes when it optimises', () => {
    const names = [
      'Attention',
      'BiasGelu',
      'DynamicQuantizeMatMul',
      'FastGelu',
      'FusedConv',
      'FusedGemm',
      'FusedMatMul',
      'Gelu',
      'GroupQueryAttention',
      'LayerNormalization',
      'MatMulNBits',
      'MultiHeadAttention',
      'NhwcConv',
      'QLinearAdd',
      'QLinearGlobalAveragePool',
      'SkipLayerNormalization',
    ];
    expect(names.filter((name) => loweringOf('com.microsoft', name) === undefined)).toEqual([]);
  });

  it('is not fooled by names that every object answers to', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(loweringOf('', name)).toBeUndefined();
      expect(loweringOf(name, 'Conv')).toBeUndefined();
    }
  });
});

describe('operators that onnxruntime fuses', () => {
  const weights = { w: { dims: [8, 3, 3, 3] }, b: { dims: [8] } };

  it('FusedConv: a convolution, its bias, a residual and an activation', () => {
    const { layers } = auditSpec({
      opsets: { '': 17, 'com.microsoft': 1 },
      inputs: { x: [1, 3, 8, 8], z: [1, 8, 6, 6] },
      initializers: weights,
      nodes: [
        {
          op: 'FusedConv',
          domain: 'com.microsoft',
          inputs: ['x', 'w', 'b', 'z'],
          outputs: ['y'],
          attributes: { activation: 'Relu' },
        },
      ],
      outputs: ['y'],
    });
    const macs = 8 * 6 * 6 * 27;
    expect(layers[0]).toMatchObject({ op: 'com.microsoft::FusedConv', kind: 'standard-conv', macs });
    expect(layers[0]?.flops).toBe(2 * macs + 3 * 8 * 6 * 6);
  });

  it('NhwcConv: channels last, in input, weight and output', () => {
    const { layers } = auditSpec({
      opsets: { '': 17, 'com.microsoft': 1 },
      inputs: { x: [1, 8, 8, 3] },
      initializers: { w: { dims: [16, 3, 3, 3] } },
      nodes: [
        {
          op: 'NhwcConv',
          domain: 'com.microsoft',
          inputs: ['x', 'w'],
          outputs: ['y'],
          attributes: { pads: [1, 1, 1, 1] },
        },
      ],
      outputs: ['y'],
    });
    expect(layers[0]).toMatchObject({ outputShapes: [[1, 8, 8, 16]], macs: 8 * 8 * 16 * 27 });
  });

  it('MatMulNBits: 4-bit weights count as elements, and as bytes where they lie', () => {
    const { layers } = auditSpec({
      opsets: { '': 17, 'com.microsoft': 1 },
      inputs: { a: [1, 10, 64] },
      initializers: { b: { dims: [32, 2, 16], dtype: 2, raw: new Uint8Array(1024) }, s: { dims: [64] } },
      nodes: [
        {
          op: 'MatMulNBits',
          domain: 'com.microsoft',
          inputs: ['a', 'b', 's'],
          outputs: ['y'],
          attributes: { K: 64, N: 32, bits: 4, block_size: 32 },
        },
      ],
      outputs: ['y'],
    });
    expect(layers[0]).toMatchObject({ macs: 10 * 64 * 32, params: { total: 2048 }, weightBytes: 1024 });
  });

  it('Attention: the projection, the scores and the values', () => {
    const { layers } = auditSpec({
      opsets: { '': 17, 'com.microsoft': 1 },
      inputs: { x: [2, 5, 16] },
      initializers: { w: { dims: [16, 48] }, b: { dims: [48] } },
      nodes: [
        {
          op: 'Attention',
          domain: 'com.microsoft',
          inputs: ['x', 'w', 'b'],
          outputs: ['y'],
          attributes: { num_heads: 4 },
        },
      ],
      outputs: ['y'],
    });
    const projection = 2 * 5 * 16 * 48;
    const products = 2 * (2 * 4 * 5 * 5 * 4);
    expect(layers[0]).toMatchObject({ kind: 'attention', macs: projection + products, outputShapes: [[2, 5, 16]] });
  });
});
