import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VARIANTS } from '../../src/runtime/kernels/variants.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { digitsModel, digitsTest } from './digits.ts';
import { randomFloats } from './random.ts';
import { SmallModel } from './small-model.ts';

const WINDOW = { kernel: [3, 3], strides: [], dilations: [] } as const;
const CONV = { ...WINDOW, groups: 1, channelsLast: false, weightChannelsLast: false, activation: null } as const;

function convModel(): SmallModel {
  const model = new SmallModel();
  const x = model.input('image', [1, 16, 12, 12]);
  const w = model.constant([24, 16, 3, 3], randomFloats(1, 24 * 16 * 9));
  const attrs = { ...CONV, padding: { mode: 'same-upper' }, result: 'same' } as const;
  return model.output(model.one('conv', attrs, x, w));
}

const image = { shape: [1, 16, 12, 12], data: randomFloats(2, 16 * 144) };

describe('a runtime', () => {
  it('says which variant of the kernels it runs, and on how many threads', async () => {
    const runtime = await createRuntime({ threads: 2 });
    expect(Object.keys(VARIANTS)).toContain(runtime.variant);
    expect(runtime.threads).toBe(2);
    await runtime.close();
  });

  it('refuses a number of threads that is none', async () => {
    await expect(createRuntime({ threads: 0 })).rejects.toMatchObject({ code: 'invalid-option' });
  });

  it('gives the same bits on any number of threads', async () => {
    const outputs = [];
    for (const threads of [1, 2, 3]) {
      const runtime = await createRuntime({ threads });
      const network = await runtime.load(convModel().analyse());
      outputs.push(network.run({ image }));
      await runtime.close();
    }
    expect(outputs[1]).toEqual(outputs[0]);
    expect(outputs[2]).toEqual(outputs[0]);
  });

  it('names every operator that it cannot run, before anything is run', async () => {
    const model = new SmallModel();
    const x = model.input('x', [4, 4]);
    model.output(model.one('det', {}, model.one('trilu', { upper: true }, x, null)));
    const runtime = await createRuntime({ threads: 1 });
    await expect(runtime.load(model.analyse())).rejects.toMatchObject({
      code: 'cannot-run',
      message: expect.stringMatching(/trilu.*det/),
    });
  });

  it('names an input that is missing, or of another shape or type', async () => {
    const runtime = await createRuntime({ threads: 1 });
    const network = await runtime.load(convModel().analyse());
    expect(() => network.run({})).toThrow("The input 'image' is missing.");
    expect(() => network.run({ image: { ...image, shape: [1, 12, 12, 16] } })).toThrow(/'image' must be 1x16x12x12/);
    const doubles = new Float64Array(16 * 144) as unknown as Float32Array;
    expect(() => network.run({ image: { ...image, data: doubles } })).toThrow(/'image' must be float32/);
    await runtime.close();
  });

  it('gives the time of each layer on the clock that it is handed', async () => {
    let time = 0;
    const runtime = await createRuntime({ threads: 1, now: () => time++ });
    const network = await runtime.load(convModel().analyse());
    const layers = network.timeLayers();
    expect(layers.map(({ kernel, op }) => [kernel, op])).toEqual([['winograd-4x4', 'conv']]);
    expect(layers[0]?.latencyMs).toBeGreaterThan(0);
    await runtime.close();
  });

  it('takes another kernel where exact arithmetic is asked for', async () => {
    const runtime = await createRuntime({ threads: 1 });
    const network = await runtime.load(convModel().analyse(), { exact: true });
    expect(network.layers[0]?.kernel).toBe('direct');
    await runtime.close();
  });

  it('does not grow over a thousand runs', async () => {
    const runtime = await createRuntime({ threads: 2 });
    const network = await runtime.load(convModel().analyse());
    const before = network.memoryBytes;
    const first = network.run({ image });
    for (let index = 0; index < 1000; index++) network.time();
    expect(network.memoryBytes).toBe(before);
    expect(network.run({ image })).toEqual(first);
    await runtime.close();
  });
});

describe.skipIf(!existsSync(digitsModel))('the digits network', () => {
  it('recognises 353 of its 360 test images, on one thread and on two', async () => {
    for (const threads of [1, 2]) {
      expect(await digitsTest(threads)).toBe(353);
    }
  });
});
