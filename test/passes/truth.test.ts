import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/audit/report.ts';
import { auditAtTruth, CORPUS, FIXTURES, hasCorpus, modelsIn, type Truth, truthOf } from '../support/models.ts';

/** Every activation's shape by name, as the report tells it. */
function shapesOf(report: Report): ReadonlyMap<string, readonly unknown[] | null> {
  const shapes = new Map<string, readonly unknown[] | null>();
  for (const { name, shape } of [...report.model.inputs, ...report.model.outputs]) shapes.set(name, shape);
  for (const { outputNames, outputShapes } of report.layers) {
    outputNames.forEach((name, index) => {
      shapes.set(name, outputShapes[index] ?? null);
    });
  }
  return shapes;
}

/** Extents that running the model alone can tell have names instead of numbers. */
const dependsOnData = (shape: readonly unknown[] | null): boolean =>
  shape?.some((extent) => typeof extent === 'string') ?? false;

function compare(report: Report, truth: Truth): void {
  expect(report.totals.macs).toBe(truth.expected?.macs ?? truth.macs);
  const shapes = shapesOf(report);
  for (const [name, shape] of Object.entries({ ...truth.tensorShapes, ...truth.outputs })) {
    const told = shapes.get(name);
    if (told !== undefined && !dependsOnData(told)) expect([name, told]).toEqual([name, shape]);
  }
  const byName = new Map(report.layers.map(({ name, macs }) => [name, macs]));
  for (const { name, macs } of truth.macNodes) {
    if (name !== '' && !truth.expected) expect([name, byName.get(name)]).toEqual([name, macs]);
  }
}

/** Models of which some figures cannot be known before they are run. */
const OPEN_ENDED = new Set(['custom_op_unknown', 'ssd300_vgg16']);

const folders = [
  join(FIXTURES, 'onnx'),
  join(FIXTURES, 'edge'),
  ...(hasCorpus ? [join(CORPUS, 'onnx'), join(CORPUS, 'edge')] : []),
];

describe.each(folders)('models in %s', (folder) => {
  const names = modelsIn(folder).filter((name) => name !== 'digits_cnn' && name !== 'custom_op_unknown');

  it.each(names)('%s has the shapes and MACs that running it showed', (name) => {
    const truth = truthOf(folder, name);
    const report = auditAtTruth(folder, name, truth);
    compare(report, truth);
    if (!OPEN_ENDED.has(name)) expect(report.coverage.counted).toBe(report.coverage.nodes);
  });
});

describe.skipIf(!hasCorpus)('operator tests of the ONNX standard', () => {
  const folder = join(CORPUS, 'nodes');

  it.each(modelsIn(folder))('%s', (name) => {
    const truth = truthOf(folder, name);
    const report = auditAtTruth(folder, name, { ...truth, inputs: null });
    for (const output of report.model.outputs) {
      const shape = truth.outputs?.[output.name];
      if (shape !== undefined && !dependsOnData(output.shape)) expect(output.shape).toEqual(shape);
    }
  });

  it('leave open only what depends on the values of an input', () => {
    const open = modelsIn(folder).filter((name) => {
      const report = auditAtTruth(folder, name, { ...truthOf(folder, name), inputs: null });
      return report.model.outputs.some(({ shape }) => dependsOnData(shape));
    });
    const byOperator = new Set(open.map((name) => name.replace(/^test_/, '').split('_')[0]));
    expect([...byOperator].sort()).toEqual(DATA_DEPENDENT);
  });
});

/** Window lengths, fill shapes, ranges and trip counts that the test feeds in; what is selected, decoded or split. */
const DATA_DEPENDENT = [
  'blackmanwindow',
  'constantofshape',
  'hammingwindow',
  'hannwindow',
  'image',
  'loop11',
  'melweightmatrix',
  'nonmaxsuppression',
  'nonzero',
  'range',
  'string',
  'strnormalizer',
  'unique',
];
