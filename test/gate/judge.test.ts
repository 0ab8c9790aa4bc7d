import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/audit/report.ts';
import { type Budgets, parseIncrease, parseLimit } from '../../src/gate/budgets.ts';
import { judge } from '../../src/gate/judge.ts';
import { METRIC_NAMES, type MetricName } from '../../src/gate/metrics.ts';
import { auditFixture, auditSpec } from '../support/models.ts';

type Texts = { readonly [N in MetricName]?: string };

function budgets(totals: Texts, increases: Texts = {}, more: Partial<Budgets> = {}): Budgets {
  const limits = (texts: Texts, parse: typeof parseLimit) =>
    new Map(METRIC_NAMES.flatMap((name) => (texts[name] === undefined ? [] : [[name, parse(name, texts[name])]])));
  return {
    totals: limits(totals, parseLimit),
    increases: limits(increases, parseIncrease),
    severity: 'error',
    allowReferenceProfile: false,
    ...more,
  };
}

const digits = auditFixture('onnx/digits_cnn.onnx');
const unknownOperator = auditFixture('edge/custom_op_unknown.onnx');
const projected = (source: 'reference' | 'machine', id: string = source): Report => ({
  ...digits,
  totals: { ...digits.totals, latencyMs: { value: 10, low: 9, high: 12 } },
  profile: {
    id,
    backend: 'builtin',
    variant: null,
    source,
    threads: 1,
    machine: 'test',
    calibratedAt: '2026-01-01T00:00:00Z',
    error: { medianPercent: 3, within10Percent: 0.9, heldOut: 10 },
  },
});

const only = (report: Report, given: Budgets, baseline: Report | null = null) => {
  const { checks, status } = judge(report, given, baseline);
  expect(checks).toHaveLength(1);
  return { ...checks[0], gate: status };
};

describe('a budget', () => {
  it('holds up to and including its limit', () => {
    const { total } = digits.totals.params;
    expect(only(digits, budgets({ params: String(total) }))).toMatchObject({ status: 'pass', gate: 'pass' });
    expect(only(digits, budgets({ params: String(total - 1) }))).toMatchObject({ status: 'fail', gate: 'fail' });
  });

  it('can be set on every metric, and an exact report answers all but the latency', () => {
    const texts = Object.fromEntries(METRIC_NAMES.map((name) => [name, '0']));
    const { checks } = judge(digits, budgets(texts), null);
    expect(checks.map(({ metric }) => metric)).toEqual(METRIC_NAMES);
    expect(checks.filter(({ actual }) => actual === null).map(({ metric }) => metric)).toEqual(['latency']);
  });

  it('without any, passes', () => expect(judge(digits, budgets({}), null)).toEqual({ status: 'pass', checks: [] }));

  it('of severity warn is told and fails nothing; off leaves it out', () => {
    expect(only(digits, budgets({ params: '1' }, {}, { severity: 'warn' }))).toMatchObject({
      status: 'fail',
      severity: 'warn',
      gate: 'pass',
    });
    expect(judge(digits, budgets({ params: '1' }, {}, { severity: 'off' }), null).checks).toEqual([]);
  });
});

