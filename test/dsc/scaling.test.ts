import { describe, expect, it } from 'vitest';
import type { AuditOptions } from '../../src/audit/audit.ts';

import type { Report } from '../../src/audit/report.ts';
import { modelFile } from '../../src/formats/model-source.ts';
import { auditOnnx, auditSpec, CORPUS, hasCorpus, modelsIn, truthOf } from '../support/models.ts';
import type { ModelSpec } from '../support/onnx-bytes.ts';

const audited = (name: string, options: AuditOptions = {}): Report =>
  auditOnnx(modelFile(`${CORPUS}/onnx/${name}.onnx`), options);

const figures = ({ totals, layers }: Report) => ({
  macs: totals.macs,
  flops: totals.flops,
  params: totals.params.total,
  peak: totals.peakActivationBytes,
  shapes: layers.map(({ outputShapes }) => outputShapes),
});

describe.skipIf(!hasCorpus)('MobileNetV1 from its α = 1, 224 × 224 file', () => {
  it.each([
    [0.25, 224],
    [0.25, 128],
    [0.5, 224],
    [0.5, 160],
    [0.75, 224],
    [0.75, 192],
    [0.75, 160],
    [1, 192],
    [1, 160],
    [1, 128],
  ])('is the file built with α = %d at %d pixels', (width, resolution) => {
    const built = audited(`mobilenet_v1_${width === 1 ? '1.0' : width}_${resolution}`);
    expect(figures(audited('mobilenet_v1_1.0_224', { width, resolution }))).toEqual(figures(built));
  });

  it('is so whichever is asked for', () => {
    expect(figures(audited('mobilenet_v1_1.0_224', { width: 0.5 }))).toEqual(figures(audited('mobilenet_v1_0.5_224')));
    expect(figures(audited('mobilenet_v1_1.0_224', { resolution: 128 }))).toEqual(
      figures(audited('mobilenet_v1_1.0_128')),
    );
  });
});

describe.skipIf(!hasCorpus)('published networks', () => {
  // The published implementations of MobileNetV2 at other widths: torchvision's width_mult.
  it.each([
    [1.4, 582_195_824, undefined],
    [0.75, 209_069_792, 2_636_424],
  ])('MobileNetV2 at α = %d', (width, macs, trainable) => {
    const { totals } = audited('mobilenet_v2_preserve', { width });
    expect(totals.macs).toBe(macs);
    if (trainable !== undefined) expect(totals.params.trainable).toBe(trainable);
  });

  it('stay as they are at α = 1', () => {
    for (const name of ['mobilenet_v2', 'shufflenet_v2_x0_5', 'efficientnet_b0', 'densenet121', 'regnet_y_400mf']) {
      expect(figures(audited(name, { width: 1 }))).toEqual(figures(audited(name)));
    }
  });

  it('either scale as a whole or are refused at a node', () => {
    for (const name of modelsIn(`${CORPUS}/onnx`)) {
      const shapes = truthOf(`${CORPUS}/onnx`, name).inputs ?? {};
      for (const options of [{ width: 0.75 }, { resolution: 160 }, { width: 0.5, rounding: 'none' }] as const) {
        const plain = audited(name, { shapes });
        const outcome = attempt(() => audited(name, { shapes, ...options }));
        if (typeof outcome === 'string') {
          expect(outcome).toMatch(/cannot be had: at '.+' \(\w+\), |no image/);
          continue;
        }
        expect(outcome.coverage).toEqual(plain.coverage);
        expect(outcome.model.outputs.map(({ shape }) => shape?.length)).toEqual(
          plain.model.outputs.map(({ shape }) => shape?.length),
        );
        expect(outcome.layers.map(({ op }) => op)).toEqual(plain.layers.map(({ op }) => op));
        expect(outcome.scaling?.original.before.macs).toBe(plain.totals.macs);
      }
    }
  });
});

function attempt<T>(run: () => T): T | string {
  try {
    return run();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Two convolutions that are added up, with something between the sum and the output. */
function residual(between: NonNullable<ModelSpec['nodes']>, initializers: ModelSpec['initializers'] = {}): ModelSpec {
  return {
    inputs: { x: [1, 3, 16, 16] },
    initializers: {
      w0: { dims: [16, 3, 3, 3] },
      w1: { dims: [16, 16, 3, 3] },
      w2: { dims: [10, 16, 1, 1] },
      ...initializers,
    },
    nodes: [
      { op: 'Conv', inputs: ['x', 'w0'], outputs: ['a'], attributes: { pads: [1, 1, 1, 1] } },
      { op: 'Conv', inputs: ['a', 'w1'], outputs: ['b'], attributes: { pads: [1, 1, 1, 1] } },
      { op: 'Add', inputs: ['a', 'b'], outputs: ['s'] },
      ...between,
      { op: 'Conv', inputs: [between.length === 0 ? 's' : 't', 'w2'], outputs: ['y'] },
    ],
    outputs: ['y'],
  };
}

describe('a width', () => {
  it('scales what is added up alike, and leaves inputs and outputs', () => {
    const report = auditSpec(residual([]), { width: 0.5 });
    const convs = report.layers.flatMap(({ conv }) => (conv ? [[conv.inChannels, conv.outChannels]] : []));
    expect(convs).toEqual([
      [3, 8],
      [8, 8],
      [8, 10],
    ]);
  });

  it('is refused, at the node, where a number of channels is written into the graph', () => {
    const reshape = { op: 'Reshape', name: 'heads', inputs: ['s', 'shape'], outputs: ['t'] };
    const spec = residual([reshape], { shape: { dims: [4], dtype: 7, ints: [1, 16, 256, 1] } });
    expect(auditSpec(spec, { width: 0.5 }).layers.at(-1)?.inputShapes).toEqual([[1, 8, 256, 1]]);
    const apart = [
      { ...reshape, outputs: ['r'] },
      { op: 'Reshape', inputs: ['r', 'back'], outputs: ['t'] },
    ];
    const shapes = {
      shape: { dims: [5], dtype: 7, ints: [1, 2, 2, 4, 256] },
      back: { dims: [4], dtype: 7, ints: [1, 16, 16, 16] },
    };
    expect(() => auditSpec(residual(apart, shapes), { width: 0.5 })).toThrow(/at 'heads' \(Reshape\)/);
  });

  it.each([0, -1, Number.NaN, 1000])('cannot be %d', (width) => {
    expect(() => auditSpec(residual([]), { width })).toThrow(/the width cannot be/);
  });
});
