import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import type { BenchLayer, BenchReport } from '../../src/audit/bench-report.ts';
import { renderBenchTable } from '../../src/report/bench-table.ts';

const style = new Chalk({ level: 0 });

const layer = (index: number, change: Partial<BenchLayer> = {}): BenchLayer => ({
  index,
  indices: [index],
  name: `/features/block${index}/Conv`,
  scope: ['features', `block${index}`],
  op: 'Conv',
  kind: 'standard-conv',
  kernel: 'direct',
  flops: 2e7,
  measuredMs: 1 + index / 100,
  projectedMs: null,
  projectionError: null,
  gflops: 20,
  peakShare: 0.8,
  ...change,
});

const report = (layers: readonly BenchLayer[], change: Partial<BenchReport> = {}): BenchReport => ({
  schemaVersion: '1.0',
  tool: { name: 'dsc-audit', version: '0.0.0' },
  model: {
    name: 'net',
    path: 'net.onnx',
    format: 'onnx',
    producer: null,
    opsets: { '': 17 },
    fileBytes: 1,
    bindings: {},
    inputs: [],
    outputs: [],
  },
  profile: null,
  runtime: { backend: 'builtin', variant: 'simd128', threads: 1, exact: false, peakGflops: 25, memoryBytes: 1e6 },
  runs: 20,
  weights: 'file',
  totals: {
    measuredMs: layers.reduce((sum, { measuredMs }) => sum + measuredMs, 0),
    projectedMs: null,
    projectionError: null,
    withinInterval: null,
    gflops: 20,
    peakShare: 0.8,
  },
  layers,
  diagnostics: [],
  ...change,
});

const table = (given: BenchReport, all = false, width: number | null = 80): string =>
  renderBenchTable(given, { width, all, style });

describe('the table of a bench', () => {
  it('has a line for each layer that computes something, and the total', () => {
    const text = table(report([layer(0), layer(1, { kernel: 'none', op: 'Reshape' }), layer(2, { indices: [2, 3] })]));
    expect(text.split('\n').slice(2, 8)).toEqual([
      'Layer               Kernel    ms          GFLOP/s  of peak',
      'features/block0     direct  1.00  33.0 %     20.0     80 %',
      'features/block2 +1  direct  1.02  33.7 %     20.0     80 %',
      '',
      '3.03 ms a run · 20.0 GFLOP/s · 80 % of the peak',
      'peak 25.0 GFLOP/s · memory 1.00 MB',
    ]);
  });

  it('sets a projection beside what was measured where there is one', () => {
    const projectedMs = { value: 1.1, low: 1, high: 1.2 };
    const base = report([layer(0, { projectedMs, projectionError: 0.1 }), layer(1)]);
    const text = table({
      ...base,
      totals: { ...base.totals, projectedMs, projectionError: -0.453, withinInterval: 0.5 },
    });
    expect(text).toMatch(/ms {10}projected {2}off by/);
    expect(text).toMatch(/1\.00 {2}49\.8 % {7}1\.10 {3}\+10 %/);
    expect(text).toContain('2.01 ms a run · projected 1.10 ms (1.00 to 1.20), −45 %');
    expect(text).toContain('50 % of the layers within the 90 % interval of their projection');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('tells no share of the peak of what computes less than is counted', () => {
    const winograd = layer(0, { kernel: 'winograd-4x4', gflops: 60, peakShare: null });
    const base = report([winograd, layer(1)]);
    const text = table({ ...base, totals: { ...base.totals, gflops: 40, peakShare: 0.8 } });
    expect(text).toMatch(/winograd-4x4 .* 60\.0 {8}–$/m);
    expect(text).toContain('2.01 ms a run · 40.0 GFLOP/s\n');
    expect(text).toContain('Winograd computes less than is counted: no share of the peak is told of it.');
  });

  it('shows the slowest layers of a long model in order, and how to see all', () => {
    const layers = Array.from({ length: 60 }, (_, index) => layer(index));
    const text = table(report(layers));
    expect(text).not.toContain('block19 ');
    expect(text).toContain('block20 ');
    expect(text).toMatch(/and 20 more layers with \d+\.\d % of the time: --all shows them/);
    expect(table(report(layers), true)).toContain('block19 ');
  });

  it('fits the terminal, and lets no name act on it', () => {
    const name = `/${'a'.repeat(90)}/\u001b[31mred`;
    const text = table(report([layer(0, { name, scope: ['a'.repeat(90)] })], { weights: 'random' }));
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).not.toContain('\u001b');
  });
});