describe('what cannot be determined', () => {
  it('fails closed: a figure that is null', () => {
    expect(only(digits, budgets({ latency: '1s' }))).toMatchObject({ status: 'fail', actual: null });
    const lacking = auditFixture('onnx/resnet18.onnx');
    expect(lacking.model.fileBytes).toBeNull();
    expect(only(lacking, budgets({ size: '1GB' }))).toMatchObject({ status: 'fail', actual: null });
  });

  it.each(['params', 'macs', 'flops', 'weight-bytes'] as const)('fails closed: a lower bound of %s', (metric) => {
    const limit = metric === 'weight-bytes' ? '1GB' : '1T';
    const check = only(unknownOperator, budgets({ [metric]: limit }));
    expect(check).toMatchObject({ status: 'fail', isLowerBound: true });
    expect(check.reason).toMatch(/unknown|nodes are counted/);
  });

  it('fails with the figure where the lower bound alone exceeds the limit', () => {
    expect(only(unknownOperator, budgets({ macs: '0' }))).toMatchObject({
      status: 'fail',
      actual: unknownOperator.totals.macs,
      isLowerBound: true,
    });
  });

  it('fails closed: a share of a total that lacks something', () => {
    expect(only(unknownOperator, budgets({ 'convertible-macs': '100%' }))).toMatchObject({
      status: 'fail',
      actual: null,
    });
  });

  it('fails closed: a loop that runs nobody knows how often', () => {
    const body = {
      inputs: { i: [], go: [], x: [1, 4] },
      outputs: ['more', 'y'],
      nodes: [
        { op: 'Identity', inputs: ['go'], outputs: ['more'] },
        { op: 'Relu', inputs: ['x'], outputs: ['y'] },
      ],
    };
    const report = auditSpec({
      inputs: { trips: [], start: [1, 4] },
      outputs: ['out'],
      nodes: [{ op: 'Loop', inputs: ['trips', '', 'start'], outputs: ['out'], attributes: { body: { graph: body } } }],
    });
    expect(report.diagnostics.map(({ code }) => code)).toContain('trip-count-unknown');
    expect(only(report, budgets({ flops: '1T' })).status).toBe('fail');
    expect(only(report, budgets({ params: '1T' })).status).toBe('pass');
  });
});

describe('--max-latency', () => {
  it("holds the interval's upper end against the limit", () => {
    expect(only(projected('machine'), budgets({ latency: '11ms' }))).toMatchObject({ status: 'fail', actual: 12 });
    expect(only(projected('machine'), budgets({ latency: '12ms' }))).toMatchObject({ status: 'pass', actual: 12 });
  });

  it('refuses the reference profile unless it is allowed', () => {
    const refused = only(projected('reference'), budgets({ latency: '1s' }));
    expect(refused).toMatchObject({ status: 'fail', actual: null });
    expect(refused.reason).toContain('--allow-reference-profile');
    const allowed = budgets({ latency: '1s' }, {}, { allowReferenceProfile: true });
    expect(only(projected('reference'), allowed)).toMatchObject({ status: 'pass', actual: 12 });
  });

  it('compares milliseconds of one profile only', () => {
    const given = budgets({}, { latency: '50%' });
    expect(only(projected('machine', 'a'), given, projected('machine', 'a')).status).toBe('pass');
    expect(only(projected('machine', 'a'), given, projected('machine', 'b'))).toMatchObject({
      status: 'fail',
      actual: null,
    });
  });
});

describe('--max-increase', () => {
  const grown = (macs: number): Report => ({ ...digits, totals: { ...digits.totals, macs } });
  const { macs } = digits.totals;

  it('is a share of the figure before, or an amount', () => {
    expect(only(grown(Math.floor(macs * 1.02)), budgets({}, { macs: '2%' }), digits)).toMatchObject({
      status: 'pass',
      kind: 'increase',
      unit: 'share',
    });
    expect(only(grown(Math.ceil(macs * 1.02)), budgets({}, { macs: '2%' }), digits).status).toBe('fail');
    expect(only(grown(macs + 10_000), budgets({}, { macs: '10k' }), digits)).toMatchObject({
      status: 'pass',
      unit: 'count',
      actual: 10_000,
    });
    expect(only(grown(macs + 10_001), budgets({}, { macs: '10k' }), digits).status).toBe('fail');
    expect(only(grown(macs), budgets({}, { macs: '0' }), digits).status).toBe('pass');
    expect(only(grown(macs - 1), budgets({}, { macs: '0' }), digits)).toMatchObject({ status: 'pass', actual: -1 });
    expect(only(grown(macs + 1), budgets({}, { macs: '0' }), digits).status).toBe('fail');
  });

  it('fails closed without a baseline, or where the baseline does not know', () => {
    expect(only(digits, budgets({}, { macs: '2%' }))).toMatchObject({ status: 'fail', actual: null });
    const check = only(digits, budgets({}, { macs: '1000%' }), unknownOperator);
    expect(check).toMatchObject({ status: 'fail', actual: null });
    expect(check.reason).toContain('in the baseline');
  });

  it('is no share of nothing', () => {
    expect(only(digits, budgets({}, { macs: '2%' }), grown(0))).toMatchObject({ status: 'fail', actual: null });
    expect(only(grown(0), budgets({}, { macs: '2%' }), grown(0)).status).toBe('pass');
  });
});
