import { describe, expect, it } from 'vitest';
import { auditFixture, auditSpec } from '../../support/models.ts';

const domain = 'com.microsoft.nchwc';

/** A convolution of 24 channels to `filters`, from and to tensors without blocks. */
const convolution = (filters: number, filled: number) =>
  auditSpec({
    inputs: { x: [1, 24, 8, 8] },
    initializers: { w: { dims: [filters, filled, 3, 3] } },
    nodes: [
      { op: 'ReorderInput', domain, inputs: ['x'], outputs: ['blocked'] },
      { op: 'Conv', domain, inputs: ['blocked', 'w'], outputs: ['c'], attributes: { pads: [1, 1, 1, 1] } },
      { op: 'ReorderOutput', domain, inputs: ['c'], outputs: ['y'], attributes: { channels: 20, channels_last: 1 } },
    ],
    outputs: ['y'],
  });

describe('onnxruntime’s blocked layout', () => {
  it.each([
    ['8', 24, 24],
    ['16', 32, 32],
  ])('fills channels up to blocks of %s, as its weights tell', (block, filters, filled) => {
    const report = convolution(filters, filled);
    expect(report.layers.map(({ outputShapes }) => outputShapes[0])).toEqual([
      [1, filled, 8, 8],
      [1, filters, 8, 8],
      [1, 8, 8, 20],
    ]);
    expect(report.totals.macs).toBe(filters * 8 * 8 * filled * 9);
    expect(report.coverage.counted).toBe(3);
    expect(report.diagnostics.find(({ code }) => code === 'blocked-layout')?.message).toContain(`blocks of ${block},`);
  });

  it('is no candidate: its weights lie in an order for one machine', () => {
    const { dsc } = auditFixture('edge/onnxruntime_blocked.onnx', { include: ['*'] });
    expect(dsc.candidates).toEqual([]);
    expect(dsc.rejected.map(({ reason }) => reason)).toEqual([
      'dynamic-weights',
      'dynamic-weights',
      'depthwise',
      'pointwise',
    ]);
  });
});
