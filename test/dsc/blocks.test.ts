import { describe, expect, it } from 'vitest';
import type { BlockSection, Report } from '../../src/audit/report.ts';
import { auditAtTruth, auditFixture, auditSpec, CORPUS, hasCorpus, truthOf } from '../support/models.ts';

/** `inverted-residual t6 identity SE` by how many there are. */
function tally({ blocks }: Report): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const block of blocks) counts[spell(block)] = (counts[spell(block)] ?? 0) + 1;
  return counts;
}

function spell({ kind, expansion, shortcut, squeezeExcite }: BlockSection): string {
  const width = expansion === null ? [] : [`t${Number(expansion.toFixed(2))}`];
  return [kind, ...width, ...(shortcut === null ? [] : [shortcut]), ...(squeezeExcite ? ['SE'] : [])].join(' ');
}

describe.skipIf(!hasCorpus)('blocks of published networks', () => {
  // As the papers and the published implementations build them.
  it.each([
    ['mobilenet_v1_1.0_224', { 'depthwise-separable': 13 }],
    ['mobilenet_v2', { 'inverted-residual t1': 1, 'inverted-residual t6': 6, 'inverted-residual t6 identity': 10 }],
    ['resnet18', { 'basic-residual identity': 5, 'basic-residual projection': 3 }],
    ['resnet18_constw', { 'basic-residual identity': 5, 'basic-residual projection': 3 }],
    ['resnet50', { 'bottleneck t0.25 identity': 12, 'bottleneck t0.25 projection': 4 }],
    ['resnext50_32x4d', { 'bottleneck t0.5 identity': 12, 'bottleneck t0.5 projection': 4 }],
    ['regnet_y_400mf', { 'bottleneck t1 identity SE': 12, 'bottleneck t1 projection SE': 4 }],
    [
      'efficientnet_b0',
      { 'inverted-residual t1 SE': 1, 'inverted-residual t6 SE': 6, 'inverted-residual t6 identity SE': 9 },
    ],
    ['squeezenet1_0', { fire: 8 }],
    ['googlenet_aux', { 'parallel-branches': 9 }],
    ['shufflenet_v2_x0_5', { shuffle: 16 }],
    ['vgg16', {}],
    ['vit_b_16', {}],
  ])('%s', (name, expected) => {
    const folder = `${CORPUS}/onnx`;
    expect(tally(auditAtTruth(folder, name, truthOf(folder, name)))).toEqual(expected);
  });

  it.each([
    ['mobilenet_v2', 'mobilenet_v2_preserve'],
    ['mobilenet_v2', 'dyn_mobilenet_v2'],
    ['mobilenet_v2', 'keras_MobileNetV2'],
    ['mobilenet_v3_small', 'keras_MobileNetV3Small'],
    ['efficientnet_b0', 'keras_EfficientNetB0'],
    ['shufflenet_v2_x0_5', 'dyn_shufflenet_v2_x0_5'],
    ['resnet18', 'resnet18_preserve'],
  ])('are the same however the network is exported: %s and %s', (one, other) => {
    const folder = `${CORPUS}/onnx`;
    const blocks = (name: string) => tally(auditAtTruth(folder, name, truthOf(folder, name)));
    expect(blocks(other)).toEqual(blocks(one));
  });

  it('have no layer in common, and hold what their layers cost', () => {
    const folder = `${CORPUS}/onnx`;
    for (const name of ['mobilenet_v3_large', 'efficientnet_v2_s', 's3d', 'keras_EfficientNetB0']) {
      const report = auditAtTruth(folder, name, truthOf(folder, name));
      const layers = report.blocks.flatMap((block) => block.layers);
      expect(new Set(layers).size).toBe(layers.length);
      for (const block of report.blocks) {
        const macs = block.layers.reduce((sum, layer) => sum + (report.layers[layer]?.macs ?? 0), 0);
        expect(block.macs).toBe(macs);
      }
    }
  });
});

/** pointwise 8 → `inside`, depthwise 3×3, pointwise → 8, each with what `activated` says. */
function threeConvs(inside: number, activated: readonly [boolean, boolean, boolean], shortcut: boolean) {
  const relu = (at: number) => (activated[at] ? [{ op: 'Relu', inputs: [`c${at}`], outputs: [`r${at}`] }] : []);
  const out = (at: number) => (activated[at] ? `r${at}` : `c${at}`);
  return auditSpec({
    inputs: { x: [1, 8, 12, 12] },
    initializers: {
      w0: { dims: [inside, 8, 1, 1] },
      w1: { dims: [inside, 1, 3, 3] },
      w2: { dims: [8, inside, 1, 1] },
    },
    nodes: [
      { op: 'Conv', inputs: ['x', 'w0'], outputs: ['c0'] },
      ...relu(0),
      {
        op: 'Conv',
        inputs: [out(0), 'w1'],
        outputs: ['c1'],
        attributes: { group: inside, pads: [1, 1, 1, 1] },
      },
      ...relu(1),
      { op: 'Conv', inputs: [out(1), 'w2'], outputs: ['c2'] },
      ...relu(2),
      ...(shortcut ? [{ op: 'Add', inputs: ['x', out(2)], outputs: ['y'] }] : []),
    ],
    outputs: [shortcut ? 'y' : out(2)],
  });
}

describe('an inverted residual', () => {
  it.each([
    ['with a shortcut and a linear end', 48, [true, true, false], true, 'inverted-residual t6 identity'],
    ['with a shortcut and an activated end', 48, [true, true, true], true, 'inverted-residual t6 identity'],
    ['without a shortcut', 48, [true, true, false], false, 'inverted-residual t6'],
    ['is none where it neither ends linear nor has a shortcut', 48, [true, true, true], false, 'depthwise-separable'],
    ['is none where nothing is expanded', 8, [true, true, true], false, 'depthwise-separable'],
  ] as const)('%s', (_, inside, activated, shortcut, expected) => {
    expect(Object.keys(tally(threeConvs(inside, activated, shortcut)))).toEqual([expected]);
  });

  it('tells whether it is linear', () => {
    const linear = (end: boolean) => threeConvs(48, [true, true, end], true).blocks[0]?.linear;
    expect([linear(false), linear(true)]).toEqual([true, false]);
  });
});

describe('a block', () => {
  it('is none where something else looks into it', () => {
    const report = auditSpec({
      inputs: { x: [1, 8, 12, 12] },
      initializers: { w1: { dims: [8, 1, 3, 3] }, w2: { dims: [16, 8, 1, 1] } },
      nodes: [
        { op: 'Conv', inputs: ['x', 'w1'], outputs: ['a'], attributes: { group: 8 } },
        { op: 'Conv', inputs: ['a', 'w2'], outputs: ['y'] },
      ],
      outputs: ['y', 'a'],
    });
    expect(report.blocks).toEqual([]);
  });

  it('is named after the module that holds it', () => {
    const { blocks } = auditFixture('onnx/resnet18.onnx');
    expect(blocks.map(({ name }) => name).slice(0, 3)).toEqual(['layer1.0', 'layer1.1', 'layer2.0']);
  });
});
