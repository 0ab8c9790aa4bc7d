import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { VARIANTS } from '../../src/runtime/kernels/variants.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { FIXTURES } from '../support/models.ts';
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
    for (const threads of [0, 1.5, 100_000]) {
      await expect(createRuntime({ threads })).rejects.toMatchObject({ code: 'invalid-option' });
    }
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
    const refusal = (inputs: unknown): string => {
      try {
        network.run(inputs as Parameters<typeof network.run>[0]);
        return 'none';
      } catch (error) {
        return String(error);
      }
    };
    const wanted = /The input 'image' must be float32 1x16x12x12, not/;
    expect(refusal({})).toMatch(/The input 'image' \(float32 1x16x12x12\) is missing/);
    expect(refusal({ image, extra: image })).toMatch(/no input 'extra'; the inputs are image/);
    expect(refusal({ image: { ...image, shape: [1, 12, 12, 16] } })).toMatch(wanted);
    expect(refusal({ image: { ...image, shape: [1, 12, 12, 16] } })).toMatch(/not 1x12x12x16/);
    expect(refusal({ image: { ...image, data: new Float32Array(7) } })).toMatch(/not 1x16x12x12 with 7 elements/);
    expect(refusal({ image: { ...image, data: new Float64Array(16 * 144) } })).toMatch(/Float64Array/);
    expect(refusal({ image: image.data })).toMatch(wanted);
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

describe('the end of a runtime', () => {
  it('may come twice, and again; nothing runs behind it', async () => {
    for (const threads of [1, 2]) {
      const runtime = await createRuntime({ threads });
      const network = await runtime.load(convModel().analyse());
      await network.close();
      await network.close();
      await Promise.all([runtime.close(), runtime.close()]);
      expect(() => network.run({ image })).toThrow(/closed/);
      await expect(runtime.load(convModel().analyse())).rejects.toThrow(/closed/);
    }
  });

  it('leaves no thread behind, whatever ended it', async () => {
    const started: Worker[] = [];
    const listen = (worker: Worker): number => started.push(worker);
    process.on('worker', listen);
    const runtime = await createRuntime({ threads: 3 });
    const loading = runtime.load(convModel().analyse());
    await runtime.close();
    await loading;
    process.off('worker', listen);
    await setTimeout(50);
    expect(started.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  });

  it('is the death of one of its threads: runs fail, and do not hang', async () => {
    const started: Worker[] = [];
    const listen = (worker: Worker): number => started.push(worker);
    process.on('worker', listen);
    const runtime = await createRuntime({ threads: 2 });
    const network = await runtime.load(convModel().analyse());
    process.off('worker', listen);
    network.time();
    // The runs hold the event loop up: nobody hears of the end.
    void started[0]?.terminate();
    const untilItFails = (): void => {
      for (;;) network.time();
    };
    expect(untilItFails).toThrow(/ended unexpectedly/);
    expect(untilItFails).toThrow(/closed/);
    await runtime.close();
  });
});

describe('a model file', () => {
  const digits = join(FIXTURES, 'onnx/digits_cnn.onnx');

  it('runs from its path and from its bytes', async () => {
    const runtime = await createRuntime({ threads: 1 });
    const outputs = [];
    for (const model of [digits, readFileSync(digits)]) {
      const network = await runtime.load(model);
      const [{ name, shape } = { name: '', shape: [] }] = network.inputs;
      outputs.push(network.run({ [name]: { shape, data: randomFloats(1, 64) } }));
    }
    expect(outputs[0]).toEqual(outputs[1]);
    expect(Object.values(outputs[0] ?? {})[0]?.shape).toEqual([1, 10]);
    await runtime.close();
  });

  it('takes the extents that it leaves open', async () => {
    const runtime = await createRuntime({ threads: 1 });
    const open = join(FIXTURES, 'onnx/resnet50_dynbhw.onnx');
    await expect(runtime.load(open)).rejects.toMatchObject({
      code: 'unbound-dimensions',
      message: expect.stringMatching(/resnet50_dynbhw\.onnx: input 'input' is .*dims: { 'height': 224 }/),
    });
    const dims = { height: 32, width: 32 };
    await expect(runtime.load(open, { dims })).rejects.toThrow(/no weights.*random/);
    const network = await runtime.load(open, { dims, fillMissing: 'random' });
    expect(network.inputs).toEqual([{ name: 'input', shape: [1, 3, 32, 32] }]);
    expect(network.filledConstants.length).toBeGreaterThan(50);
    await runtime.close();
  });

  it('that is none is refused', async () => {
    const runtime = await createRuntime({ threads: 1 });
    await expect(runtime.load('nope.onnx')).rejects.toMatchObject({ code: 'cannot-read' });
    await expect(runtime.load(new Uint8Array(3))).rejects.toMatchObject({ code: 'not-a-model' });
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
