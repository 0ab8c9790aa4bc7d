import { describe, expect, it } from 'vitest';
import { auditFixture, auditSpec } from '../support/models.ts';

const trained = (spec: Parameters<typeof auditSpec>[0]) => auditSpec(spec, { training: true }).training;

describe('what training costs', () => {
  it('is as much again for the weights, and for what lies before them', () => {
    const training = trained({
      inputs: { x: [2, 3, 8, 8] },
      initializers: { w: { dims: [4, 3, 3, 3] }, v: { dims: [5, 4, 3, 3] } },
      nodes: [
        { op: 'Conv', inputs: ['x', 'w'], outputs: ['a'] },
        { op: 'Relu', inputs: ['a'], outputs: ['b'] },
        { op: 'Conv', inputs: ['b', 'v'], outputs: ['y'] },
      ],
      outputs: ['y'],
    });
    const first = 2 * 4 * 36 * 27;
    const second = 2 * 5 * 16 * 36;
    const weights = 4 * 27 + 5 * 36;
    expect(training).toEqual({
      batch: 2,
      // Nothing learned lies before the first layer: its input needs no gradient.
      macs: { forward: first + second, backward: first + 2 * second },
      trainable: weights,
      weightBytes: 4 * weights,
      gradientBytes: 4 * weights,
      optimizerBytes: { sgd: 0, momentum: 4 * weights, adam: 8 * weights },
      // The image, and what comes out of the activation, which the second convolution reads too.
      activationBytes: 4 * (2 * 3 * 64 + 2 * 4 * 36),
    });
  });

  it('keeps nothing for a sum, both operands of a product, and nothing of what no weight lies before', () => {
    const between = (op: string) =>
      trained({
        inputs: { x: [1, 4], z: [1, 4] },
        initializers: { w: { dims: [4, 4] } },
        nodes: [
          { op: 'MatMul', inputs: ['x', 'w'], outputs: ['a'] },
          { op: 'Exp', inputs: ['z'], outputs: ['e'] },
          { op, inputs: ['a', 'e'], outputs: ['y'] },
        ],
        outputs: ['y'],
      })?.activationBytes;
    expect(between('Add')).toBe(4 * 4);
    expect(between('Mul')).toBe(3 * 4 * 4);
  });

  it('leaves out what is not trained, and is told only where it is asked for', () => {
    const { training } = auditFixture('onnx/mobilenet_v1_1.0_224_bn.onnx', { training: true });
    expect(training?.trainable).toBe(4_231_976);
    expect(training?.gradientBytes).toBe(4 * 4_231_976);
    expect(auditFixture('onnx/resnet18.onnx').training).toBeNull();
  });

  it('is not known where a layer is not', () => {
    expect(auditFixture('edge/custom_op_unknown.onnx', { training: true }).training?.macs.backward).toBeNull();
  });
});
