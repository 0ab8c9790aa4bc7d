import { describe, expect, it } from 'vitest';
import { auditSource } from '../../../src/audit/audit.ts';
import { modelBytes } from '../../../src/formats/model-source.ts';
import { DscAuditError } from '../../../src/ir/errors.ts';
import { auditJson, conv2d, functional, jsonBytes } from '../../support/keras.ts';
import { zipBytes } from '../../support/zip.ts';

const IMAGE = [null, 8, 8, 3];
const withConv = (config: Readonly<Record<string, unknown>>) =>
  functional({ inputs: { x: IMAGE }, layers: [conv2d('conv', [['x']], config)], outputs: ['conv'] });

/** The sentence that an audit ends with. */
async function refusal(audit: Promise<unknown>): Promise<string> {
  const error = await audit.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DscAuditError);
  return error instanceof DscAuditError ? error.message : '';
}

describe('JSON', () => {
  it.each([
    ['that is none', '{"class_name": "Sequential", "config": ', /no valid JSON/],
    ['of something else', { name: 'package', version: '1.0.0' }, /no Keras model/],
    ['of a subclassed model', { class_name: 'MyModel', config: { name: 'm' } }, /'MyModel'.*Functional/],
    ['nested without end', `{"a":${'['.repeat(100_000)}`, /nested more than/],
    ['with a config that is none', { class_name: 'Functional', config: 'no' }, /no graph/],
    ['of a TensorFlow.js graph model', { format: 'graph-model', modelTopology: { node: [] } }, /graph model/],
  ])('%s is refused', async (_, json, sentence) => {
    expect(await refusal(auditJson(json))).toMatch(sentence);
  });

  it('takes a key such as __proto__ for what it is', async () => {
    const json = JSON.stringify(withConv({})).replace('"filters":8', '"filters":8,"__proto__":{"use_bias":false}');
    expect((await auditJson(json)).totals.params.total).toBe(3 * 3 * 3 * 8 + 8);
  });
});

describe('a config', () => {
  it.each([
    [{ filters: undefined }, /layer 'conv' \(Conv2D\): 'filters' is missing; a whole number above 0 is needed/],
    [{ filters: 'eight' }, /layer 'conv' \(Conv2D\): 'filters' is 'eight'/],
    [{ filters: 0 }, /'filters' is 0/],
    [{ filters: 2 ** 60 }, /'filters' is/],
    [
      { kernel_size: [3, 3, 3] },
      /'kernel_size' is \[3, 3, 3\]; 2 whole numbers above 0 are|'kernel_size' is \[3, 3, 3\]/,
    ],
    [{ strides: [0, 1] }, /'strides'/],
    [{ padding: 'around' }, /'padding' is 'around'; one of valid, same, causal/],
    [{ use_bias: 'yes' }, /'use_bias' is 'yes'; true or false/],
    [{ data_format: 4 }, /'data_format'/],
    [{ groups: 2 }, /2 groups/],
    [{ activation: [1] }, /'activation'/],
    [{ dtype: 'float19' }, /'dtype'/],
  ])('with %j is refused, naming the layer and the field', async (config, sentence) => {
    const text = await refusal(auditJson(withConv(config)));
    expect(text).toMatch(sentence);
    expect(text).toContain("layer 'conv' (Conv2D)");
  });

  it('whose numbers fit no machine gives an error, not a rounded figure', async () => {
    const wide = withConv({ filters: 2 ** 50 });
    expect(await refusal(auditJson(wide))).toMatch(/2\^53/);
  });

  it('with a kernel larger than its input is refused as Keras does', async () => {
    expect(await refusal(auditJson(withConv({ padding: 'valid', kernel_size: [9, 9] })))).toMatch(
      /layer 'conv' \(Conv2D\).*larger/,
    );
  });
});

describe('extents beyond any machine', () => {
  const normalised = (of: string, extent: number, config = {}) =>
    auditJson(
      functional({
        inputs: { x: [null, 2, extent] },
        layers: [{ of, name: 'norm', calls: [['x']], config: { axis: -1, scale: false, center: false, ...config } }],
        outputs: ['norm'],
      }),
    );

  it.each(['BatchNormalization', 'GroupNormalization'])('cost %s no memory for the scale it leaves out', async (of) => {
    const report = await normalised(of, 1e9, { groups: 1 });
    expect(report.layers[0]?.outputShapes).toEqual([[1, 2, 1e9]]);
    expect(await refusal(normalised(of, 9e15, { groups: 1 }))).toMatch(/too long for any machine|2\^53/);
  });

  it('are refused in number too', async () => {
    const shape = [null, ...new Array<number>(200_000).fill(1)];
    const layers = [{ of: 'Flatten', name: 'flat', calls: [['x']], config: {} }];
    const audit = auditJson(functional({ inputs: { x: shape }, layers, outputs: ['flat'] }));
    expect(await refusal(audit)).toMatch(/more than 64 axes/);
  });
});

