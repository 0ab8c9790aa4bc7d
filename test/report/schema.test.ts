import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { auditAtTruth, auditFixture, FIXTURES, modelsIn, truthOf } from '../support/models.ts';

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../schema/report.schema.json'), 'utf8'));
const validate = new Ajv2020({ allErrors: true, strict: false }).compile(schema);

describe('the JSON report', () => {
  const folder = join(FIXTURES, 'edge');

  it.each(modelsIn(folder).filter((name) => name !== 'custom_op_unknown'))('of %s follows its schema', (name) => {
    const report = JSON.parse(JSON.stringify(auditAtTruth(folder, name, truthOf(folder, name))));
    expect(validate(report) ? [] : validate.errors).toEqual([]);
  });

  it.each(['onnx/resnet18.onnx', 'onnx/digits_cnn.onnx', 'edge/custom_op_unknown.onnx'])('of %s too', (path) => {
    const report = JSON.parse(JSON.stringify(auditFixture(path)));
    expect(validate(report) ? [] : validate.errors).toEqual([]);
  });

  it.each(['all', 'inverted-residual', 'bottleneck'])('of --strategy %s too', (strategy) => {
    for (const path of ['onnx/resnet18.onnx', 'onnx/resnet50.onnx', 'edge/if_conv.onnx']) {
      const report = JSON.parse(JSON.stringify(auditFixture(path, { strategy })));
      expect(validate(report) ? [] : validate.errors).toEqual([]);
    }
  });

  it('is refused without a key, or with one of the wrong type', () => {
    const { totals: _, ...incomplete } = auditFixture('onnx/resnet18.onnx');
    expect(validate(incomplete)).toBe(false);
    expect(validate({ ...auditFixture('onnx/resnet18.onnx'), layers: [{ index: 0 }] })).toBe(false);
  });
});
