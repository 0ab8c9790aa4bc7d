/** What the runtime computes with weights read from a file, against Keras's own definitions, written out plainly. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as h5wasm from 'h5wasm';
import { expect, it } from 'vitest';
import { modelFile } from '../../../src/formats/model-source.ts';
import { readModel } from '../../../src/formats/read-model.ts';
import { bindInputs } from '../../../src/passes/bind-inputs.ts';
import { inferFacts } from '../../../src/passes/infer-facts.ts';
import { analysedModel, createRuntime } from '../../../src/runtime/index.ts';
import { FIXTURES } from '../../support/models.ts';

const path = join(FIXTURES, 'keras/seq_mix.h5');

/** Height, width and channels, row by row. */
interface Image {
  readonly shape: readonly [number, number, number];
  readonly data: readonly number[];
}

const image = (shape: Image['shape'], at: (y: number, x: number, c: number) => number): Image => {
  const [height, width, channels] = shape;
  const data: number[] = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) data.push(at(y, x, c));
  return { shape, data };
};

const read = ({ shape: [height, width, channels], data }: Image, y: number, x: number, c: number): number =>
  y < 0 || x < 0 || y >= height || x >= width ? 0 : (data[(y * width + x) * channels + c] ?? 0);

/** y[o] = Σ x[o·s + k·d − pad] · w, each group of output channels from its own input channels; kernel y, x, in, out. */
function convolve(
  input: Image,
  kernel: { readonly size: number; readonly perGroup: number; readonly out: number; readonly w: readonly number[] },
  bias: readonly number[],
  { dilation = 1, pad = 0, groups = 1 },
): Image {
  const { size, perGroup, out, w } = kernel;
  const shrink = (size - 1) * dilation - 2 * pad;
  const [height, width] = input.shape;
  return image([height - shrink, width - shrink, out], (y, x, c) => {
    const first = Math.floor(c / (out / groups)) * perGroup;
    let sum = bias[c] ?? 0;
    for (let ky = 0; ky < size; ky++)
      for (let kx = 0; kx < size; kx++)
        for (let i = 0; i < perGroup; i++) {
          const weight = w[((ky * size + kx) * perGroup + i) * out + c] ?? 0;
          sum += weight * read(input, y + ky * dilation - pad, x + kx * dilation - pad, first + i);
        }
    return sum;
  });
}

/** Output channel c·m + j is input channel c under its filter j; kernel y, x, in, multiplier. */
function depthwise(
  input: Image,
  w: readonly number[],
  bias: readonly number[],
  multiplier: number,
  { dilation = 1, pad = 0 },
) {
  const [height, width, channels] = input.shape;
  const shrink = 2 * dilation - 2 * pad;
  return image([height - shrink, width - shrink, channels * multiplier], (y, x, out) => {
    const c = Math.floor(out / multiplier);
    let sum = bias[out] ?? 0;
    for (let ky = 0; ky < 3; ky++)
      for (let kx = 0; kx < 3; kx++) {
        const weight = w[((ky * 3 + kx) * channels + c) * multiplier + (out % multiplier)] ?? 0;
        sum += weight * read(input, y + ky * dilation - pad, x + kx * dilation - pad, c);
      }
    return sum;
  });
}

/** Each input position adds its kernel to the output, which is cut to twice the extent; kernel y, x, out, in. */
function transposed(input: Image, w: readonly number[], bias: readonly number[], out: number): Image {
  const [height, width, channels] = input.shape;
  return image([2 * height, 2 * width, out], (y, x, c) => {
    let sum = bias[c] ?? 0;
    for (let ky = 0; ky < 3; ky++)
      for (let kx = 0; kx < 3; kx++) {
        // Stride 2, kernel 3, `same`: nothing is cut in front.
        const [fromY, fromX] = [(y - ky) / 2, (x - kx) / 2];
        if (!Number.isInteger(fromY) || !Number.isInteger(fromX)) continue;
        for (let i = 0; i < channels; i++) {
          sum += (w[((ky * 3 + kx) * out + c) * channels + i] ?? 0) * read(input, fromY, fromX, i);
        }
      }
    return sum;
  });
}

