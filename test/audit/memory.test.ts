import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { audit } from '../../src/audit/audit.ts';
import { auditAtTruth, auditFixture, auditSpec, FIXTURES, modelsIn, truthOf } from '../support/models.ts';

describe('the memory schedule', () => {
  const onnx = join(FIXTURES, 'onnx');
  const measured = modelsIn(onnx).filter((name) => existsSync(join(onnx, `${name}.truth.json`)));

  it.each(measured)('of %s has every layer once, in order, and the peak as its highest step', (name) => {
    const { memory, layers, totals } = auditAtTruth(onnx, name, truthOf(onnx, name));
    expect(memory?.schedule.map(({ index, layer }) => [index, layer])).toEqual(
      layers.map(({ index, name: layer }) => [index, layer]),
    );
    expect(Math.max(...(memory?.schedule.map(({ bytes }) => bytes) ?? []))).toBe(totals.peakActivationBytes);
  });

  it.each(readdirSync(join(FIXTURES, 'keras')).filter((file) => /\.(h5|keras)$/.test(file)))(
    'of %s has the peak too, where a layer is made of several nodes',
    async (file) => {
      const { memory, totals } = await audit(join(FIXTURES, 'keras', file));
      expect(Math.max(...(memory?.schedule.map(({ bytes }) => bytes) ?? []))).toBe(totals.peakActivationBytes);
    },
  );

  it('holds what later layers read, and lets go of what none does', () => {
    const { memory } = auditSpec({
      inputs: { x: [1, 10] },
      nodes: [
        { op: 'Relu', inputs: ['x'], outputs: ['a'], name: 'first' },
        { op: 'Relu', inputs: ['a'], outputs: ['b'], name: 'second' },
        { op: 'Add', inputs: ['a', 'b'], outputs: ['y'], name: 'third' },
      ],
      outputs: ['y'],
    });
    expect(memory?.schedule).toEqual([
      { layer: 'first', index: 0, bytes: 80 },
      { layer: 'second', index: 1, bytes: 80 },
      { layer: 'third', index: 2, bytes: 120 },
    ]);
  });

  it('is not known where an activation has no known size', () => {
    expect(auditFixture('edge/custom_op_unknown.onnx').memory).toBeNull();
  });
});
