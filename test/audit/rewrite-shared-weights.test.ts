import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fitToSamples } from '../../src/audit/fit-to-samples.ts';
import { modelBytes } from '../../src/formats/model-source.ts';
import { encodeFloats } from '../../src/ir/elements.ts';
import { randomFloats } from '../runtime/random.ts';
import { auditOnnx } from '../support/models.ts';
import { type ModelSpec, type NodeSpec, onnxBytes, type TensorSpec } from '../support/onnx-bytes.ts';
import { expectAsForetold, greatestDifference, outputsOf, rewriteInto, withFolder } from '../support/rewriting.ts';

const tensor = (seed: number, dims: readonly number[]): TensorSpec => {
  const count = dims.reduce((product, extent) => product * extent, 1);
  return { dims, raw: encodeFloats('float32', randomFloats(seed, count)) };
};

const conv = (name: string, inputs: readonly string[], output: string, attributes = {}): NodeSpec => ({
  op: 'Conv',
  name,
  inputs,
  outputs: [output],
  attributes: { pads: [1, 1, 1, 1], ...attributes },
});

const one = conv('one', ['x', 'w'], 'h');
const two = conv('two', ['h', 'w'], 'y');
const AS_MATRIX: TensorSpec = { dims: [2], dtype: 7, ints: [8, 72] };
const PRODUCT: readonly NodeSpec[] = [
  { op: 'Reshape', inputs: ['w', 'as_matrix'], outputs: ['m'] },
  { op: 'Gemm', inputs: ['v', 'm'], outputs: ['product'], attributes: { transB: 1 } },
];

/** Networks where `w` is the weight of a convolution and of something else. */
const NETWORKS: Readonly<Record<string, ModelSpec>> = {
  'two convolutions': { nodes: [one, two], outputs: ['y'] },
  'three convolutions': { nodes: [one, two, conv('three', ['y', 'w'], 'z')], outputs: ['z'] },
  'convolutions of other strides and dilations': {
    nodes: [one, conv('two', ['x', 'w'], 'y', { strides: [2, 2], dilations: [2, 2] })],
    outputs: ['h', 'y'],
  },
  'convolutions that share the bias, too': {
    nodes: [conv('one', ['x', 'w', 'b'], 'h'), conv('two', ['h', 'w', 'b'], 'y')],
    outputs: ['y'],
  },
  'convolutions of one and of two groups': {
    inputs: { x: [1, 4, 9, 9], v: [1, 8, 9, 9] },
    initializers: { w: tensor(1, [8, 4, 3, 3]) },
    nodes: [one, conv('two', ['v', 'w'], 'y', { group: 2 })],
    outputs: ['h', 'y'],
  },
  'a convolution that reads it transposed': {
    nodes: [
      { op: 'Transpose', inputs: ['w'], outputs: ['t'], attributes: { perm: [1, 0, 2, 3] } },
      one,
      conv('two', ['h', 't'], 'y'),
    ],
    outputs: ['y'],
  },
  'a transposed convolution': {
    nodes: [one, { ...two, op: 'ConvTranspose' }],
    outputs: ['y'],
  },
  'a matrix product behind it': { nodes: [one, ...PRODUCT], outputs: ['h', 'product'] },
  'a matrix product before it': { nodes: [...PRODUCT, one], outputs: ['h', 'product'] },
  'elementwise arithmetic': {
    nodes: [one, two, { op: 'Mul', inputs: ['s', 'w'], outputs: ['scaled'] }],
    outputs: ['y', 'scaled'],
  },
};

const INPUTS = { x: [1, 8, 9, 9], v: [1, 72], s: [1, 8, 3, 3] };
const TENSORS = { w: tensor(1, [8, 8, 3, 3]), b: tensor(2, [8]), as_matrix: AS_MATRIX };

/** With the inputs and the tensors that it reads. */
function bytesOf(spec: ModelSpec): Uint8Array {
  const read = new Set((spec.nodes ?? []).flatMap(({ inputs }) => inputs ?? []));
  const only = <T>(all: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => read.has(name)));
  return onnxBytes({
    ...spec,
    inputs: only({ ...INPUTS, ...spec.inputs }),
    initializers: only({ ...TENSORS, ...spec.initializers }),
  });
}

const CHOICES = [
  { include: ['**'], exclude: [] },
  { include: ['one'], exclude: ['two'] },
] as const;

describe.each(Object.entries(NETWORKS))('a weight shared with %s', (_, spec) => {
  const model = bytesOf(spec);

  it.each([1, 2, 9])('gives the figures that were foretold at rank %i', async (rank) => {
    for (const patterns of CHOICES) {
      await withFolder(async (folder) => {
        const { report, path } = await rewriteInto(folder, model, { rank }, patterns);
        expectAsForetold(report, path);
      });
    }
  });

  it('comes to what an audit projects', async () => {
    for (const patterns of CHOICES) {
      await withFolder(async (folder) => {
        const { report } = await rewriteInto(folder, model, {}, patterns);
        const { params, macs, flops, weightBytes } = auditOnnx(modelBytes('m', [model]), patterns).dsc.projection.after;
        expect(report.after).toMatchObject({ params, macs, flops, weightBytes });
      });
    }
  });

  it('computes the same at full rank, which each convolution has of its own', async () => {
    const { inputs } = auditOnnx(modelBytes('m', [model])).model;
    const shapes = Object.fromEntries(inputs.map(({ name, shape }) => [name, (shape ?? []).map(Number)]));
    for (const patterns of CHOICES) {
      await withFolder(async (folder) => {
        const { bytes } = await rewriteInto(folder, model, { rank: 9 }, patterns);
        const difference = greatestDifference(await outputsOf(bytes, shapes), await outputsOf(model, shapes));
        expect(difference).toBeLessThan(1e-4);
      });
    }
  });
});

describe('convolutions that share a weight', () => {
  it('have weights of their own once they are fitted to samples', async () => {
    await withFolder(async (folder) => {
      const samples = join(folder, 'x.f32');
      writeFileSync(samples, encodeFloats('float32', randomFloats(3, 20 * 8 * 81)));
      const fitting = fitToSamples({ samples, validation: null, labels: null }, () => undefined);
      const model = bytesOf(NETWORKS['two convolutions'] ?? {});
      const { report, path } = await rewriteInto(folder, model, { rank: 2, fitted: true }, {}, fitting);
      expect(report.layers).toHaveLength(2);
      expectAsForetold(report, path);
    });
  });
});
