import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import type { Comparison, GateCheck } from '../../src/audit/report.ts';
import { compare } from '../../src/gate/compare.ts';
import { relationOf } from '../../src/report/check-text.ts';
import { comparisonTable } from '../../src/report/comparison.ts';
import { comparisonJson } from '../../src/report/comparison-json.ts';
import { verdictLines } from '../../src/report/verdict.ts';
import { auditFixture } from '../support/models.ts';

const schemaAt = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../schema', `${name}.schema.json`), 'utf8'));

const before = auditFixture('onnx/conv_mobilenet_1.0_224.onnx');
const after = auditFixture('onnx/mobilenet_v1_1.0_224.onnx');
const comparison = compare(before, after);
const style = new Chalk({ level: 0 });
const layout = { width: null, colour: 0, all: false } as const;

describe('a comparison', () => {
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema(schemaAt('report'));

  it('as JSON follows its schema', () => {
    const validate = ajv.compile(schemaAt('diff'));
    const json = JSON.parse(comparisonJson(comparison, after, layout));
    expect(validate(json) ? [] : validate.errors).toEqual([]);
    expect(json.before).toMatchObject({ name: before.model.name, totals: { macs: before.totals.macs } });
    expect(json.change.macs).toBeCloseTo(-0.883, 3);
  });

  it('in a report follows the report’s schema', () => {
    const validate = new Ajv2020({ strict: false }).compile(schemaAt('report'));
    const report = JSON.parse(JSON.stringify({ ...after, baseline: comparison }));
    expect(validate(report) ? [] : validate.errors).toEqual([]);
  });

  it.each([80, 120])('fits a terminal of %i columns', (width) => {
    const text = comparisonTable(comparison, after, { ...layout, width, all: true });
    for (const line of text.split('\n').slice(2)) expect(line.length).toBeLessThanOrEqual(width);
  });

  it('is cut to the layers that matter most, and says how to see all', () => {
    const text = comparisonTable(comparison, after, layout);
    expect(text).toMatch(/and \d+ more layers: --all shows them/);
  });

  it('shows what moved, however little', () => {
    const more = { ...after, totals: { ...after.totals, macs: after.totals.macs + 1 } };
    const layers = after.layers.map((layer) => ({ ...layer, macs: layer.macs && layer.macs + 1 }));
    const text = comparisonTable(compare(after, { ...more, layers }), more, { ...layout, all: true });
    expect(text).toMatch(/MACs +[\d,]{9,} +[\d,]{9,} +\+<0\.1 %/);
    for (const [, was, is] of text.matchAll(/MACs (\S+(?: [kMG])?) → (\S+(?: [kMG])?)$/gm)) expect(was).not.toBe(is);
  });

  it('of two lower bounds is unknown', () => {
    const [less, most] = [2, 3].map((macs) => {
      const totals = { ...after.totals, macs, isLowerBound: true };
      const coverage = { ...after.coverage, counted: after.coverage.nodes - 1 };
      const diagnostics = [{ code: 'unknown-operator', severity: 'warning', message: '', layer: null }] as const;
      return { ...after, totals, coverage, diagnostics };
    });
    if (!less || !most) throw new Error('Two reports were made.');
    const bounded = compare(less, most);
    expect(comparisonTable(bounded, most, layout)).toMatch(/MACs +≥ 2 +≥ 3 +unknown/);
    const verdict = verdictLines({ ...after, baseline: bounded }, { width: null, style }).join('\n');
    expect(verdict).toContain('params unknown, MACs unknown');
  });

  it('prints no name that a terminal would act upon', () => {
    const hostile = '\u001b[31mred\u0007\nPASS  params';
    const [first] = comparison.layers;
    const layers = [{ ...first, status: 'added', after: hostile, op: hostile }] as Comparison['layers'];
    const given = { ...comparison, before: { ...comparison.before, path: hostile }, layers };
    const text = comparisonTable(given, after, { ...layout, all: true });
    const verdict = verdictLines({ ...after, baseline: given }, { width: null, style }).join('\n');
    expect(text.split('\n').filter((line) => line.startsWith('PASS'))).toEqual([]);
    for (const character of ['\u001b', '\u0007']) expect(text + verdict).not.toContain(character);
  });
});

describe('a line of the verdict', () => {
  const check: GateCheck = {
    metric: 'params',
    kind: 'total',
    unit: 'count',
    limit: 12_000_000,
    actual: 11_684_712,
    isLowerBound: false,
    status: 'pass',
    severity: 'error',
    reason: null,
  };

  it.each<readonly [Partial<GateCheck>, string]>([
    [{}, '11.7 M ≤ 12 M'],
    [{ actual: 12_500_000 }, '12.5 M > 12 M'],
    [{ actual: 12_000_001 }, '12,000,001 > 12,000,000'],
    [{ actual: 3_000_000, isLowerBound: true }, 'at least 3.00 M, of at most 12 M'],
    [{ actual: 13_000_000, isLowerBound: true }, 'at least 13.0 M > 12 M'],
    [{ actual: null }, 'unknown, of at most 12 M'],
    [{ unit: 'bytes', limit: 20_971_520, actual: 5_000 }, '5.00 kB ≤ 21 MB'],
    [{ unit: 'milliseconds', limit: 15, actual: 14.96 }, '14.96 ms ≤ 15 ms'],
    [{ unit: 'milliseconds', limit: 0.5, actual: 0.0041 }, '4.1 µs ≤ 0.5 ms'],
    [{ unit: 'share', limit: 0.4, actual: 0.924 }, '92.4 % > 40 %'],
    [{ kind: 'increase', unit: 'share', limit: 0.02, actual: 0.012 }, '+1.2 % ≤ +2 %'],
    [{ kind: 'increase', unit: 'share', limit: 0.02, actual: -0.41 }, '−41.0 % ≤ +2 %'],
    [{ kind: 'increase', limit: 0, actual: 0 }, '+0 ≤ +0'],
  ])('%j reads %s', (given, text) => expect(relationOf({ ...check, ...given })).toBe(text));
});
