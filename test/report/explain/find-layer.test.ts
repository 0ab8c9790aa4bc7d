import { describe, expect, it } from 'vitest';
import { findLayer } from '../../../src/report/explain/find-layer.ts';
import { auditFixture, auditSpec } from '../../support/models.ts';

const resnet = auditFixture('onnx/resnet18.onnx');

describe('a layer', () => {
  it.each(['/layer1/layer1.0/conv2/Conv', 'layer1.0/conv2', '5', '#5', 'layer1/layer1.0/conv2/*', '**/conv2/Conv'])(
    'is found by %s',
    (wanted) => {
      // The last one is a glob that several layers match.
      if (wanted.startsWith('*'))
        expect(() => findLayer(resnet, wanted)).toThrow(/names 8 layers: #5 layer1\.0\/conv2/);
      else expect(findLayer(resnet, wanted).index).toBe(5);
    },
  );

  it('that nobody knows brings the nearest', () => {
    expect(() => findLayer(resnet, 'layer1.0/cnov2')).toThrow(
      /no layer is called layer1\.0\/cnov2\. The nearest: #5 layer1/,
    );
    expect(() => findLayer(resnet, 'x'.repeat(100_000))).toThrow(/no layer is called/);
    expect(() => findLayer(resnet, '')).toThrow(/no layer is called/);
  });

  it('whose name is a number is found by its name before its index', () => {
    const report = auditSpec({
      inputs: { x: [1, 4] },
      nodes: [
        { op: 'Relu', inputs: ['x'], outputs: ['a'], name: '1' },
        { op: 'Sigmoid', inputs: ['a'], outputs: ['y'], name: '0' },
      ],
      outputs: ['y'],
    });
    expect(findLayer(report, '0').op).toBe('Sigmoid');
    expect(findLayer(report, '#0').op).toBe('Relu');
  });
});
