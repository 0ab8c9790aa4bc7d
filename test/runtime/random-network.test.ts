import * as ort from 'onnxruntime-web';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRuntime, type Runtime } from '../../src/runtime/runtime.ts';
import { randomFloats, relativeError } from './random.ts';
import { randomNetwork } from './random-network.ts';

/** The first of them, and how many. */
const FIRST = Number(process.env.RANDOM_NETWORKS_FROM ?? 1);
const COUNT = Number(process.env.RANDOM_NETWORKS ?? 60);
/** A norm of nearly equal elements magnifies the rounding of what is in front of it, in every mode. */
const LIMIT = 1e-4;

let runtime: Runtime;

beforeAll(async () => {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'fatal';
  runtime = await createRuntime({ threads: 1 });
});

afterAll(() => runtime.close());

describe('networks drawn at random', () => {
  it('compute what onnxruntime computes', async () => {
    for (let seed = FIRST; seed < FIRST + COUNT; seed++) await compare(seed);
  });
});

async function compare(seed: number): Promise<void> {
  const { bytes, inputs, ops } = randomNetwork(seed);
  const named = `network ${seed}: ${ops.join(', ')}`;
  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, shape], index) => {
      const count = shape.reduce((product, extent) => product * extent, 1);
      return [name, { shape, data: randomFloats(seed + index, count) }];
    }),
  );
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  const feeds = Object.entries(given).map(([name, { shape, data }]) => [
    name,
    new ort.Tensor('float32', data, [...shape]),
  ]);
  const expected = await session.run(Object.fromEntries(feeds));
  await session.release();
  for (const exact of [false, true]) {
    const network = await runtime.load(bytes, { exact });
    const outputs = network.run(given);
    await network.close();
    for (const [name, { shape, data }] of Object.entries(outputs)) {
      const truth = expected[name]?.data;
      if (!(truth instanceof Float32Array)) throw new Error(`${named}: no output`);
      expect(shape, `${named}: ${name}`).toEqual(expected[name]?.dims);
      expect(relativeError(data, truth), `${named}: ${name}`).toBeLessThan(LIMIT);
    }
  }
}
