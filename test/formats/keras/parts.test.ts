import { expect, it } from 'vitest';
import { modelFile } from '../../../src/formats/model-source.ts';
import { readModel } from '../../../src/formats/read-model.ts';

it('finds every weight of an archive, also of parts of layers', async () => {
  const { model, close } = await readModel(modelFile('fixtures/keras/parts.keras'));
  const constants = model.values.flatMap(({ name, constant }) => (constant ? [{ name, constant }] : []));
  const weights = constants.filter(({ constant }) => ['trainable', 'non-trainable'].includes(constant.origin));
  const missing = weights.filter(({ constant }) => constant.data.read() === null);
  expect(missing.map(({ name }) => name)).toEqual([]);
  // Attention 8 and 8, cells 9, both directions 6, two Dense 4, the convolution 3, the normalization 3.
  expect(weights).toHaveLength(41);
  close();
});
