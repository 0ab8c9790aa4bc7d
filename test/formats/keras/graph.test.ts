import { describe, expect, it } from 'vitest';
import {
  auditJson,
  conv2d,
  type FunctionalSpec,
  functional,
  layerOf,
  sequential,
  type Version,
} from '../../support/keras.ts';

const VERSIONS: readonly Version[] = [2, 3];
const IMAGE = [null, 32, 32, 4];
const dense = (name: string, calls: readonly (readonly string[])[], units = 10) => ({
  of: 'Dense',
  name,
  calls,
  config: { units, activation: 'linear', use_bias: true },
});

describe.each(VERSIONS)('a Functional model of Keras %i', (version) => {
  const audit = (spec: FunctionalSpec) => auditJson(functional(spec, version));

  it('has one layer in the report for each of its own, under its name', async () => {
    const report = await audit({
      inputs: { x: IMAGE },
      layers: [
        conv2d('conv', [['x']], { activation: 'relu' }),
        { of: 'Flatten', name: 'flat', calls: [['conv']] },
        dense('head', [['flat']]),
      ],
      outputs: ['head'],
    });
    expect(report.layers.map(({ name, op, kind }) => [name, op, kind])).toEqual([
      ['conv', 'Conv2D', 'standard-conv'],
      ['flat', 'Flatten', 'reshape'],
      ['head', 'Dense', 'dense'],
    ]);
    const conv = layerOf(report, 'conv');
    expect(conv.outputShapes).toEqual([[1, 32, 32, 8]]);
    expect(conv.params).toEqual({ total: 3 * 3 * 4 * 8 + 8, trainable: 3 * 3 * 4 * 8 + 8 });
    expect(conv.macs).toBe(32 * 32 * 8 * 3 * 3 * 4);
    // Bias and activation, 1 an element each.
    expect(conv.flops).toBe(2 * 32 * 32 * 8 * 36 + 2 * 32 * 32 * 8);
    expect(conv.inputNames).toEqual(['x']);
    expect(report.model).toMatchObject({
      format: 'keras',
      name: 'model',
      inputs: [{ name: 'x' }],
      outputs: [{ name: 'head' }],
    });
  });

  it('counts a layer that is called again once in parameters and each time in MACs', async () => {
    const report = await audit({
      inputs: { a: IMAGE, b: [null, 16, 16, 4] },
      layers: [
        conv2d('shared', [['a'], ['b']]),
        { of: 'GlobalAveragePooling2D', name: 'pool', calls: [['shared'], ['shared@1']], config: { keepdims: false } },
        { of: 'Concatenate', name: 'both', calls: [['pool', 'pool@1']], config: { axis: -1 } },
      ],
      outputs: ['both'],
    });
    const shared = layerOf(report, 'shared');
    expect(report.layers).toHaveLength(3);
    expect(shared.params.total).toBe(3 * 3 * 4 * 8 + 8);
    expect(shared.macs).toBe((32 * 32 + 16 * 16) * 8 * 36);
    expect(shared.repeats).toBe(2);
    expect(shared.inputShapes).toEqual([
      [1, 32, 32, 4],
      [1, 16, 16, 4],
    ]);
    expect(shared.outputShapes).toEqual([
      [1, 32, 32, 8],
      [1, 16, 16, 8],
    ]);
    expect(layerOf(report, 'both').outputShapes).toEqual([[1, 16]]);
  });

  it('shows a model within it as the scope of its layers, and counts that from call 1 on', async () => {
    const tower: FunctionalSpec = {
      name: 'tower',
      inputs: { t: IMAGE },
      layers: [conv2d('conv', [['t']])],
      outputs: ['conv'],
    };
    const report = await audit({
      inputs: { a: IMAGE, b: IMAGE },
      layers: [
        { of: 'Functional', name: 'tower', model: tower, calls: [['a'], ['b']], module: 'keras' },
        { of: 'Add', name: 'sum', calls: [['tower@1', 'tower@2']] },
      ],
      outputs: ['sum'],
    });
    expect(layerOf(report, 'conv')).toMatchObject({ scope: ['tower'], repeats: 2, macs: 2 * 32 * 32 * 8 * 36 });
    expect(report.totals.params.total).toBe(3 * 3 * 4 * 8 + 8);
    expect(layerOf(report, 'sum').outputShapes).toEqual([[1, 32, 32, 8]]);
  });

  it('has several inputs and outputs', async () => {
    const report = await audit({
      inputs: { a: [null, 6], b: [null, 6] },
      layers: [{ of: 'Add', name: 'sum', calls: [['a', 'b']] }, dense('one', [['sum']], 3), dense('two', [['sum']], 5)],
      outputs: ['one', 'two'],
    });
    expect(report.model.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['one', [1, 3]],
      ['two', [1, 5]],
    ]);
    expect(report.totals.macs).toBe(6 * 3 + 6 * 5);
  });

  it('binds open dimensions by --shape; the batch is 1 where nobody says', async () => {
    const spec: FunctionalSpec = {
      inputs: { x: [null, null, null, 3] },
      layers: [conv2d('conv', [['x']], { strides: [2, 2] })],
      outputs: ['conv'],
    };
    await expect(audit(spec)).rejects.toThrow(/--shape x=1x224x224x3/);
    const report = await auditJson(functional(spec, version), { shapes: { '': [2, 65, 33, 3] } });
    expect(layerOf(report, 'conv').outputShapes).toEqual([[2, 33, 17, 8]]);
  });

  it('freezes what the file calls not trainable: a layer, or a model with everything in it', async () => {
    const layers = [conv2d('conv', [['x']], { trainable: false }), conv2d('more', [['conv']])];
    const partly = await audit({ inputs: { x: IMAGE }, layers, outputs: ['more'] });
    expect(partly.totals.params).toEqual({ total: 296 + 584, trainable: 584 });
    const wholly = await audit({ trainable: false, inputs: { x: IMAGE }, layers, outputs: ['more'] });
    expect(wholly.totals.params).toEqual({ total: 296 + 584, trainable: 0 });
  });

  it('reports a layer that nobody knows by its name, and counts it as unknown', async () => {
    const report = await audit({
      inputs: { x: IMAGE },
      layers: [
        { of: 'my_package>Blur', name: 'blur', calls: [['x']], registeredName: 'my_package>Blur', module: 'my.layers' },
        { ...conv2d('conv', [['blur']]), buildShape: [null, 30, 30, 4] },
      ],
      outputs: ['conv'],
    });
    expect(layerOf(report, 'blur')).toMatchObject({ op: 'my_package>Blur', macs: null, flops: null });
    expect(layerOf(report, 'blur').outputShapes).toEqual([[1, 30, 30, 4]]);
    expect(layerOf(report, 'conv').macs).toBe(30 * 30 * 8 * 36);
    expect(report.totals.isLowerBound).toBe(true);
    expect(report.coverage.uncounted).toEqual([{ op: 'my_package>Blur', layers: ['blur'] }]);
  });

  it('is behind an unknown layer without a shape unknown itself, and never 0', async () => {
    const report = await audit({
      inputs: { x: IMAGE },
      layers: [{ of: 'Blur', name: 'blur', calls: [['x']] }, conv2d('conv', [['blur']])],
      outputs: ['conv'],
    });
    expect(layerOf(report, 'conv')).toMatchObject({ op: 'Conv2D', macs: null });
    expect(report.diagnostics.map(({ code, layer }) => [code, layer])).toContainEqual(['shape-unknown', 'conv']);
  });

  it('has its layers in whatever order', async () => {
    const layers = [
      dense('head', [['flat']]),
      { of: 'Flatten', name: 'flat', calls: [['conv']] },
      conv2d('conv', [['x']]),
    ];
    const report = await audit({ inputs: { x: IMAGE }, layers, outputs: ['head'] });
    expect(report.layers.map(({ name }) => name)).toEqual(['conv', 'flat', 'head']);
  });
});

