import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditSource } from '../../../src/audit/audit.ts';
import type { Report } from '../../../src/audit/report.ts';
import { bytesSource } from '../../../src/formats/byte-source.ts';
import { type ModelSource, modelBytes } from '../../../src/formats/model-source.ts';
import type { ChosenProfile } from '../../../src/latency/choose-profile.ts';
import { referenceProfile } from '../../../src/latency/reference.ts';
import { FORMAT_NAMES } from '../../../src/report/formats.ts';
import { documentOf } from '../../support/documents.ts';
import { conv2d, functional, jsonBytes } from '../../support/keras.ts';
import { FIXTURES, modelsIn } from '../../support/models.ts';
import type { Chance } from '../chance.ts';
import { mutateHdf5 } from '../mutators/hdf5.ts';
import { mutateJson } from '../mutators/json.ts';
import { mutateWire } from '../mutators/wire.ts';
import { mutateZip } from '../mutators/zip.ts';
import type { Target } from '../target.ts';

/** No figure of a report is anything but a number that JSON can hold; none but a saving is below 0. */
function checkFigures(value: unknown, path: string): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${path} of the report is ${value}.`);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) checkFigures(inner, `${path}.${key}`);
}

function checkReport(report: Report): void {
  checkFigures(report, 'report');
  const { totals, layers } = report;
  for (const figure of [
    totals.macs,
    totals.flops,
    totals.weightBytes,
    totals.params.total,
    ...layers.map(({ macs }) => macs ?? 0),
  ]) {
    if (!Number.isSafeInteger(figure) || figure < 0) throw new Error(`A count of the report is ${figure}.`);
  }
}

async function chosenProfile(): Promise<ChosenProfile> {
  return { profile: await referenceProfile(), source: 'reference', diagnostics: [] };
}

/** Audits with what the options of an audit make of it, and writes a report of some format. */
async function auditInput(source: ModelSource, chance: Chance): Promise<void> {
  const options = {
    approximation: chance.oneIn(6),
    training: chance.oneIn(4),
    memory: chance.oneIn(4),
    ...(chance.oneIn(16) ? { width: chance.pick([0.5, 0.75, 2]) } : {}),
    ...(chance.oneIn(16) ? { resolution: chance.pick([32, 96, 224]) } : {}),
  };
  const profile = chance.oneIn(4) ? await chosenProfile() : null;
  const report = await auditSource(source, options, { profile });
  checkReport(report);
  if (chance.oneIn(3))
    await documentOf(chance.pick(FORMAT_NAMES), [report], {
      grouping: chance.pick(['layers', 'blocks', { depth: 1 }]),
    });
}

const fixture = (path: string): Uint8Array => new Uint8Array(readFileSync(join(FIXTURES, path)));

/** Weights that nobody damages are only ballast. */
const MAX_SEED_BYTES = 60_000;

function onnxSeeds(): readonly Uint8Array[] {
  const seeds = ['edge', 'onnx'].flatMap((folder) =>
    modelsIn(join(FIXTURES, folder)).map((name) => fixture(`${folder}/${name}.onnx`)),
  );
  return seeds.filter(({ length }) => length <= MAX_SEED_BYTES);
}

export const onnx: Target = {
  seeds: onnxSeeds,
  mutate: mutateWire,
  read: (input, chance) => auditInput(modelBytes('mutated.onnx', [input]), chance),
};

function kerasSeeds(): readonly Uint8Array[] {
  const cases: readonly { readonly model: unknown }[] = JSON.parse(
    Buffer.from(fixture('keras/layers.json')).toString(),
  );
  const tower = functional({ inputs: { x: [null, 8, 8, 8] }, layers: [conv2d('conv', [['x']])], outputs: ['conv'] }, 2);
  return [...cases.map(({ model }) => model), tower].map(jsonBytes);
}

export const kerasJson: Target = {
  seeds: kerasSeeds,
  mutate: mutateJson,
  read: (input, chance) => auditInput(modelBytes('mutated.json', [input]), chance),
};

export const kerasArchive: Target = {
  seeds: () => [fixture('keras/parts.keras')],
  mutate: (seed, chance) =>
    mutateZip(seed, chance, (name, data) => (name.endsWith('.h5') ? mutateHdf5 : mutateJson)(data, chance)),
  read: (input, chance) => auditInput(modelBytes('mutated.keras', [input]), chance),
  confined: '.keras',
};

export const kerasHdf5: Target = {
  seeds: () => [fixture('keras/seq_mix.h5')],
  mutate: mutateHdf5,
  read: (input, chance) => auditInput(modelBytes('mutated.h5', [input]), chance),
  confined: '.h5',
};

const SHARD_BYTES = 8 * 8 * 9 * 4 + 8 * 4;

function tensorflowJsSeed(): Uint8Array {
  const model = functional({ inputs: { x: [null, 8, 8, 8] }, layers: [conv2d('conv', [['x']])], outputs: ['conv'] }, 2);
  const weights = [
    { name: 'conv/kernel', shape: [3, 3, 8, 8], dtype: 'float32' },
    { name: 'conv/bias', shape: [8], dtype: 'float32' },
  ];
  const quantized = weights.map((weight) => ({ ...weight, quantization: { dtype: 'uint8', scale: 0.1, min: -1 } }));
  return jsonBytes({
    format: 'layers-model',
    generatedBy: 'keras v2.15.0',
    modelTopology: { model_config: model },
    weightsManifest: [
      { paths: ['group1-shard1of1.bin'], weights },
      { paths: ['group2.bin'], weights: quantized },
    ],
  });
}

/** Whatever the JSON calls its shards: each is there. */
function withShards(source: ModelSource): ModelSource {
  return {
    ...source,
    openBeside(path) {
      source.openBeside(path);
      return bytesSource([new Uint8Array(SHARD_BYTES)]);
    },
  };
}

export const tensorflowJs: Target = {
  seeds: () => [tensorflowJsSeed()],
  mutate: mutateJson,
  read: (input, chance) => auditInput(withShards(modelBytes('model.json', [input])), chance),
};
