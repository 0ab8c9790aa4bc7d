import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { analyseSource } from '../../../src/audit/analyse.ts';
import { audit } from '../../../src/audit/audit.ts';
import { fitToSamples } from '../../../src/audit/fit-to-samples.ts';
import { latencyProjector } from '../../../src/audit/project-latency.ts';
import { rewrite } from '../../../src/audit/rewrite.ts';
import type { RewriteReport } from '../../../src/audit/rewrite-report.ts';
import { DEFAULT_STRATEGY, STRATEGIES } from '../../../src/dsc/strategies/index.ts';
import { BETWEEN } from '../../../src/dsc/strategies/strategy.ts';
import { bytesSource } from '../../../src/formats/byte-source.ts';
import type { Hdf5Group } from '../../../src/formats/keras/hdf5-file.ts';
import { makeHdf5, type TargetGroup } from '../../../src/formats/keras/hdf5-writer.ts';
import { namesIn } from '../../../src/formats/keras/legacy-h5.ts';
import { modelFile } from '../../../src/formats/model-source.ts';
import { staticExtents } from '../../../src/ir/fact.ts';
import { referenceProfile } from '../../../src/latency/reference.ts';
import { analysedModel, createRuntime } from '../../../src/runtime/index.ts';
import { randomFloats } from '../../runtime/random.ts';
import { CORPUS, FIXTURES, hasCorpus } from '../../support/models.ts';
import { greatestDifference, rewriteInto, withFolder } from '../../support/rewriting.ts';

/** The first output of a model on seeded random inputs. */
async function outputOf(path: string): Promise<Float32Array> {
  const { read, facts } = await analyseSource(modelFile(path));
  const runtime = await createRuntime({ threads: 1 });
  try {
    const network = await runtime.load(analysedModel(read.model, facts));
    const inputs = read.model.graph.inputs.map((id, index) => {
      const shape = staticExtents(facts.of[id]) ?? [];
      const count = shape.reduce((product, extent) => product * extent, 1);
      return [read.model.values[id]?.name ?? '', { shape, data: randomFloats(index + 1, count) }] as const;
    });
    const [first] = Object.values(network.run(Object.fromEntries(inputs)));
    const data = Float32Array.from(first?.data ?? []);
    await network.close();
    return data;
  } finally {
    await runtime.close();
    read.close();
  }
}

async function expectForetold({ after }: RewriteReport, path: string): Promise<void> {
  const { totals, model } = await audit(path, { profile: 'none' });
  expect({ ...after, latencyMs: null }).toEqual({
    params: totals.params.total,
    macs: totals.macs,
    flops: totals.flops,
    weightBytes: totals.weightBytes,
    fileBytes: model.fileBytes,
    latencyMs: null,
    isLatencyLowerBound: false,
    isLowerBound: totals.isLowerBound,
  });
}

const ALL = { include: ['**'] };
const rewritable = (kind: string): string => join(FIXTURES, `keras/rewritable.${kind}`);

describe.each(['keras', 'h5'])('a rewritten .%s file', (kind) => {
  it.each(STRATEGIES)('computes the same at full rank, as $name', async (strategy) => {
    await withFolder(async (folder) => {
      const { report, path } = await rewriteInto(folder, rewritable(kind), { strategy, rank: 25 }, ALL);
      await expectForetold(report, path);
      expect(report.layers.length).toBeGreaterThan(6);
      expect(greatestDifference(await outputOf(path), await outputOf(rewritable(kind)))).toBeLessThan(1e-4);
    });
  });

  it.each(BETWEEN)('has the figures that were foretold, with %s between', async (between) => {
    await withFolder(async (folder) => {
      for (const strategy of STRATEGIES) {
        const { report, path } = await rewriteInto(folder, rewritable(kind), { strategy, between, rank: 2 });
        await expectForetold(report, path);
        expect(report.layers.map(({ layer }) => layer)).toContain('shared');
      }
    });
  });
});

