import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import onnxProto from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { fitToSamples } from '../../src/audit/fit-to-samples.ts';
import { readLabels, readSamples } from '../../src/formats/samples/read-samples.ts';
import { encodeFloats } from '../../src/ir/elements.ts';
import { randomFloats } from '../runtime/random.ts';
import { CORPUS, FIXTURES } from '../support/models.ts';
import { onnxBytes } from '../support/onnx-bytes.ts';
import { expectAsForetold, rewriteInto, withFolder } from '../support/rewriting.ts';

const { onnx } = onnxProto;
const digits = join(FIXTURES, 'onnx/digits_cnn.onnx');
const folder = join(CORPUS, 'digits');
const paths = {
  samples: join(folder, 'digits_train_images.f32'),
  validation: join(folder, 'digits_test_images.f32'),
  labels: join(folder, 'digits_test_labels.u8'),
};

describe.skipIf(!existsSync(folder))('a rewrite that is fitted to samples', { timeout: 240_000 }, () => {
  it.each([
    [1, 0.96],
    [2, 0.975],
  ])('at rank %i still tells %f of the digits, without any training', async (rank, bar) => {
    await withFolder(async (temporary) => {
      const fitting = fitToSamples(paths, () => undefined);
      const { report, path } = await rewriteInto(temporary, digits, { rank, fitted: true }, {}, fitting);
      expect(report.samples).toEqual({ count: 1437 });
      expect(report.validation).toMatchObject({ count: 360, accuracyBefore: expect.closeTo(353 / 360, 9) });
      expect(report.validation?.accuracyAfter).toBeGreaterThanOrEqual(bar);
      for (const { outputError } of report.layers) expect(outputError).toBeLessThan(0.6);
      expectAsForetold(report, path);
    });
  });

  it.each([
    ['depthwise-separable', 'bn-relu'],
    ['pointwise-depthwise', 'none'],
  ] as const)('as %s with %s between is far better than the weights alone', async (name, between) => {
    await withFolder(async (temporary) => {
      const { DEFAULT_STRATEGY, STRATEGIES } = await import('../../src/dsc/strategies/index.ts');
      const strategy = STRATEGIES.find((candidate) => candidate.name === name) ?? DEFAULT_STRATEGY;
      const few = { ...paths, samples: paths.validation };
      const fitting = fitToSamples(few, () => undefined);
      const { report, path } = await rewriteInto(temporary, digits, { strategy, between, fitted: true }, {}, fitting);
      expect(report.validation?.accuracyAfter).toBeGreaterThan(0.9);
      expectAsForetold(report, path);
    });
  });

  it('changes nothing to speak of at full rank', async () => {
    await withFolder(async (temporary) => {
      const fitting = fitToSamples({ samples: paths.validation, validation: null, labels: null }, () => undefined);
      const { report } = await rewriteInto(
        temporary,
        digits,
        { rank: 9, fitted: true },
        { exclude: ['layer1', 'layer3', 'layer4'] },
        fitting,
      );
      for (const { outputError } of report.layers) expect(outputError).toBeLessThan(0.01);
      expect(report.validation?.top1Agreement).toBe(1);
    });
  });
});

/** One convolution over 3×3, whose output is a single place. */
const onePlace = (groups: number, channels: number): Uint8Array =>
  onnxBytes({
    inputs: { x: [1, groups * channels, 3, 3] },
    initializers: {
      w: {
        dims: [groups * 2, channels, 3, 3],
        raw: encodeFloats('float32', randomFloats(1, groups * channels * 18)),
      },
    },
    nodes: [{ op: 'Conv', name: 'conv', inputs: ['x', 'w'], outputs: ['y'], attributes: { group: groups } }],
    outputs: ['y'],
  });

/** Kernels of the depthwise half in a file that was written. */
const kernelsIn = (bytes: Uint8Array): Uint8Array | undefined =>
  onnx.ModelProto.decode(bytes).graph?.initializer?.find(
    ({ dims }) => Number(dims?.[1]) === 1 && Number(dims?.[2]) === 3,
  )?.rawData ?? undefined;

/** Fitted to such samples. */
async function fittedTo(folder: string, model: Uint8Array, samples: Float32Array) {
  const path = join(folder, 'samples.f32');
  writeFileSync(path, new Uint8Array(samples.buffer));
  const fitting = fitToSamples({ samples: path, validation: null, labels: null }, () => undefined);
  return rewriteInto(folder, model, { fitted: true }, { include: ['conv'] }, fitting);
}