describe('a graph', () => {
  it('with a cycle is refused', async () => {
    const layers = [conv2d('a', [['b']]), conv2d('b', [['a']])];
    expect(await refusal(auditJson(functional({ inputs: { x: IMAGE }, layers, outputs: ['b'] })))).toMatch(/cycle/);
  });

  it('that reads what is not there is refused', async () => {
    const at = (reads: string) =>
      functional({ inputs: { x: IMAGE }, layers: [conv2d('conv', [[reads]])], outputs: ['conv'] }, 2);
    expect(await refusal(auditJson(at('y')))).toMatch(/layer 'conv' \(Conv2D\) reads \['y', 0, 0\]/);
    expect(await refusal(auditJson(at('x@3')))).toMatch(/layer 'conv' reads call 3 of layer 'x'/);
  });

  it('with two layers of one name is refused', async () => {
    const layers = [conv2d('conv', [['x']]), conv2d('conv', [['x']])];
    expect(await refusal(auditJson(functional({ inputs: { x: IMAGE }, layers, outputs: ['conv'] })))).toMatch(
      /two layers/,
    );
  });

  it('of models that multiply is refused in time', async () => {
    const nest = (depth: number): ReturnType<typeof functional> => {
      const name = `m${depth}`;
      const inner = depth === 0 ? conv2d('conv', [['x']], { filters: 3 }) : null;
      const calls = Array.from({ length: 12 }, (_, index) => [index === 0 ? 'x' : `m${depth - 1}@${index}`]);
      const model = functional({
        name,
        inputs: { x: IMAGE },
        layers: inner ? [inner] : [{ of: 'Functional', name: `m${depth - 1}`, calls, module: 'keras' }],
        outputs: [inner ? 'conv' : `m${depth - 1}@12`],
      });
      if (inner) return model;
      const { layers } = model.config as { layers: Record<string, unknown>[] };
      Object.assign(layers[1] ?? {}, { config: nest(depth - 1).config });
      return model;
    };
    expect(await refusal(auditJson(nest(7)))).toMatch(/nested models make more than/);
  });
});

describe('a zip archive', () => {
  const config = jsonBytes(withConv({}));
  const archive = (...entries: Parameters<typeof zipBytes>[0]) =>
    auditSource(modelBytes('model.keras', [zipBytes(entries)]));

  it('with a config.json alone is audited', async () => {
    expect((await archive({ name: 'config.json', data: config })).totals.params.total).toBe(224);
    expect((await archive({ name: 'config.json', data: config, deflated: true })).totals.params.total).toBe(224);
  });

  it.each([
    ['holds no config.json', { name: 'other.txt', data: config }, /without 'config.json'/],
    ['is a PyTorch checkpoint', { name: 'archive/data.pkl', data: config }, /torch.onnx.export/],
    [
      'tells a size too small',
      { name: 'config.json', data: config, deflated: true, told: { size: 100 } },
      /larger than the 100 bytes/,
    ],
    [
      'tells a size too large',
      { name: 'config.json', data: config, deflated: true, told: { size: 5000 } },
      /where the archive tells 5000/,
    ],
    ['tells two sizes', { name: 'config.json', data: config, told: { size: 3 } }, /two sizes/],
    [
      'tells an offset beyond its end',
      { name: 'config.json', data: config, told: { offset: 2 ** 30 } },
      /beyond the end/,
    ],
    ['tells a wrong offset', { name: 'config.json', data: config, told: { offset: 5 } }, /not where it should be/],
    ['is encrypted', { name: 'config.json', data: config, told: { flags: 1 } }, /encrypted/],
  ])('that %s is refused', async (_, entry, sentence) => {
    expect(await refusal(archive(entry))).toMatch(sentence);
  });

  it('whose weights cannot be as large as they are told to be is refused', async () => {
    const weights = { name: 'model.weights.h5', data: config, deflated: true, told: { size: 2 ** 31 } };
    expect(await refusal(archive({ name: 'config.json', data: config }, weights))).toMatch(/cannot grow/);
  });

  it('that expands without end is refused before it does', async () => {
    const bomb = { name: 'config.json', data: new Uint8Array(65 * 2 ** 20), deflated: true };
    expect(await refusal(archive(bomb))).toMatch(/bytes of config.json/);
  });

  it('that is cut off is refused', async () => {
    const bytes = zipBytes([{ name: 'config.json', data: config }]);
    const cut = auditSource(modelBytes('model.keras', [bytes.subarray(0, bytes.length - 30)]));
    expect(await refusal(cut)).toMatch(/cut off/);
  });

  it('whose weights are no HDF5 is refused', async () => {
    const weights = { name: 'model.weights.h5', data: new Uint8Array(500) };
    expect(await refusal(archive({ name: 'config.json', data: config }, weights))).toMatch(/HDF5/);
  });
});

describe('an HDF5 file', () => {
  it('that is none, or cut off, is refused', async () => {
    const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
    const bytes = Uint8Array.from({ length: 2000 }, (_, index) => signature[index] ?? (index * 7) % 256);
    expect(await refusal(auditSource(modelBytes('model.h5', [bytes])))).toMatch(/model.h5: .*HDF5/);
  });
});