describe('a Sequential model', () => {
  it('calls each layer on the result of the one before', async () => {
    const report = await auditJson(sequential([null, 8, 8, 1], [conv2d('a', []), conv2d('b', [])]));
    expect(report.totals.macs).toBe(64 * 8 * 9 + 64 * 8 * 72);
  });

  it('may be a bare list of layers whose first tells the input, as Keras 1 and 2.0 wrote it', async () => {
    const { config, ...first } = conv2d('a', []);
    const report = await auditJson({
      class_name: 'Sequential',
      config: [{ class_name: first.of, config: { ...config, name: 'a', batch_input_shape: [null, 8, 8, 1] } }],
    });
    expect(report.totals.macs).toBe(64 * 8 * 9);
    expect(report.model.inputs).toMatchObject([{ name: 'a_input', shape: [1, 8, 8, 1] }]);
  });

  it('that was never built is an error that says how to', async () => {
    const { config } = conv2d('a', []);
    const unbuilt = {
      class_name: 'Sequential',
      config: { name: 's', layers: [{ class_name: 'Conv2D', config: { ...config, name: 'a' } }] },
    };
    await expect(auditJson(unbuilt)).rejects.toThrow(/'s' .*build/);
  });
});

describe('a dtype policy', () => {
  it('mixed_float16 keeps weights in 32 bits and computes in 16', async () => {
    const report = await auditJson(
      functional({
        inputs: { x: IMAGE },
        layers: [conv2d('conv', [['x']], { dtype: { class_name: 'DTypePolicy', config: { name: 'mixed_float16' } } })],
        outputs: ['conv'],
      }),
    );
    const conv = layerOf(report, 'conv');
    expect(conv.weightBytes).toBe(4 * 296);
    expect(conv.outputBytes).toBe(2 * 32 * 32 * 8);
    expect(report.model.outputs[0]?.dtype).toBe('float16');
  });
});
