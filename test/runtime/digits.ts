/** The digits network of the corpus: trained weights, and images with their labels. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { CORPUS } from '../support/models.ts';
import { analyseBytes } from './corpus-model.ts';

const PIXELS = 64;
const folder = join(CORPUS, 'digits');

export const digitsModel = join(folder, 'digits_cnn.onnx');

export function testImages(): Float32Array {
  return new Float32Array(new Uint8Array(readFileSync(join(folder, 'digits_test_images.f32'))).buffer);
}

const greatest = (values: Float32Array): number => values.indexOf(Math.max(...values));

/** How many test images the runtime puts into their class. */
export async function digitsTest(threads: number): Promise<number> {
  const labels = readFileSync(join(folder, 'digits_test_labels.u8'));
  const images = testImages();
  const runtime = await createRuntime({ threads });
  const network = await runtime.load(analyseBytes(readFileSync(digitsModel)));
  const input = network.inputs[0]?.name ?? '';
  let right = 0;
  for (const [index, label] of labels.entries()) {
    const data = images.slice(index * PIXELS, (index + 1) * PIXELS);
    const [logits] = Object.values(network.run({ [input]: { shape: [1, 1, 8, 8], data } }));
    if (logits && greatest(logits.data) === label) right += 1;
  }
  await runtime.close();
  return right;
}
