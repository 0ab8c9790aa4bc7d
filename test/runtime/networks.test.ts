import { existsSync, readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-web';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { CORPUS } from '../support/models.ts';
import { analyseBytes, filledModel } from './corpus-model.ts';
import { digitsModel, testImages } from './digits.ts';
import { randomFloats, relativeError } from './random.ts';

/** One of each family; `npm run validate:runtime` runs all. */
const NETWORKS = [
  'mobilenet_v1_0.25_128',
  'conv_mobilenet_0.25_128',
  'mobilenet_v2',
  'mobilenet_v3_small_preserve',
  'mnasnet0_5',
  'efficientnet_b0',
  'shufflenet_v2_x0_5',
  'squeezenet1_1',
  'googlenet_aux',
  'regnet_y_400mf',
  'resnet18',
  'densenet121',
  'keras_MobileNetV3Small',
];

beforeAll(() => {
  ort.env.wasm.numThreads = 1;
});

const greatest = (values: Float32Array): number =>
  values.reduce((best, value, i) => (value > (values[best] ?? 0) ? i : best), 0);

async function compare(name: string, exact: boolean): Promise<{ error: number; sameClass: boolean }> {
  const bytes = filledModel(name);
  const runtime = await createRuntime({ threads: 1 });
  const network = await runtime.load(analyseBytes(bytes), { exact });
  const [input] = network.inputs;
  if (!input) throw new Error('no input');
  const data = randomFloats(
    9,
    input.shape.reduce((product, extent) => product * extent, 1),
  );
  const [output] = Object.values(network.run({ [input.name]: { shape: input.shape, data } }));
  await runtime.close();
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  const results = await session.run({ [input.name]: new ort.Tensor('float32', data, [...input.shape]) });
  const expected = results[network.outputs[0]?.name ?? '']?.data;
  await session.release();
  if (!(expected instanceof Float32Array) || !output) throw new Error('no output');
  // Relative to the greatest output, however small that is.
  const scale = 1 / expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const error = relativeError(
    output.data.map((value) => value * scale),
    expected.map((value) => value * scale),
  );
  return { error, sameClass: greatest(output.data) === greatest(expected) };
}

describe.skipIf(!existsSync(CORPUS))('whole networks against onnxruntime', () => {
  it.each(NETWORKS)('%s', async (name) => {
    const fast = await compare(name, false);
    expect(fast.error).toBeLessThan(1e-4);
    expect(fast.sameClass).toBe(true);
  });

  it('are closer where exact arithmetic is asked for', async () => {
    expect((await compare('conv_mobilenet_0.25_128', true)).error).toBeLessThan(1e-5);
  });

  it('puts every digit into the class that onnxruntime puts it into', async () => {
    const bytes = readFileSync(digitsModel);
    const images = testImages();
    const runtime = await createRuntime({ threads: 1 });
    const network = await runtime.load(analyseBytes(bytes));
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
    const name = network.inputs[0]?.name ?? '';
    for (let index = 0; index < images.length / 64; index++) {
      const data = images.slice(index * 64, index * 64 + 64);
      const [ours] = Object.values(network.run({ [name]: { shape: [1, 1, 8, 8], data } }));
      const theirs = Object.values(await session.run({ [name]: new ort.Tensor('float32', data, [1, 1, 8, 8]) }))[0]
        ?.data;
      if (!ours || !(theirs instanceof Float32Array)) throw new Error('no output');
      expect(greatest(ours.data)).toBe(greatest(theirs));
    }
    await session.release();
    await runtime.close();
  });
});
