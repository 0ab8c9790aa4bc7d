import { describe, expect, it } from 'vitest';
import { analyseRead } from '../../src/audit/analyse.ts';
import { convLayers } from '../../src/dsc/conv-layers.ts';
import { replaceInModel } from '../../src/dsc/replace-in-model.ts';
import { shapedReplacement } from '../../src/dsc/replacement.ts';
import { separableReplacements } from '../../src/dsc/separable-replacements.ts';
import { depthwiseSeparable } from '../../src/dsc/strategies/depthwise-separable.ts';
import { modelBytes } from '../../src/formats/model-source.ts';
import { readOnnx } from '../../src/formats/onnx/read.ts';
import { onnxBytes } from '../support/onnx-bytes.ts';

describe('a convolution of half precision', () => {
  const bytes = onnxBytes({
    inputs: { x: [1, 4, 5, 5] },
    initializers: { w: { dims: [6, 4, 3, 3], dtype: 10, raw: new Uint8Array(432) } },
    nodes: [{ op: 'Conv', name: 'conv', inputs: ['x', 'w'], outputs: ['y'] }],
    outputs: ['y'],
  });
  const { read, facts, counted } = analyseRead(readOnnx(modelBytes('half.onnx', [bytes])), 'half.onnx', {});
  const layers = convLayers(counted.layers, facts);

  it('is replaced by weights of its type, rounded as the file has them', () => {
    const replacements = layers.map((layer) => {
      const form = { rank: 1, between: 'bn-relu', bias: false } as const;
      const weights = () => [new Float64Array(36).fill(1 / 3), new Float64Array(24).fill(1 / 3)] as const;
      return { ...shapedReplacement(layer, depthwiseSeparable, form), weights };
    });
    const { model } = replaceInModel(read.model, replacements);
    const made = model.values.slice(read.model.values.length).flatMap(({ constant }) => constant ?? []);
    expect(made.length).toBeGreaterThanOrEqual(6);
    for (const { dtype, data } of made) {
      expect(dtype).toBe('float16');
      expect(data.read()?.length).toBe(data.byteLength);
    }
    // 1/3 in half precision is 0x3555.
    expect([...(made[0]?.data.read()?.slice(0, 2) ?? [])]).toEqual([0x55, 0x35]);
  });

  it('is projected with weights of its type', () => {
    const [layer] = layers;
    const form = { rank: 1, between: 'none' } as const;
    const [replacement] = layer ? separableReplacements(layer, depthwiseSeparable, form) : [];
    expect(replacement?.weightType).toBe('float16');
  });
});
