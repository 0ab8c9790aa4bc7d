import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import onnxProto from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import type { LatencyFigures, LatencyProjector } from '../../src/audit/latency-figures.ts';
import { latencyProjector } from '../../src/audit/project-latency.ts';
import { STRATEGIES } from '../../src/dsc/strategies/index.ts';
import { BETWEEN } from '../../src/dsc/strategies/strategy.ts';
import { parseTarget } from '../../src/dsc/target.ts';
import { modelBytes, modelFile } from '../../src/formats/model-source.ts';
import { encodeFloats } from '../../src/ir/elements.ts';
import { referenceProfile } from '../../src/latency/reference.ts';
import { filledModel } from '../runtime/corpus-model.ts';
import { randomFloats } from '../runtime/random.ts';
import { auditOnnx, FIXTURES, hasCorpus } from '../support/models.ts';
import { onnxBytes } from '../support/onnx-bytes.ts';
import { expectAsForetold, greatestDifference, outputsOf, rewriteInto, withFolder } from '../support/rewriting.ts';

const { onnx } = onnxProto;
const digits = join(FIXTURES, 'onnx/digits_cnn.onnx');

/** A model of two convolutions of random weights that share one or not, plain or odd. */
function smallModel(shared: boolean, dtype = 1, attributes = {}): Uint8Array {
  const type = dtype === 10 ? 'float16' : dtype === 16 ? 'bfloat16' : 'float32';
  const tensor = (seed: number, dims: readonly number[]) => {
    const count = dims.reduce((product, extent) => product * extent, 1);
    return { dims, dtype, raw: encodeFloats(type, randomFloats(seed, count)) };
  };
  return onnxBytes({
    inputs: { x: [1, 8, 9, 9] },
    initializers: { a: tensor(1, [8, 8, 3, 3]), c: tensor(3, [8]), ...(shared ? {} : { b: tensor(2, [8, 8, 3, 3]) }) },
    nodes: [
      {
        op: 'Conv',
        name: 'one',
        inputs: ['x', 'a', 'c'],
        outputs: ['h'],
        attributes: { pads: [1, 1, 1, 1], ...attributes },
      },
      { op: 'Relu', inputs: ['h'], outputs: ['r'] },
      {
        op: 'Conv',
        name: 'two',
        inputs: ['r', shared ? 'a' : 'b'],
        outputs: ['y'],
        attributes: { pads: [1, 1, 1, 1] },
      },
    ],
    outputs: ['y'],
  });
}

