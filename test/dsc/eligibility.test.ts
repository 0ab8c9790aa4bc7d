import { describe, expect, it } from 'vitest';
import { auditFixture, auditSpec } from '../support/models.ts';
import type { AttributeSpec } from '../support/onnx-bytes.ts';

/** A pointwise convolution first, so that what follows is no stem; then the convolution in question. */
function verdictOf(op: string, weight: readonly number[], attributes: Record<string, AttributeSpec> = {}, rank = 2) {
  const channels = op === 'ConvTranspose' ? (weight[0] ?? 1) : (weight[1] ?? 1) * Number(attributes.group ?? 1);
  const report = auditSpec({
    inputs: { x: [1, 8, ...new Array<number>(rank).fill(12)] },
    initializers: { first: { dims: [channels, 8, ...new Array<number>(rank).fill(1)] }, w: { dims: weight } },
    nodes: [
      { op: 'Conv', inputs: ['x', 'first'], outputs: ['a'] },
      { op, inputs: ['a', 'w'], outputs: ['y'], name: 'asked', attributes },
    ],
    outputs: ['y'],
  });
  const rejected = report.dsc.rejected.find(({ layer }) => layer === 'asked');
  return rejected?.reason ?? report.dsc.candidates.find(({ layer }) => layer === 'asked')?.after ?? null;
}

describe('verdicts', () => {
  it.each([
    ['a pointwise convolution', 'Conv', [16, 8, 1, 1], {}, 'pointwise'],
    ['a depthwise one', 'Conv', [8, 1, 3, 3], { group: 8 }, 'depthwise'],
    ['one with a multiplier', 'Conv', [16, 1, 3, 3], { group: 8 }, 'depthwise'],
    ['a grouped one', 'Conv', [16, 4, 3, 3], { group: 2 }, 'grouped'],
    ['a transposed one', 'ConvTranspose', [8, 16, 3, 3], {}, 'transposed'],
    ['one with a single filter', 'Conv', [1, 8, 3, 3], {}, 'no-saving'],
  ] as const)('%s is rejected', (_, op, weight, attributes, reason) => {
    expect(verdictOf(op, weight, attributes)).toBe(reason);
  });

  it.each([
    ['1-D', [16, 8, 5], 1, 8 * 5 + 8 * 16, 8],
    ['2-D', [16, 8, 3, 3], 2, 8 * 9 + 8 * 16, 10 * 10],
    ['2-D, not square', [16, 8, 1, 7], 2, 8 * 7 + 8 * 16, 12 * 6],
    ['3-D', [16, 8, 3, 3, 3], 3, 8 * 27 + 8 * 16, 10 * 10 * 10],
  ] as const)('a standard convolution is a candidate: %s', (_, weight, rank, params, positions) => {
    expect(verdictOf('Conv', weight, {}, rank)).toMatchObject({ params, macs: params * positions });
  });

  it('keep the bias on the pointwise half', () => {
    const { dsc } = auditFixture('onnx/resnet18.onnx');
    const candidate = dsc.candidates.find(({ layer }) => layer === '/layer1/layer1.0/conv2/Conv');
    expect(candidate?.after.params).toBe(64 * 9 + 64 * 64 + 64);
  });

  it('reject the first convolution of an image, whatever is computed before it', () => {
    const report = auditSpec({
      inputs: { x: [1, 8, 8, 3] },
      initializers: { w: { dims: [8, 3, 3, 3] }, v: { dims: [8, 8, 3, 3] } },
      nodes: [
        { op: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: { perm: [0, 3, 1, 2] } },
        { op: 'Conv', inputs: ['t', 'w'], outputs: ['a'], name: 'stem' },
        { op: 'Conv', inputs: ['a', 'v'], outputs: ['y'], name: 'next' },
      ],
      outputs: ['y'],
    });
    expect(report.dsc.rejected).toEqual([{ layer: 'stem', index: 1, reason: 'stem' }]);
    expect(report.dsc.candidates.map(({ layer }) => layer)).toEqual(['next']);
  });

  it('reject weights that are computed', () => {
    const { dsc } = auditFixture('edge/conv_weight_is_input.onnx');
    expect(dsc.rejected[0]?.reason).toBe('dynamic-weights');
  });

  it('cover the quantised forms, with bytes by stored type', () => {
    const { dsc } = auditFixture('edge/convinteger_matmulinteger.onnx', { include: ['**'] });
    const before = dsc.candidates[0]?.before;
    expect(before?.weightBytes).toBe(16 * 27);
    expect(before?.params).toBe(16 * 27);
  });

  it('rank candidates by MACs saved, and project the whole model', () => {
    const { dsc, totals } = auditFixture('onnx/vgg16.onnx');
    const saved = dsc.candidates.map(({ before, after }) => (before.macs ?? 0) - (after.macs ?? 0));
    expect(saved).toHaveLength(12);
    expect(saved).toEqual([...saved].sort((a, b) => b - a));
    const total = saved.reduce((sum, macs) => sum + macs, 0);
    expect(dsc.projection.after.macs).toBe(totals.macs - total);
  });

  it('save a weight that two convolutions share only once', () => {
    const { dsc, totals } = auditFixture('edge/shared_weight_two_convs.onnx');
    expect(dsc.candidates).toHaveLength(2);
    expect(dsc.projection.after.params).toBe(totals.params.total - 576 + (8 * 9 + 64));
  });
});
