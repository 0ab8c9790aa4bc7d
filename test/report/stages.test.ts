import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/audit/report.ts';
import { stagesOf } from '../../src/report/stages.ts';
import { auditFixture } from '../support/models.ts';

describe('the stages of a model', () => {
  const report = auditFixture('onnx/resnet18.onnx');
  const titlesWith = (recommended: (index: number) => boolean): readonly string[] => {
    const candidates = report.dsc.candidates.map((each, index) => ({ ...each, recommended: recommended(index) }));
    const changed: Report = { ...report, dsc: { ...report.dsc, candidates } };
    return stagesOf(changed).map(({ title }) => title);
  };

  it('are now, and with every candidate converted', () => {
    expect(titlesWith(() => true)).toEqual(['now', 'all as DSC']);
  });

  it('say how many are converted where the others would be slower', () => {
    expect(titlesWith((index) => index > 2)).toEqual(['now', '13 as DSC']);
  });

  it('are one where every candidate would be slower', () => {
    expect(titlesWith(() => false)).toEqual(['now']);
  });
});
