import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { auditSource } from '../../../src/audit/audit.ts';
import type { Layer, Report } from '../../../src/audit/report.ts';
import { modelFile } from '../../../src/formats/model-source.ts';
import { CORPUS, hasCorpus } from '../../support/models.ts';

/** What Keras itself says of a model. */
interface KerasTruth {
  readonly totalParams: number;
  readonly trainableParams?: number;
  readonly macs?: number;
  readonly macsInput?: readonly number[];
  readonly macsByLayer?: Readonly<Record<string, number>>;
  readonly layers: readonly {
    readonly name: string;
    readonly class: string;
    readonly outputShape: readonly (number | null)[] | readonly (readonly (number | null)[])[];
    readonly params: number;
    readonly trainable?: number;
  }[];
}

const folder = join(CORPUS, 'keras');
const ENDINGS = ['.json', '.keras', '.h5'];

/** Models whose spatial extents are open, at the extents that their truth stands for. */
const OPEN_IMAGES: Readonly<Record<string, readonly number[]>> = {
  MobileNetV2_none1_top0: [1, 224, 224, 3],
  MobileNet_none1_top0: [1, 224, 224, 3],
  MobileNetV2_notop_dyn: [1, 224, 224, 3],
  rnn_bidir: [1, 12],
};

interface Sample {
  readonly name: string;
  readonly model: string;
  readonly truth: string;
}

function samples(): readonly Sample[] {
  const written = ['k3', 'k215', 'k210'].flatMap((version) => {
    const files = readdirSync(join(folder, version));
    return files.flatMap((file): Sample[] => {
      const ending = ENDINGS.find((candidate) => file.endsWith(candidate));
      if (ending === undefined || file.includes('.truth.')) return [];
      const stem = file.slice(0, -ending.length);
      const truth = join(folder, version, `${stem}.truth.json`);
      return [{ name: `${version}/${file}`, model: join(folder, version, file), truth }];
    });
  });
  const browser = readdirSync(join(folder, 'tfjs')).map((model) => ({
    name: `tfjs/${model}`,
    model: join(folder, 'tfjs', model, 'model.json'),
    truth: join(folder, 'tfjs', model, 'truth.json'),
  }));
  return [...written, ...browser];
}

/** A layer by itself, or all layers of a model within the model. */
const layersOf = ({ layers }: Report, name: string): readonly Layer[] => {
  const own = layers.filter((layer) => layer.name === name);
  return own.length > 0 ? own : layers.filter(({ scope }) => scope.includes(name));
};

const sum = (figures: readonly number[]): number => figures.reduce((total, figure) => total + figure, 0);

/** Open extents are left out of the comparison. */
function shapesAgree(told: readonly unknown[], found: readonly unknown[] | null | undefined): boolean {
  return found?.length === told.length && told.every((extent, axis) => extent === null || extent === found[axis]);
}

/**
 * TensorFlow.js 4.22 gives a causal convolution the shape of one without padding, and then cannot run it; Keras, whose
 * layer it is, keeps the length.
 */
const WRONG_IN_TRUTH = new Set(['conv1d_Conv1D1', 'time_distributed_TimeDistributed1', 'permute_Permute1']);

describe.runIf(hasCorpus && existsSync(folder)).each(hasCorpus ? samples() : [])('$name', ({ model, truth: path }) => {
  const truth: KerasTruth = JSON.parse(readFileSync(path, 'utf8'));
  const stem = model.replace(/.*\//, '').replace(/\.\w+$/, '');
  const shape = OPEN_IMAGES[stem];

  it("has Keras's own parameters, shapes and MACs, layer by layer", async () => {
    const report = await auditSource(modelFile(model), shape ? { shapes: { '': shape } } : {});
    expect(report.totals.params.total).toBe(truth.totalParams);
    if (truth.trainableParams !== undefined) expect(report.totals.params.trainable).toBe(truth.trainableParams);
    if (truth.macs !== undefined) expect(report.totals.macs).toBe(truth.macs);
    for (const told of truth.layers.filter((layer) => layer.class !== 'InputLayer')) {
      const found = layersOf(report, told.name);
      expect(found.length, told.name).toBeGreaterThan(0);
      expect(sum(found.map(({ params }) => params.total)), told.name).toBe(told.params);
      if (told.trainable !== undefined) {
        expect(sum(found.map(({ params }) => params.trainable)), told.name).toBe(told.trainable);
      }
      const [first] = told.outputShape;
      const outputShape = Array.isArray(first) ? first : told.outputShape;
      if (WRONG_IN_TRUTH.has(told.name)) continue;
      expect(shapesAgree(outputShape, found.at(-1)?.outputShapes[0]), `${told.name}: ${outputShape}`).toBe(true);
    }
    for (const [name, macs] of Object.entries(truth.macsByLayer ?? {})) {
      expect(sum(layersOf(report, name).map((layer) => layer.macs ?? Number.NaN)), name).toBe(macs);
    }
    expect(report.totals.isLowerBound).toBe(false);
  });
});
