import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { auditSource } from '../../../src/audit/audit.ts';
import { modelFile } from '../../../src/formats/model-source.ts';
import { CORPUS, hasCorpus } from '../../support/models.ts';

/** Networks that the corpus has twice: as Keras's own graph, and as Keras's own export of it. */
const TWICE = ['MobileNet', 'MobileNetV2', 'MobileNetV3Small', 'DenseNet121', 'EfficientNetB0'];

describe.runIf(hasCorpus).each(TWICE)('%s as Keras JSON and as its ONNX export', (name) => {
  const json = () => auditSource(modelFile(join(CORPUS, 'keras/k3', `${name}.json`)));
  const onnx = () => auditSource(modelFile(join(CORPUS, 'onnx', `keras_${name}.onnx`)));

  it('has the same MACs, convolution for convolution', async () => {
    const [keras, exported] = [await json(), await onnx()];
    const macsOf = ({ layers }: typeof keras) =>
      layers.filter(({ macs }) => macs !== null && macs > 0).map(({ kind, macs }) => [kind, macs]);
    expect(macsOf(keras)).toEqual(macsOf(exported));
    expect(keras.totals.macs).toBe(exported.totals.macs);
  });

  it('has the same verdicts and savings', async () => {
    const [keras, exported] = [await json(), await onnx()];
    const savings = ({ dsc }: typeof keras) => dsc.candidates.map(({ before, after }) => [before.macs, after.macs]);
    expect(savings(keras)).toEqual(savings(exported));
    expect(keras.dsc.rejected.map(({ reason }) => reason)).toEqual(exported.dsc.rejected.map(({ reason }) => reason));
  });
});
