import { describe, expect, it } from 'vitest';
import { auditSource } from '../../../src/audit/audit.ts';
import type { Report } from '../../../src/audit/report.ts';
import { modelBytes } from '../../../src/formats/model-source.ts';

interface Layer {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** A functional model of Keras 2: inputs of some shapes, and one layer that is called as `inbound` tells. */
function audit(shapes: readonly (readonly number[])[], layer: Layer, inbound: unknown): Promise<Report> {
  const inputs = shapes.map((shape, index) => ({
    class_name: 'InputLayer',
    config: { name: `x${index}`, batch_input_shape: [2, ...shape], dtype: 'float32' },
    name: `x${index}`,
    inbound_nodes: [],
  }));
  const model = {
    class_name: 'Functional',
    config: {
      name: 'model',
      layers: [
        ...inputs,
        { ...layer, config: { name: 'y', trainable: true, ...layer.config }, name: 'y', inbound_nodes: [inbound] },
      ],
      input_layers: inputs.map(({ name }) => [name, 0, 0]),
      output_layers: [['y', 0, 0]],
    },
    keras_version: '2.15.0',
    backend: 'tensorflow',
  };
  return auditSource(modelBytes('model.json', [new TextEncoder().encode(JSON.stringify(model))]));
}

const shapeOf = (report: Report) => report.model.outputs[0]?.shape;

describe('layers on cuDNN', () => {
  // Two biases, one for the input and one for the recurrence.
  it.each([
    ['CuDNNLSTM', 4 * 5 * (3 + 5) + 8 * 5, 4],
    ['CuDNNGRU', 3 * 5 * (3 + 5) + 6 * 5, 3],
  ])('%s', async (className, params, gates) => {
    const config = { units: 5, return_sequences: true, return_state: false, go_backwards: false, stateful: false };
    const report = await audit([[7, 3]], { class_name: className, config }, [['x0', 0, 0, {}]]);
    expect(report.totals.params.total).toBe(params);
    expect(report.totals.macs).toBe(2 * 7 * gates * 5 * (3 + 5));
    expect(shapeOf(report)).toEqual([2, 7, 5]);
  });
});

it('takes the state of an RNN from a list of inputs', async () => {
  const config = { units: 5, use_bias: true, reset_after: true, return_sequences: false };
  const inbound = [
    ['x0', 0, 0, {}],
    ['x1', 0, 0, {}],
  ];
  const report = await audit([[7, 3], [5]], { class_name: 'GRU', config }, inbound);
  expect(report.totals.params.total).toBe(3 * 5 * (3 + 5) + 2 * 3 * 5);
  expect(report.layers[0]?.inputNames).toEqual(['x0', 'x1']);
});

it('adds a scaled residual, as InceptionResNetV2 does', async () => {
  const inbound = [
    ['x0', 0, 0, {}],
    ['x1', 0, 0, {}],
  ];
  const scaled = { class_name: 'CustomScaleLayer', config: { scale: 0.17 } };
  const report = await audit(
    [
      [7, 7, 3],
      [7, 7, 3],
    ],
    scaled,
    inbound,
  );
  expect(shapeOf(report)).toEqual([2, 7, 7, 3]);
  expect(report.totals).toMatchObject({ macs: 0, flops: 2 * (2 * 7 * 7 * 3), isLowerBound: false });
});

it('makes the backward layer of a Bidirectional of the forward one', async () => {
  const inner = { class_name: 'SimpleRNN', config: { name: 'rnn', units: 5, use_bias: true, return_sequences: true } };
  const report = await audit(
    [[7, 3]],
    { class_name: 'Bidirectional', config: { merge_mode: 'concat', layer: inner } },
    [['x0', 0, 0, {}]],
  );
  expect(report.totals.params.total).toBe(2 * (5 * (3 + 5) + 5));
  expect(shapeOf(report)).toEqual([2, 7, 10]);
  expect(report.layers).toHaveLength(1);
  expect(report.layers[0]?.kind).toBe('recurrent');
});

describe('functions of TensorFlow', () => {
  const calls: readonly (readonly [string, readonly (readonly number[])[], unknown, readonly number[]])[] = [
    ['math.multiply', [[4, 6]], ['x0', 0, 0, { y: 0.5, name: null }], [2, 4, 6]],
    [
      '__operators__.add',
      [
        [4, 6],
        [4, 6],
      ],
      ['x0', 0, 0, { y: ['x1', 0, 0], name: null }],
      [2, 4, 6],
    ],
    ['math.subtract', [[4, 6]], ['_CONSTANT_VALUE', -1, 1, { y: ['x0', 0, 0], name: null }], [2, 4, 6]],
    ['nn.relu', [[4, 6]], ['x0', 0, 0, { name: null }], [2, 4, 6]],
    ['nn.silu', [[4, 6]], ['x0', 0, 0, {}], [2, 4, 6]],
    ['nn.softmax', [[4, 6]], ['x0', 0, 0, { axis: 1 }], [2, 4, 6]],
    ['reshape', [[4, 6]], ['x0', 0, 0, { shape: [-1, 8, 3] }], [2, 8, 3]],
    ['compat.v1.transpose', [[4, 6]], ['x0', 0, 0, { perm: [0, 2, 1] }], [2, 6, 4]],
    ['math.reduce_mean', [[4, 6]], ['x0', 0, 0, { axis: [1], keepdims: true }], [2, 1, 6]],
    ['expand_dims', [[4, 6]], ['x0', 0, 0, { axis: -1 }], [2, 4, 6, 1]],
    [
      'concat',
      [
        [4, 6],
        [4, 2],
      ],
      [
        ['x0', 0, 0, { axis: -1 }],
        ['x1', 0, 0, { axis: -1 }],
      ],
      [2, 4, 8],
    ],
    ['split', [[4, 6]], ['x0', 0, 0, { num_or_size_splits: [1, -1], axis: 2 }], [2, 4, 1]],
    ['tile', [[4, 6]], ['x0', 0, 0, { multiples: [1, 2, 1] }], [2, 8, 6]],
    ['image.resize', [[8, 8, 3]], ['x0', 0, 0, { size: [4, 5], method: 'nearest' }], [2, 4, 5, 3]],
    [
      'linalg.matmul',
      [
        [4, 6],
        [5, 6],
      ],
      ['x0', 0, 0, { b: ['x1', 0, 0], transpose_b: true }],
      [2, 4, 5],
    ],
    ['nn.depth_to_space', [[4, 4, 8]], ['x0', 0, 0, { block_size: 2 }], [2, 8, 8, 2]],
    ['clip_by_value', [[4, 6]], ['x0', 0, 0, { clip_value_min: 0, clip_value_max: 1 }], [2, 4, 6]],
    ['gather', [[4, 6]], ['x0', 0, 0, { indices: [0, 2], axis: 1 }], [2, 2, 6]],
  ];
  it.each(calls)('%s', async (name, shapes, call, shape) => {
    const layer = { class_name: 'TFOpLambda', config: { function: name, dtype: 'float32' } };
    const isList = Array.isArray(call) && Array.isArray(call[0]);
    const report = await audit(shapes, layer, isList ? call : [call]);
    expect(shapeOf(report)).toEqual(shape);
    expect(report.totals.isLowerBound).toBe(false);
  });

  it('says which function is unknown', async () => {
    const layer = { class_name: 'TFOpLambda', config: { function: 'raw_ops.Bessel' } };
    const report = await audit([[4, 6]], layer, [['x0', 0, 0, {}]]);
    expect(report.totals.isLowerBound).toBe(true);
    expect(report.diagnostics.map(({ message }) => message).join(' ')).toContain('raw_ops.Bessel');
  });

  it('cuts as a subscript tells', async () => {
    const spec = {
      class_name: '__tuple__',
      items: [{ start: null, stop: null, step: null }, 2, { start: 1, stop: 5, step: 2 }],
    };
    const layer = { class_name: 'SlicingOpLambda', config: { function: '__operators__.getitem' } };
    const report = await audit([[4, 6]], layer, [['x0', 0, 0, { slice_spec: spec }]]);
    expect(shapeOf(report)).toEqual([2, 2]);
  });

  it('reads nodes of a TensorFlow graph, with their constants', async () => {
    const config = { node_def: '{"name":"mul","op":"Mul","input":["x","mul/y"]}', constants: { 1: 0.5 } };
    const report = await audit([[4, 6]], { class_name: 'TensorFlowOpLayer', config }, [['x0', 0, 0, {}]]);
    expect(shapeOf(report)).toEqual([2, 4, 6]);
    expect(report.totals.flops).toBe(2 * 4 * 6);
  });
});

describe('layers that look things up', () => {
  it.each([
    ['StringLookup', { vocabulary: ['a', 'b', 'c'], num_oov_indices: 1, output_mode: 'multi_hot' }, [2, 4]],
    ['IntegerLookup', { max_tokens: 9, pad_to_max_tokens: true, output_mode: 'one_hot' }, [2, 5, 9]],
    ['Hashing', { num_bins: 7, output_mode: 'int' }, [2, 5]],
    ['TextVectorization', { output_mode: 'int', output_sequence_length: 12 }, [2, 12]],
  ])('%s has no MACs, and FLOPs that nobody knows', async (className, config, shape) => {
    const input = className === 'TextVectorization' ? [1] : [5];
    const report = await audit([input], { class_name: className, config }, [['x0', 0, 0, {}]]);
    expect(shapeOf(report)).toEqual(shape);
    expect(report.layers[0]?.macs).toBe(0);
    expect(report.layers[0]?.flops).toBeNull();
  });
});

describe('what is wrong in a file is named', () => {
  it.each([
    ['Permute', { dims: [1, 1] }, [4, 6], "'dims'"],
    ['Reshape', { target_shape: ['a'] }, [4, 6], "'target_shape'"],
    ['ZeroPadding1D', { padding: [1, -2] }, [4, 6], "'padding'"],
    ['Cropping1D', { cropping: [3, 3] }, [4, 6], 'cuts 6 of the 4 positions'],
    ['LSTM', { units: 0 }, [4, 6], "'units'"],
    ['LSTM', { units: 4 }, [6], 'takes 3'],
    ['EinsumDense', { equation: 'ab', output_shape: [4] }, [4, 6], "'equation'"],
    ['MultiHeadAttention', { num_heads: 2, key_dim: 'x' }, [4, 6], "'key_dim'"],
    ['Rescaling', { scale: 'x' }, [4, 6], "'scale'"],
  ])('%s %j', async (className, config, shape, told) => {
    const call = audit([shape], { class_name: className, config }, [['x0', 0, 0, {}]]);
    await expect(call).rejects.toThrow(told);
    await expect(call).rejects.toThrow("layer 'y'");
  });
});