describe.each(STRATEGIES)('rewriting as $name', (strategy) => {
  it.each(BETWEEN)('foretells every figure of the new file, with %s between', async (between) => {
    await withFolder(async (folder) => {
      for (const rank of [1, 2, 5]) {
        const { report, path } = await rewriteInto(folder, digits, { strategy, between, rank });
        expect(report.layers).toHaveLength(4);
        expectAsForetold(report, path);
      }
    });
  });

  it('leaves the outputs as they are at full rank', async () => {
    await withFolder(async (folder) => {
      const shapes = { image: [2, 1, 8, 8] };
      const { bytes } = await rewriteInto(folder, digits, { strategy, rank: 9 }, { include: ['stem'] });
      const expected = await outputsOf(readFileSync(digits), shapes);
      expect(greatestDifference(await outputsOf(bytes, shapes), expected)).toBeLessThan(1e-4);
    });
  });

  it.each([
    ['strides', { strides: [2, 2] }],
    ['dilations', { dilations: [2, 2], pads: [2, 2, 2, 2] }],
    ['pads that differ', { pads: [0, 1, 2, 1] }],
    ['automatic padding', { auto_pad: 'SAME_LOWER', pads: [], strides: [2, 2] }],
  ] as const)('keeps %s', async (_, attributes) => {
    const given: Record<string, string | readonly number[]> = { ...attributes };
    if ('auto_pad' in given) delete given.pads;
    const model = onnxBytes({
      inputs: { x: [1, 6, 9, 11] },
      initializers: { a: { dims: [8, 6, 3, 3], raw: encodeFloats('float32', randomFloats(7, 432)) } },
      nodes: [{ op: 'Conv', inputs: ['x', 'a'], outputs: ['y'], attributes: given }],
      outputs: ['y'],
    });
    await withFolder(async (folder) => {
      const exact = await rewriteInto(folder, model, { strategy, rank: 9 });
      const shapes = { x: [1, 6, 9, 11] };
      expect(greatestDifference(await outputsOf(exact.bytes, shapes), await outputsOf(model, shapes))).toBeLessThan(
        1e-4,
      );
      expectAsForetold(exact.report, exact.path);
      const { report, path } = await rewriteInto(folder, model, { strategy });
      expectAsForetold(report, path);
    });
  });

  it('splits grouped convolutions that are asked for', async () => {
    const model = onnxBytes({
      inputs: { x: [1, 12, 7, 7] },
      initializers: { a: { dims: [18, 4, 3, 3], raw: encodeFloats('float32', randomFloats(7, 648)) } },
      nodes: [
        { op: 'Conv', name: 'g', inputs: ['x', 'a'], outputs: ['y'], attributes: { group: 3, pads: [1, 1, 1, 1] } },
      ],
      outputs: ['y'],
    });
    await withFolder(async (folder) => {
      const exact = await rewriteInto(folder, model, { strategy, rank: 9 }, { include: ['g'] });
      const shapes = { x: [1, 12, 7, 7] };
      expect(greatestDifference(await outputsOf(exact.bytes, shapes), await outputsOf(model, shapes))).toBeLessThan(
        1e-4,
      );
      expectAsForetold(exact.report, exact.path);
    });
  });
});

