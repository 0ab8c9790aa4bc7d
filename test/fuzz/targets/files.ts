/** What is read beside models: files of people, which may come from strangers too. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openReports } from '../../../src/cli/open-reports.ts';
import { planAudit } from '../../../src/cli/plan-audit.ts';
import { modelFile } from '../../../src/formats/model-source.ts';
import { readSamples } from '../../../src/formats/samples/read-samples.ts';
import { compare } from '../../../src/gate/compare.ts';
import { judge } from '../../../src/gate/judge.ts';
import { METRIC_NAMES } from '../../../src/gate/metrics.ts';
import { readProfile } from '../../../src/latency/profile-store.ts';
import { referenceProfile } from '../../../src/latency/reference.ts';
import { COMPARISON_FORMATS } from '../../../src/report/comparison-formats.ts';
import { jsonBytes } from '../../support/keras.ts';
import { auditFixture, auditOnnx, FIXTURES } from '../../support/models.ts';
import { zipBytes } from '../../support/zip.ts';
import type { Chance } from '../chance.ts';
import { mutateBytes } from '../mutators/bytes.ts';
import { mutateJson } from '../mutators/json.ts';
import { mutateZip } from '../mutators/zip.ts';
import type { Target } from '../target.ts';

/** The input as a file; its name is always the same, so that messages are, too. */
function written(folder: string, name: string, input: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, input);
  return path;
}

const LIMITS = {
  params: '5M',
  macs: { max: '1.2G', severity: 'warn' },
  size: '20MB',
  latency: '15ms',
  'convertible-macs': '40%',
};

export const configuration: Target = {
  seeds: () => [
    jsonBytes({
      $schema: './schema.json',
      budgets: LIMITS,
      'max-increase': { macs: '2%', params: '0' },
      baseline: 'baseline.json',
      severity: 'error',
      'allow-reference-profile': true,
      shapes: { image: [1, 3, 224, 224] },
      dims: { N: 1 },
      limits: { messages: '8M', 'hdf5-time': '60s', 'json-size': '128MiB' },
      include: ['conv1'],
      exclude: ['layer4/**'],
      profile: 'profile.json',
      models: [
        { path: '*.json', budgets: { params: 5_000_000 }, shapes: [1, 3, 64, 64] },
        { path: ['**/*.json', '!b.json'], severity: 'warn' },
      ],
    }),
  ],
  mutate: mutateJson,
  async read(input, _chance, folder) {
    const config = written(folder, 'dsc-audit.config.json', input);
    const options = { config, strategy: 'depthwise-separable', between: 'none' } as const;
    await planAudit([], options, folder);
    await planAudit(['m.onnx'], options, folder);
  },
};

export const profile: Target = {
  seeds: () => [PROFILE],
  mutate: mutateJson,
  async read(input, _chance, folder) {
    const read = readProfile(written(folder, 'profile.json', input));
    const model = modelFile(join(FIXTURES, 'onnx/digits_cnn.onnx'));
    const report = auditOnnx(model, {}, { profile: read, source: 'file', diagnostics: [] });
    const { latencyMs } = report.totals;
    for (const figure of latencyMs === null ? [] : Object.values(latencyMs)) {
      if (!Number.isFinite(figure) || figure < 0) throw new Error(`Milliseconds of ${figure} were projected.`);
    }
  },
};

/** As it comes, with fewer groups: most mutations are to meet something else. */
const PROFILE = await profileSeed();

async function profileSeed(): Promise<Uint8Array> {
  const reference = await referenceProfile();
  const fits = reference.fits.slice(0, 1).map((fit) => ({ ...fit, model: { ...fit.model } }));
  return jsonBytes({ ...reference, fits });
}

const REPORTS = ['onnx/digits_cnn.onnx', 'edge/custom_op_unknown.onnx'].map((path) => auditFixture(path));
const [AFTER] = REPORTS;

export const baseline: Target = {
  seeds: () => [...REPORTS, REPORTS].map(jsonBytes),
  mutate: mutateJson,
  async read(input, _chance, folder) {
    const increases = new Map(
      METRIC_NAMES.map((metric) => [metric, { max: 0.02, unit: 'share', severity: null } as const]),
    );
    if (AFTER === undefined) throw new Error('There is no report to compare with.');
    const budgets = { totals: new Map(), increases, severity: 'error', allowReferenceProfile: true } as const;
    for (const before of await openReports(written(folder, 'baseline.json', input))) {
      const comparison = compare(before, AFTER);
      judge(AFTER, budgets, before);
      for (const { load } of Object.values(COMPARISON_FORMATS)) {
        const render = await load();
        render(comparison, AFTER, { width: 100, colour: 0, all: true });
      }
    }
  },
};

const ITEM = { name: 'image', dtype: 'float32', shape: [1, 2, 3] } as const;

function npyBytes(descr: string, shape: string, data: Uint8Array): Uint8Array {
  const header = Buffer.from(`{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117));
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  return new Uint8Array(Buffer.concat([head, header, data]));
}

const NPY = [
  npyBytes('<f4', '(4, 2, 3)', new Uint8Array(96)),
  npyBytes('|u1', '(4, 2, 3)', new Uint8Array(24)),
  npyBytes('<i8', '(1, 2, 3)', new Uint8Array(48)),
];

export const npy: Target = {
  seeds: () => NPY,
  mutate: (seed, chance) => mutateBytes(seed, chance, 0, chance.oneIn(2) ? 128 : seed.length),
  read: async (input, _chance, folder) => void (await readSamples(written(folder, 'samples.npy', input), [ITEM])),
};

export const npz: Target = {
  seeds: () =>
    NPY.map((data) =>
      zipBytes([
        { name: 'image.npy', data, deflated: true },
        { name: 'other.npy', data },
      ]),
    ),
  mutate: (seed: Uint8Array, chance: Chance) => mutateZip(seed, chance, (_, data) => mutateBytes(data, chance)),
  read: async (input, _chance, folder) => void (await readSamples(written(folder, 'samples.npz', input), [ITEM])),
};
