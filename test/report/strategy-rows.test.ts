import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/audit/report.ts';
import { strategyTables } from '../../src/report/strategy-rows.ts';
import { auditFixture, auditSpec } from '../support/models.ts';
import type { ModelSpec } from '../support/onnx-bytes.ts';

/** A candidate, of two axes or three, beside an operator that nobody knows. */
const besideUnknown = (kernel: readonly number[]): ModelSpec => ({
  inputs: { x: [1, 16, ...kernel.map(() => 16)] },
  initializers: { w: { dims: [32, 16, ...kernel] } },
  nodes: [
    { op: 'Conv', inputs: ['x', 'w'], outputs: ['y'], name: 'conv' },
    { op: 'Riddle', inputs: ['y'], outputs: ['z'], name: 'riddle', domain: 'nobody' },
  ],
  outputs: ['z'],
});

const cellsOf = (report: Report, wanted: string) => {
  if (report.strategies === null) throw new Error('Nothing was compared.');
  const row = strategyTables(report.strategies, report).model.find(({ label }) => label === wanted);
  return row === undefined ? [] : [row.before, ...row.cells.map(({ text }) => text)];
};

describe('strategies side by side', () => {
  it('are lower bounds where the model’s own figure is one', () => {
    const report = auditSpec(besideUnknown([3, 3]), { strategy: 'all' });
    for (const label of ['Params', 'MACs', 'Weights']) {
      for (const text of cellsOf(report, label)) expect(text).toMatch(/^≥ /);
    }
  });

  it('name none as least where one of them is not known', () => {
    // What comes instead of a convolution in a branch is counted, and cannot be laid out in a graph: its peak is not known.
    const { strategies } = auditFixture('edge/if_conv.onnx', { strategy: 'all', include: ['*'] });
    const peaks = strategies?.model.map(({ after }) => after.peakActivationBytes);
    expect(peaks).toContain(null);
    expect(strategies?.best.peakActivationBytes).toBeNull();
    expect(strategies?.best.macs).not.toBeNull();
  });
});
