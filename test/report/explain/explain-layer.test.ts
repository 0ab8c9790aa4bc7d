import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import type { Candidate, Layer, ProfileSection, Report } from '../../../src/audit/report.ts';
import { blockSteps } from '../../../src/report/explain/block-steps.ts';
import { explainLayer } from '../../../src/report/explain/explain-layer.ts';
import { renderExplanation } from '../../../src/report/explain/explanation-text.ts';
import { rooflineSection } from '../../../src/report/explain/roofline.ts';
import { separableSteps } from '../../../src/report/explain/separable.ts';
import { evaluate } from '../../support/arithmetic.ts';
import { auditFixture, auditSpec } from '../../support/models.ts';

const layerAt = ({ layers }: Report, index: number): Layer => {
  const layer = layers[index];
  if (!layer) throw new Error(`There is no layer ${index}.`);
  return layer;
};

const sentencesOf = (report: Report, index: number): string =>
  explainLayer(report, layerAt(report, index))
    .sections.flatMap(({ sentences }) => sentences)
    .join('\n');

describe('a candidate', () => {
  it.each(['resnet18', 'vgg16', 'conv_mobilenet_1.0_224', 'resnet50'])(
    'of %s costs as a DSC what the audit says, by the formula',
    (name) => {
      const report = auditFixture(`onnx/${name}.onnx`);
      const { candidates } = report.dsc;
      expect(candidates.length).toBeGreaterThan(0);
      for (const candidate of candidates) expectSeparable(layerAt(report, candidate.index), candidate);
    },
  );

  function expectSeparable(layer: Layer, candidate: Candidate): void {
    const steps = layer.conv ? separableSteps(layer, layer.conv, candidate) : [];
    const stepNamed = (name: string) => steps.find((step) => step.name === name);
    expect(stepNamed('MACs as DSC')).toMatchObject({ value: candidate.after.macs, basis: 'formula' });
    expect(stepNamed('Params')).toMatchObject({ value: candidate.after.params, basis: 'formula' });
    expect((candidate.after.macs ?? 0) / (candidate.before.macs ?? 1)).toBeCloseTo(
      stepNamed('Share left')?.value ?? 0,
      12,
    );
    for (const { substituted, value } of steps) expect(evaluate(substituted ?? '')).toBeCloseTo(value ?? 0, 9);
  }

  it('is told with its milliseconds and why they save less', () => {
    expect(sentencesOf(auditFixture('onnx/resnet18.onnx'), 5)).toMatch(/A candidate: params −87\.2 %, MACs −87\.3 %/);
  });
});

describe('a rejected convolution', () => {
  it.each([
    ['resnet18', 'stem'],
    ['resnet18', 'pointwise'],
    ['mobilenet_v2', 'depthwise'],
  ] as const)('of %s has its reason explained: %s', (name, reason) => {
    const report = auditFixture(`onnx/${name}.onnx`);
    const rejection = report.dsc.rejected.find((one) => one.reason === reason);
    expect(sentencesOf(report, rejection?.index ?? -1)).toContain(`No candidate (${reason}). It is`);
  });
});

describe('a block', () => {
  it.each(['mobilenet_v2', 'resnet50', 'mobilenet_v1_1.0_224', 'shufflenet_v2_x1_0_dynbhw'])(
    'of %s costs the sum of its layers',
    (name) => {
      const report = auditFixture(`onnx/${name}.onnx`, name.endsWith('hw') ? { shapes: { '': [1, 3, 224, 224] } } : {});
      expect(report.blocks.length).toBeGreaterThan(0);
      for (const block of report.blocks) {
        for (const { name: figure, substituted, value, basis } of blockSteps(block, report)) {
          expect(value).toBe(figure === 'Params' ? block.params : block.macs);
          if (basis !== 'audit') expect(evaluate(substituted ?? '')).toBe(value);
        }
      }
    },
  );

  it('of MobileNetV2 at stride 1 costs h·w·M·t·(M + k² + N), as its paper has it', () => {
    const report = auditFixture('onnx/mobilenet_v2.onnx');
    const byPaper = report.blocks.filter((block) =>
      blockSteps(block, report).some(({ name }) => name === 'By the paper'),
    );
    expect(byPaper.filter(({ shortcut }) => shortcut === 'identity')).toHaveLength(10);
  });
});