const relu = ({ shape, data }: Image): Image => ({ shape, data: data.map((value) => Math.max(0, value)) });

const halved = (input: Image): Image =>
  image([input.shape[0] / 2, input.shape[1] / 2, input.shape[2]], (y, x, c) =>
    Math.max(...[0, 1].flatMap((dy) => [0, 1].map((dx) => read(input, 2 * y + dy, 2 * x + dx, c)))),
  );

/** The layers of seq_mix, one by one. */
function expected(x: Image, weight: (layer: string, name: string) => readonly number[]): readonly number[] {
  const bias = (layer: string) => weight(layer, 'bias');
  const kernel = (layer: string, size: number, perGroup: number, out: number, name = 'kernel') => ({
    size,
    perGroup,
    out,
    w: weight(layer, name),
  });
  const first = halved(relu(convolve(x, kernel('conv2d', 3, 3, 16), bias('conv2d'), { pad: 1 })));
  const separable = depthwise(first, weight('separable_conv2d', 'depthwise_kernel'), [], 2, {});
  const pointwise = kernel('separable_conv2d', 1, 32, 32, 'pointwise_kernel');
  const second = convolve(separable, pointwise, bias('separable_conv2d'), {});
  const filters = weight('depthwise_conv2d', 'depthwise_kernel');
  const third = depthwise(second, filters, bias('depthwise_conv2d'), 3, { dilation: 2, pad: 2 });
  const fourth = transposed(third, weight('conv2d_transpose', 'kernel'), bias('conv2d_transpose'), 8);
  const fifth = convolve(fourth, kernel('conv2d_1', 3, 2, 12), bias('conv2d_1'), { dilation: 2, groups: 4 });
  const [height, width, channels] = fifth.shape;
  const means = Array.from({ length: channels }, (_, c) => {
    let sum = 0;
    for (let y = 0; y < height; y++) for (let at = 0; at < width; at++) sum += read(fifth, y, at, c);
    return sum / (height * width);
  });
  const dense = weight('dense', 'kernel');
  const scores = bias('dense').map((shift, out) =>
    means.reduce((sum, mean, c) => sum + mean * (dense[c * 10 + out] ?? 0), shift),
  );
  const exponents = scores.map(Math.exp);
  const total = exponents.reduce((sum, value) => sum + value, 0);
  return exponents.map((value) => value / total);
}

/** Weights as the file has them. */
async function weightsOf(file: string) {
  const { FS } = await h5wasm.ready;
  FS.writeFile('reference.h5', readFileSync(file));
  const h5 = new h5wasm.File('reference.h5', 'r');
  return (layer: string, name: string): readonly number[] => {
    const dataset = h5.get(`model_weights/${layer}/${layer}/${name}:0`);
    const value = dataset instanceof h5wasm.Dataset ? dataset.value : null;
    if (!(value instanceof Float32Array)) throw new Error(`no ${layer}/${name}`);
    return Array.from(value);
  };
}

it('reads kernels of every kind of convolution in the right order', async () => {
  const { model, close } = await readModel(modelFile(path));
  const { facts, bindings } = bindInputs(model, { dims: new Map(), shapes: new Map() });
  const runtime = await createRuntime({ threads: 1 });
  const network = await runtime.load(analysedModel(model, inferFacts(model, facts, bindings)));
  const x = image([32, 32, 3], (y, column, c) => Math.sin(0.7 * y + 1.3 * column + 2.1 * c));
  const outputs = await network.run({ input_1: { shape: [1, 32, 32, 3], data: Float32Array.from(x.data) } });
  const told = expected(x, await weightsOf(path));
  const [found] = Object.values(outputs);
  expect(found?.shape).toEqual([1, 10]);
  told.forEach((value, index) => {
    expect(found?.data[index]).toBeCloseTo(value, 5);
  });
  await runtime.close();
  close();
});
