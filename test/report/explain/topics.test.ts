import { describe, expect, it } from 'vitest';
import type { TopicName } from '../../../src/report/explain/topics.ts';
import {
  explainModel,
  explainTopic,
  TOPIC_NAMES,
  TOPIC_WORDS,
  topicNamed,
} from '../../../src/report/explain/topics.ts';
import { evaluate } from '../../support/arithmetic.ts';
import { auditFixture } from '../../support/models.ts';

const stepsOf = (name: TopicName) => explainTopic(name).sections.flatMap(({ steps }) => steps);

const figureOf = (topic: TopicName, name: string) => stepsOf(topic).find((step) => step.name === name)?.value ?? null;

/** Three significant digits of millions, as the papers print them. */
const millions = (value: number | null): number => Number(((value ?? 0) / 1e6).toPrecision(3));

describe('the textbook examples', () => {
  it.each(TOPIC_NAMES)('%s: what is printed as arithmetic comes to the result', (name) => {
    expect(stepsOf(name).length).toBeGreaterThan(0);
    for (const { substituted, value } of stepsOf(name)) {
      expect(evaluate(substituted ?? '') / (value ?? 1)).toBeCloseTo(1, 3);
    }
  });

  it("are those of MobileNetV1's Table 3", () => {
    expect(millions(figureOf('dsc', 'Standard'))).toBe(462);
    expect(millions(figureOf('params', 'Weights'))).toBe(2.36);
    expect(millions(figureOf('dsc', 'As DSC'))).toBe(52.3);
    expect(millions(figureOf('dsc', 'Params'))).toBe(0.267);
    expect(millions(figureOf('width', 'MACs'))).toBe(29.6);
    expect(millions(figureOf('width', 'Params'))).toBe(0.151);
    expect(millions(figureOf('resolution', 'MACs'))).toBe(15.1);
    expect(figureOf('resolution', 'ρ')).toBeCloseTo(0.714, 3);
  });

  it('are what the audit says of the same layers as model files', () => {
    expect(auditFixture('onnx/table3_conv.onnx').totals.macs).toBe(figureOf('dsc', 'Standard'));
    expect(auditFixture('onnx/table3_dsc.onnx').totals.macs).toBe(figureOf('dsc', 'As DSC'));
    expect(auditFixture('onnx/table3_dsc_a075.onnx').totals.macs).toBe(figureOf('width', 'MACs'));
    expect(auditFixture('onnx/table3_dsc_a075_r0714.onnx').totals.macs).toBe(figureOf('resolution', 'MACs'));
  });

  it('are those of MobileNetV2: the formula of its block, and of its halves together', () => {
    const halves = ['Expand', 'Depthwise', 'Project'].map((name) => figureOf('inverted-residual', name) ?? 0);
    expect(halves.reduce((sum, macs) => sum + macs, 0)).toBe(figureOf('inverted-residual', 'MACs'));
    expect([figureOf('memory', 'V1'), figureOf('memory', 'V2')]).toEqual([1_605_632, 401_408]);
  });

  it('of blocks are what real models hold', () => {
    const macsOf = (name: string, kind: string) =>
      auditFixture(`onnx/${name}.onnx`)
        .blocks.filter((block) => block.kind === kind)
        .map(({ macs }) => macs);
    expect(macsOf('mobilenet_v2', 'inverted-residual')).toContain(figureOf('inverted-residual', 'MACs'));
    expect(macsOf('resnet50', 'bottleneck')).toContain(figureOf('bottleneck', 'MACs'));
    expect(macsOf('resnet18', 'basic-residual')).toContain(figureOf('residual', 'MACs'));
  });
});

describe('a word', () => {
  it('is found under each of its names, which are all different', () => {
    for (const word of TOPIC_WORDS) expect(topicNamed(word)).not.toBeNull();
    expect(new Set(TOPIC_WORDS).size).toBe(TOPIC_WORDS.length);
    expect([topicNamed('α'), topicNamed('MAC'), topicNamed('model.onnx')]).toEqual(['width', 'macs', null]);
  });
});

describe('the words on a model', () => {
  it('are those that it has examples of; the others are named', () => {
    const { sections } = explainModel(auditFixture('onnx/mobilenet_v2.onnx'));
    const ids = sections.map(({ id }) => id);
    expect(ids).toEqual(
      expect.arrayContaining(['macs', 'flops', 'params', 'pointwise', 'depthwise', 'inverted-residual']),
    );
    expect(ids).not.toContain('bottleneck');
    expect(sections.at(-1)?.sentences.join(' ')).toContain('bottleneck');
  });

  it('take the candidate that saves most for DSC', () => {
    const report = auditFixture('onnx/resnet18.onnx');
    const dsc = explainModel(report).sections.find(({ id }) => id === 'dsc');
    expect(dsc?.steps.find(({ name }) => name === 'MACs as DSC')?.value).toBe(report.dsc.candidates[0]?.after.macs);
  });
});