describe('a rewritten .keras file', () => {
  it('takes the milliseconds that were foretold, with a layer replaced in each of its calls', async () => {
    await withFolder(async (folder) => {
      const projector = latencyProjector({ profile: await referenceProfile(), source: 'reference', diagnostics: [] });
      const wish = { strategy: DEFAULT_STRATEGY };
      const { report, path } = await rewriteInto(folder, rewritable('keras'), wish, {}, null, projector);
      const { totals } = await audit(path, { profile: 'reference' });
      expect(report.layers.map(({ layer }) => layer)).toContain('shared');
      expect(report.after.latencyMs?.value).toBeCloseTo(totals.latencyMs?.value ?? 0, 9);
      const { dsc, layers } = await audit(rewritable('keras'), { profile: 'reference' });
      const shared = dsc.candidates.find(({ layer }) => layer === 'shared');
      expect(shared?.before.latencyMs).toEqual(layers[shared?.index ?? -1]?.latencyMs);
    });
  });

  it('says what was done, and has all other layers as they were', async () => {
    await withFolder(async (folder) => {
      const { bytes } = await rewriteInto(folder, rewritable('keras'));
      const [before, after] = [readFileSync(rewritable('keras')), bytes].map((file) => unzipSync(file));
      const json = (files: typeof before, name: string) => JSON.parse(Buffer.from(files?.[name] ?? []).toString());
      expect(json(after, 'metadata.json')).toMatchObject({
        ...json(before, 'metadata.json'),
        'dsc-audit.rewrite': { strategy: 'depthwise-separable' },
      });
      const [was, is] = [json(before, 'config.json'), json(after, 'config.json')];
      const classes = new Map<string, readonly string[]>();
      for (const [index, layer] of was.config.layers.entries()) {
        const now = is.config.layers[index];
        if (layer.class_name === now.class_name && layer.name !== 'tower' && layer.name !== 'steps') {
          expect(now).toEqual(layer);
        } else classes.set(layer.name, [layer.class_name, now.class_name]);
        expect(now.inbound_nodes).toEqual(layer.inbound_nodes);
      }
      expect(Object.fromEntries(classes)).toMatchObject({
        shared: ['Conv2D', 'SeparableConv2D'],
        line: ['Conv1D', 'SeparableConv1D'],
        causal: ['Conv1D', 'Sequential'],
        tower: ['Sequential', 'Sequential'],
        steps: ['TimeDistributed', 'TimeDistributed'],
      });
    });
  });

  it('is fitted to samples as an ONNX file is', async () => {
    await withFolder(async (folder) => {
      const samples = join(folder, 'images.f32');
      writeFileSync(samples, new Uint8Array(randomFloats(5, 24 * 12 * 12 * 3).buffer));
      const fitting = fitToSamples({ samples, validation: null, labels: null }, () => undefined);
      for (const strategy of STRATEGIES) {
        const wish = { strategy, fitted: true };
        const only = { exclude: ['wide'] };
        const low = await rewriteInto(folder, rewritable('keras'), wish, only, fitting);
        await expectForetold(low.report, low.path);
        const { report, path } = await rewriteInto(folder, rewritable('keras'), { ...wish, rank: 9 }, only, fitting);
        await expectForetold(report, path);
        expect(report.validation?.cosine).toBeGreaterThan(0.999);
        for (const [index, { outputError }] of report.layers.entries()) {
          expect(outputError).toBeLessThan(0.03);
          expect(low.report.layers[index]?.outputError).toBeLessThan(1.1);
        }
      }
    });
  });
});

/** All of a group but its biases, by their place in the file or in its list of names. */
function copyWithoutBiases(from: Hdf5Group, to: TargetGroup): void {
  to.copyAttributes(from, ['weight_names']);
  const names = namesIn(from, 'weight_names').filter((name) => !/bias(:0)?$/.test(name));
  to.texts('weight_names', names);
  for (const name of from.names) {
    const group = from.group(name);
    if (group) copyWithoutBiases(group, to.group(name));
    else if (name !== '1') to.copy(from, name);
  }
}

const withoutBiases = (bytes: Uint8Array): Promise<Uint8Array> => makeHdf5(bytesSource([bytes]), copyWithoutBiases);

describe('a file that lacks the biases that its layers have', () => {
  it('is refused as .h5: a list of weights must not name what is not there', async () => {
    await withFolder(async (folder) => {
      const model = await withoutBiases(readFileSync(rewritable('h5')));
      await expect(rewriteInto(folder, model, { rank: 2 })).rejects.toThrow(/the bias of '\w+' is not in the file/);
    });
  });

  it('is refused as .keras', async () => {
    await withFolder(async (folder) => {
      const files = unzipSync(readFileSync(rewritable('keras')));
      const weights = await withoutBiases(files['model.weights.h5'] ?? new Uint8Array(0));
      const model = zipSync({ ...files, 'model.weights.h5': weights }, { level: 0 });
      await expect(rewriteInto(folder, model, { rank: 2 })).rejects.toThrow(/cannot be copied: '1'/);
    });
  });
});

describe('a graph without weights', () => {
  it('is rewritten as a graph', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'model.json');
      const config = unzipSync(readFileSync(rewritable('keras')))['config.json'] ?? new Uint8Array(0);
      writeFileSync(path, config);
      const output = join(folder, 'light.json');
      const report = await rewrite(path, output, { rank: 2, profile: 'none' });
      await expectForetold(report, output);
      expect(report.loss).toBeNull();
      for (const { energy } of report.layers) expect(energy).toBeNull();
      await expect(rewrite(path, null, { target: 'macs=-10%' })).rejects.toThrow(/holds no weights/);
    });
  });
});

describe.runIf(hasCorpus)('models of the corpus', () => {
  it.each([
    ['k210/seq_mix.h5', 9],
    ['k215/siamese_nested.h5', 9],
    ['k215/channels_first.h5', 9],
    ['tfjs/seq_cnn/model.json', 25],
    ['tfjs/channels_first/model.json', 9],
    ['tfjs/resblock_pad/model.json', 49],
  ])('%s computes the same at full rank', async (name, rank) => {
    await withFolder(async (folder) => {
      const model = join(CORPUS, 'keras', name);
      const output = join(folder, name.endsWith('.h5') ? 'light.h5' : 'light.json');
      const report = await rewrite(model, output, { rank, ...ALL, profile: 'none' });
      await expectForetold(report, output);
      expect(greatestDifference(await outputOf(output), await outputOf(model))).toBeLessThan(1e-4);
      const bn = join(folder, `bn-${output.endsWith('.h5') ? 'light.h5' : 'light.json'}`);
      const other = await rewrite(model, bn, { ...ALL, between: 'bn-relu', profile: 'none' }).catch(() => null);
      if (other) await expectForetold(other, bn);
    });
  });

  it('are refused where TensorFlow.js has no layers for it', async () => {
    const model = join(CORPUS, 'keras/tfjs/conv3d_small/model.json');
    await expect(rewrite(model, null, ALL)).rejects.toThrow(/TensorFlow\.js has no layers/);
  });
});