describe('fitting to samples', () => {
  it.each([
    ['one sample for one place', randomFloats(2, 36)],
    ['nothing but zeros', new Float32Array(36 * 5)],
  ])('meets the outputs where there is %s', async (_, samples) => {
    await withFolder(async (folder) => {
      const { report } = await fittedTo(folder, onePlace(1, 4), samples);
      expect(report.layers).toHaveLength(1);
      for (const { outputError } of report.layers) expect(outputError ?? 0).toBeLessThan(1e-4);
    });
  });

  it.each([Number.POSITIVE_INFINITY, Number.NaN])('says where the samples bring %d', async (odd) => {
    await withFolder(async (folder) => {
      const samples = randomFloats(2, 36 * 5);
      samples[40] = odd;
      const fitted = fittedTo(folder, onePlace(1, 4), samples);
      await expect(fitted).rejects.toThrow(/infinite values or NaN to 'conv'.*--exclude/);
      await expect(fitted).rejects.toMatchObject({ code: 'wrong-input' });
    });
  });

  it.each([
    ['both halves of a few taps', 2, 8, true],
    ['both halves of many taps in one group', 1, 128, true],
    ['the last half of as many taps in several groups', 2, 128, false],
  ])('fits %s', async (_, groups, channels, both) => {
    await withFolder(async (folder) => {
      const model = onePlace(groups, channels);
      const samples = randomFloats(2, groups * channels * 9 * 40);
      const plain = kernelsIn((await rewriteInto(folder, model, {}, { include: ['conv'] })).bytes);
      const fitted = kernelsIn((await fittedTo(folder, model, samples)).bytes);
      expect(fitted).toHaveLength(groups * channels * 36);
      expect(Buffer.compare(fitted ?? raw, plain ?? raw) !== 0).toBe(both);
    });
  });
});

/** A `.npy` file as NumPy writes it. */
function npy(type: string, shape: readonly number[], bytes: Uint8Array, fortran = false): Uint8Array {
  const order = fortran ? 'True' : 'False';
  const header = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': (${shape.join(', ')},), }\n`;
  const head = Buffer.alloc(10);
  head.write('\u0093NUMPY\u0001\0', 'latin1');
  head.writeUInt16LE(header.length, 8);
  return Buffer.concat([head, Buffer.from(header), bytes]);
}

const values = Float32Array.from({ length: 12 }, (_, index) => index / 2);
const raw = new Uint8Array(values.buffer);
const input = { name: 'x', dtype: 'float32', shape: [1, 2, 2] } as const;

describe('samples', () => {
  it('come as .npy, .npz, raw values or a folder of ONNX tensors', async () => {
    await withFolder(async (temporary) => {
      const tensors = join(temporary, 'tensors');
      mkdirSync(tensors);
      for (const item of [0, 1, 2]) {
        const rawData = raw.slice(16 * item, 16 * (item + 1));
        const proto = onnx.TensorProto.encode({ name: 'x', dims: [1, 2, 2], dataType: 1, rawData }).finish();
        writeFileSync(join(tensors, `input_${item}.pb`), proto);
      }
      const files = {
        'a.npy': npy('<f4', [3, 2, 2], raw),
        'b.npz': zipSync({ 'x.npy': npy('<f4', [3, 2, 2], raw) }),
        'c.f32': raw,
      };
      for (const [name, bytes] of Object.entries(files)) writeFileSync(join(temporary, name), bytes);
      for (const name of [...Object.keys(files), 'tensors']) {
        const { count, inputs } = await readSamples(join(temporary, name), [input]);
        expect(count).toBe(3);
        expect(inputs.get('x')).toEqual(values);
      }
    });
  });

  it.each([
    ['short.f32', raw.subarray(0, 20), /no whole number of items/],
    ['shape.npy', npy('<f4', [4, 3], raw), /takes items of 2x2/],
    ['columns.npy', npy('<f4', [3, 2, 2], raw, true), /ascontiguousarray/],
    ['big.npy', npy('>f4', [3, 2, 2], raw), /big-endian/],
    ['objects.npy', npy('|O8', [3, 2, 2], raw), /no plain numbers/],
    ['cut.npy', npy('<f4', [3, 2, 2], raw).subarray(0, 100), /announced|no plain numbers/],
    ['broken.npz', raw, /no whole zip archive/],
    ['lies.npy', npy('<f4', [9e15, 2, 2], raw), /announced/],
  ])('in %s are refused with the reason', async (name, bytes, reason) => {
    await withFolder(async (temporary) => {
      const path = join(temporary, name);
      writeFileSync(path, bytes);
      await expect(readSamples(path, [input])).rejects.toThrow(reason);
    });
  });

  it('have labels of any width', async () => {
    await withFolder(async (temporary) => {
      const path = join(temporary, 'labels');
      for (const bytes of [Uint8Array.of(3, 1, 2), new Uint8Array(BigInt64Array.of(3n, 1n, 2n).buffer)]) {
        writeFileSync(path, bytes);
        expect(Array.from(readLabels(path, 3))).toEqual([3, 1, 2]);
      }
      expect(() => readLabels(path, 7)).toThrow(/no labels of 7 items/);
      expect(readFileSync(path)).toHaveLength(24);
    });
  });
});
