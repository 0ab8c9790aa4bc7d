import * as ort from 'onnxruntime-web';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { attentionUnet, inceptionV3, shuffledGroups } from './architectures.ts';
import { randomFloats, relativeError } from './random.ts';

beforeAll(() => {
  ort.env.wasm.numThreads = 1;
});

describe('architectures that onnxruntime runs', () => {
  it.each([
    ['Inception v3', inceptionV3],
    ['a U-Net with attention gates', attentionUnet],
    ['grouped convolutions with a channel shuffle', shuffledGroups],
  ])('%s', async (_, build) => {
    const bytes = build();
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
    const runtime = await createRuntime({ threads: 2 });
    for (const exact of [false, true]) {
      const network = await runtime.load(bytes, { exact });
      const [{ name, shape } = { name: '', shape: [] }] = network.inputs;
      const data = randomFloats(
        5,
        shape.reduce((product, extent) => product * extent, 1),
      );
      const [ours] = Object.values(network.run({ [name]: { shape, data } }));
      const [theirs] = Object.values(await session.run({ [name]: new ort.Tensor('float32', data, [...shape]) }));
      const expected = theirs?.data;
      if (!(expected instanceof Float32Array) || !ours) throw new Error('no output');
      expect(ours.shape).toEqual(theirs?.dims);
      const scale = 1 / Math.max(...expected.map(Math.abs));
      const [a, b] = [ours.data.map((value) => value * scale), expected.map((value) => value * scale)];
      expect(relativeError(a, b)).toBeLessThan(exact ? 1e-5 : 1e-4);
    }
    await session.release();
    await runtime.close();
  });

  it('shuffles channels by one gather', async () => {
    const runtime = await createRuntime({ threads: 1 });
    const { layers } = await runtime.load(shuffledGroups());
    const moves = layers.filter(({ op }) => op === 'Reshape' || op === 'Transpose');
    expect(moves.map(({ kernel }) => kernel)).toEqual(['none', 'none', 'copy']);
    await runtime.close();
  });
});