describe('the roofline', () => {
  const machine: ProfileSection = {
    id: 'p',
    backend: 'builtin',
    variant: null,
    source: 'file',
    threads: 1,
    machine: 'a machine',
    calibratedAt: '2026-01-01T00:00:00Z',
    roofline: { flopsPerSecond: 100e9, bytesPerSecond: 20e9 },
    error: { medianPercent: 1, within10Percent: 1, heldOut: 1 },
  };

  it('tells what bounds a layer, and the time that it would take at the roof', () => {
    const report = auditFixture('onnx/mobilenet_v2.onnx');
    const depthwise = report.layers.find(({ kind }) => kind === 'depthwise-conv');
    const section = depthwise ? rooflineSection(depthwise, machine) : null;
    expect(section?.sentences.join(' ')).toContain('bound by memory');
    const underRoof = section?.steps.find(({ name }) => name === 'At the roof')?.value ?? 0;
    const { intensity, flops } = depthwise ?? {};
    expect(underRoof).toBeCloseTo((1000 * (flops ?? 0)) / ((intensity ?? 0) * 20e9), 9);
    expect(rooflineSection(layerAt(report, 0), { ...machine, roofline: null })?.steps).toEqual([]);
    expect(rooflineSection(layerAt(report, 0), null)).toBeNull();
  });

  const standing = (change: Partial<Layer>): string => {
    const layer = { ...layerAt(auditFixture('onnx/resnet18.onnx'), 3), ...change };
    const section = rooflineSection(layer, machine);
    return [...(section?.sentences ?? []), ...(section?.steps ?? []).map(({ note }) => note ?? '')].join('\n');
  };
  const taking = (value: number) => ({ latencyMs: { value, low: value, high: value } });

  it('says why a layer stands above the roof', () => {
    expect(standing({ ...taking(3), kernel: 'direct' })).toContain('What it reaches');
    expect(standing({ ...taking(1), kernel: 'winograd-4x4' })).toContain(
      'Above the roof: winograd-4x4 is an algorithm of Winograd, which multiplies less than is counted.',
    );
    expect(standing({ ...taking(1), kernel: 'direct' })).toContain('Above the roof: the peak is measured');
    expect(standing({ ...taking(0.001), kernel: 'add', intensity: 0.1 })).toContain('still in a cache');
  });

  it('gives what is done on the way of another layer no place under it', () => {
    const told = standing(taking(0));
    expect(told).toContain('It takes no time of its own');
    expect(told).not.toContain('bound by');
  });

  it('prints no more digits than say something', () => {
    const section = rooflineSection(
      { ...layerAt(auditFixture('onnx/resnet18.onnx'), 3), ...taking(3.7648977490177953) },
      machine,
    );
    for (const { substituted } of section?.steps ?? []) expect(substituted).not.toMatch(/\.\d{5}/);
  });
});

describe('a layer that a strategy leaves as it is', () => {
  const relu = (strategy: string) => sentencesOf(auditFixture('onnx/resnet18.onnx', { strategy }), 1);

  it('is told so where a strategy was asked for', () => {
    expect(relu('bottleneck')).toContain('--strategy bottleneck leaves it as it is');
    expect(relu('all')).toContain('Every strategy leaves it as it is');
    expect(relu('depthwise-separable')).not.toContain('leaves it');
  });
});

describe('names from the file', () => {
  it('are plain text, and fit', () => {
    const hostile = `\u001b[2J\n::error::${'x'.repeat(300)}\u202e`;
    const report = auditSpec(
      {
        name: hostile,
        inputs: { [hostile]: [1, 8, 8, 8] },
        initializers: { w: { dims: [4, 8, 3, 3] } },
        nodes: [{ op: 'Conv', inputs: [hostile, 'w'], outputs: ['y'], name: hostile }],
        outputs: ['y'],
      },
      { path: hostile },
    );
    const text = renderExplanation(explainLayer(report, layerAt(report, 0)), {
      width: 80,
      style: new Chalk({ level: 0 }),
    });
    expect(text).not.toMatch(/[^\P{C}\n]/u);
    expect(text).not.toMatch(/^\s*::/m);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
});