describe('rewriting', () => {
  it('stores weights once that two convolutions share', async () => {
    await withFolder(async (folder) => {
      const model = smallModel(true);
      const { report, path, bytes } = await rewriteInto(folder, model, { rank: 9 });
      expectAsForetold(report, path);
      const shapes = { x: [1, 8, 9, 9] };
      expect(greatestDifference(await outputsOf(bytes, shapes), await outputsOf(model, shapes))).toBeLessThan(1e-4);
      expect(onnx.ModelProto.decode(bytes).graph?.initializer).toHaveLength(3);
    });
  });

  it('keeps a shared weight that one of its readers still needs', async () => {
    await withFolder(async (folder) => {
      const { report, path } = await rewriteInto(folder, smallModel(true), {}, { exclude: ['two'] });
      expectAsForetold(report, path);
    });
  });

  it.each([
    ['float16', 10],
    ['bfloat16', 16],
  ])('writes %s weights as such', async (_, dtype) => {
    await withFolder(async (folder) => {
      const { report, path, bytes } = await rewriteInto(folder, smallModel(false, dtype), { rank: 2 });
      expectAsForetold(report, path);
      for (const { dataType } of onnx.ModelProto.decode(bytes).graph?.initializer ?? []) expect(dataType).toBe(dtype);
    });
  });

  it('takes all other nodes over byte for byte', async () => {
    await withFolder(async (folder) => {
      const { bytes } = await rewriteInto(folder, digits, {}, { exclude: ['layer2'] });
      const fields = (model: Uint8Array) => onnx.ModelProto.decode(model);
      const [before, after] = [fields(readFileSync(digits)), fields(bytes)];
      const others = (nodes: readonly onnxProto.onnx.INodeProto[]) =>
        nodes.filter(({ name }) => !/layer[134]/.test(name ?? '') || /Relu/.test(name ?? ''));
      expect(others(after.graph?.node ?? [])).toEqual(others(before.graph?.node ?? []));
      expect(after.opsetImport).toEqual(before.opsetImport);
      expect(after.graph?.input).toEqual(before.graph?.input);
      expect(after.metadataProps.map(({ key }) => key)).toEqual(['dsc-audit.rewrite']);
    });
  });

  it('meets a target on MACs, parameters and file size, with no more than it takes', async () => {
    await withFolder(async (folder) => {
      const original = auditOnnx(modelFile(digits));
      for (const [text, metric, limit] of [
        ['macs=-50%', 'macs', original.totals.macs / 2],
        ['params=100k', 'params', 100_000],
        ['size=400kB', 'fileBytes', 400_000],
      ] as const) {
        const { report, path } = await rewriteInto(folder, digits, { target: parseTarget(text), rank: 'auto' });
        expectAsForetold(report, path);
        expect(report.after[metric]).toBeLessThanOrEqual(limit);
        expect(report.after[metric]).toBeGreaterThan(0.9 * limit);
      }
    });
  });

  it('meets a target on projected milliseconds: an audit of the new file projects the same', async () => {
    await withFolder(async (folder) => {
      const profile = await referenceProfile();
      const chosen = { profile, source: 'reference', diagnostics: [] } as const;
      const wish = { target: parseTarget('latency=-30%'), rank: 'auto' } as const;
      const { report, path } = await rewriteInto(folder, digits, wish, {}, null, latencyProjector(chosen));
      const [before, after] = [report.before.latencyMs?.value ?? 0, report.after.latencyMs?.value ?? 0];
      expect(before).toBeGreaterThan(0);
      expect(after).toBeLessThanOrEqual(0.7 * before);
      expect(after).toBeCloseTo(auditOnnx(modelFile(path), {}, chosen).totals.latencyMs?.value ?? 0, 9);
      expect(report.profile?.source).toBe('reference');
    });
  });

  it('takes no target on milliseconds for met where those of the outcome are not known', async () => {
    await withFolder(async (folder) => {
      const profile = await referenceProfile();
      const known = latencyProjector({ profile, source: 'reference', diagnostics: [] });
      const projector: LatencyProjector = (analysis) => {
        const latency = known(analysis);
        const project: LatencyFigures['project'] = (projected) => {
          const after = latency.project(projected);
          return after && { ...after, totalMs: null };
        };
        return { ...latency, project };
      };
      const wish = { target: parseTarget('latency=-30%'), rank: 'auto' } as const;
      await expect(rewriteInto(folder, digits, wish, {}, null, projector)).rejects.toThrow(/cannot be told/);
    });
  });

  it.each(BETWEEN)('comes to what an audit projects, with %s between', async (between) => {
    await withFolder(async (folder) => {
      const { report } = await rewriteInto(folder, digits, { between });
      const { params, macs, flops, weightBytes } = auditOnnx(modelFile(digits), { between }).dsc.projection.after;
      expect(report.after).toMatchObject({ params, macs, flops, weightBytes });
    });
  });

  it('says how far one can get where the target is out of reach', async () => {
    await withFolder(async (folder) => {
      const wish = { target: parseTarget('macs=-99%'), rank: 'auto' } as const;
      await expect(rewriteInto(folder, digits, wish)).rejects.toThrow(
        /macs go down by 87\.2 % at most, from [\d.]+ M to \d+ k\./,
      );
      await expect(rewriteInto(folder, digits, { target: parseTarget('latency=1ms') })).rejects.toThrow(/profile/);
    });
  });

  it('keeps as much of each layer as is asked for, at the lowest rank', async () => {
    await withFolder(async (folder) => {
      const { report } = await rewriteInto(folder, digits, { minEnergy: 0.8, rank: 'auto' });
      for (const { energy } of report.layers) expect(energy).toBeGreaterThanOrEqual(0.8);
      expect(report.layers.length).toBeGreaterThan(0);
    });
  });

  it('keeps external data external, and copies what stays', async () => {
    await withFolder(async (folder) => {
      const model = join(FIXTURES, 'edge/external_small.onnx');
      const { report, path, bytes } = await rewriteInto(folder, model, { rank: 9 }, { include: ['**'] });
      expectAsForetold(report, path);
      const data = readFileSync(`${path}.data`);
      const shapes = Object.fromEntries(
        auditOnnx(modelFile(model)).model.inputs.map(({ name, shape }) => [name, (shape ?? []).map(Number)]),
      );
      const old = readFileSync(`${model}.data`);
      const expected = await outputsOf(readFileSync(model), shapes, [{ path: 'external_small.onnx.data', data: old }]);
      const found = await outputsOf(bytes, shapes, [{ path: 'light.onnx.data', data }]);
      expect(greatestDifference(found, expected)).toBeLessThan(1e-4);
    });
  });

  it.each(['weights_as_constants', 'ir3_initializers_as_inputs'])(
    'writes %s so that it is read again',
    async (name) => {
      await withFolder(async (folder) => {
        const bytes = readFileSync(join(FIXTURES, 'edge', `${name}.onnx`));
        const shapes = Object.fromEntries(
          auditOnnx(modelBytes('m', [bytes])).model.inputs.map(({ name: input, shape }) => [
            input,
            (shape ?? []).map(Number),
          ]),
        );
        const rewritten = await rewriteInto(folder, bytes, { rank: 99 }, { include: ['**'] });
        expectAsForetold(rewritten.report, rewritten.path);
        const difference = greatestDifference(await outputsOf(rewritten.bytes, shapes), await outputsOf(bytes, shapes));
        expect(difference).toBeLessThan(1e-4);
      });
    },
  );

  it('lists new weights as inputs where the version of the format asks for that', async () => {
    await withFolder(async (folder) => {
      const model = join(FIXTURES, 'edge/ir3_initializers_as_inputs.onnx');
      const { bytes } = await rewriteInto(folder, model, {}, { include: ['**'] });
      const { graph } = onnx.ModelProto.decode(bytes);
      const inputs = new Set(graph?.input?.map(({ name }) => name));
      expect(graph?.initializer?.filter(({ name }) => !inputs.has(name))).toEqual([]);
    });
  });

  it.each([
    ['edge/local_functions_nested.onnx', /local function/],
    ['edge/if_conv.onnx', /control-flow/],
    ['edge/qdq_conv_depthwise.onnx', /quantised|no convolution that is a candidate/],
    ['onnx/resnet18.onnx', /weights are not in the file|is not there/],
  ])('refuses %s with the reason', async (path, reason) => {
    await withFolder(async (folder) => {
      await expect(rewriteInto(folder, join(FIXTURES, path), {}, { include: ['**'] })).rejects.toThrow(reason);
    });
  });

  it('reports as its schema says', async () => {
    const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../schema/rewrite.schema.json'), 'utf8'));
    const validate = new Ajv2020({ allErrors: true, strict: false }).compile(schema);
    await withFolder(async (folder) => {
      const { report } = await rewriteInto(folder, digits, { target: parseTarget('macs=-50%'), rank: 'auto' });
      expect(validate(JSON.parse(JSON.stringify(report))) ? [] : validate.errors).toEqual([]);
    });
  });
});

describe.skipIf(!hasCorpus)('models of the corpus with random weights', () => {
  it.each(['conv_mobilenet_0.25_128', 'squeezenet1_1', 'resnet18_preserve', 'googlenet_aux', 'keras_MobileNetV2'])(
    '%s gives the same outputs at full rank, and the figures that were foretold at rank 1',
    async (name) => {
      await withFolder(async (folder) => {
        const model = filledModel(name);
        const { model: described } = auditOnnx(modelBytes('m', [model]));
        const shapes = Object.fromEntries(
          described.inputs.map(({ name: input, shape }) => [input, (shape ?? []).map(Number)]),
        );
        const exact = await rewriteInto(folder, model, { rank: 99 }, { include: ['**'] });
        const difference = greatestDifference(await outputsOf(exact.bytes, shapes), await outputsOf(model, shapes));
        expect(difference).toBeLessThan(1e-4);
        const { report, path } = await rewriteInto(folder, model, {}, { include: ['**'] });
        expectAsForetold(report, path);
      });
    },
  );
});
