import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/audit/report.ts';
import { modelFile } from '../../src/formats/model-source.ts';
import { auditFixture, auditOnnx, auditSpec, CORPUS, hasCorpus } from '../support/models.ts';
import { type BlockSpec, blockModel, type ConvSpec } from '../support/residual-block.ts';

const figures = ({ totals }: Report) => ({
  params: totals.params.total,
  macs: totals.macs,
  flops: totals.flops,
  weightBytes: totals.weightBytes,
  peakActivationBytes: totals.peakActivationBytes,
});

const projected = ({ dsc: { projection } }: Report) => {
  const { latencyMs: _, ...rest } = projection.after;
  return rest;
};

const candidateAt = ({ dsc }: Report, layer: string) => dsc.candidates.find((candidate) => candidate.layer === layer);

/** MobileNetV2 (1801.04381), section 3.3: h·w·d′·t·(d′ + k² + d″) for a block from d′ to d″ channels at stride 1. */
const invertedMacs = (extent: number, from: number, to: number, expansion: number, kernel = 3): number =>
  extent * extent * from * expansion * (from + kernel * kernel + to);

describe('an inverted residual', () => {
  it('takes the place of a basic residual block: ResNet-18, by the formula of the paper', () => {
    const report = auditFixture('onnx/resnet18.onnx', { strategy: 'inverted-residual' });
    expect(report.dsc.candidates).toHaveLength(8);
    const block = candidateAt(report, '/layer1/layer1.0/conv1/Conv');
    expect(block?.before.macs).toBe(2 * 56 * 56 * 64 * 64 * 9);
    expect(block?.after.macs).toBe(invertedMacs(56, 64, 64, 6));
    expect(block?.after.params).toBe(64 * 384 + 384 + 384 * 9 + 384 + 384 * 64 + 64);
  });

  it('strides in its depthwise half', () => {
    const report = auditFixture('onnx/resnet18.onnx', { strategy: 'inverted-residual' });
    const block = candidateAt(report, '/layer2/layer2.0/conv1/Conv');
    expect(block?.becomes.map(({ part, strides, groups }) => [part, strides[0], groups])).toEqual([
      ['expand', 1, 1],
      ['depthwise', 2, 384],
      ['project', 1, 1],
    ]);
    expect(block?.after.macs).toBe(56 * 56 * 64 * 384 + 28 * 28 * 384 * (9 + 128));
  });

  it('of expansion 6 costs a bottleneck of ResNet-50 more than it has: the figures are told with the reason', () => {
    const report = auditFixture('onnx/resnet50.onnx', { strategy: 'inverted-residual' });
    expect(report.dsc.candidates).toEqual([]);
    const rejection = report.dsc.rejected.find(({ layer }) => layer === '/layer1/layer1.1/conv1/Conv');
    expect(rejection?.reason).toBe('no-saving');
    expect(rejection?.block?.before.macs).toBe(56 * 56 * (256 * 64 + 64 * 64 * 9 + 64 * 256));
    expect(rejection?.block?.after.macs).toBe(invertedMacs(56, 256, 256, 6));
    expect(report.dsc.projection.after.macs).toBe(report.totals.macs);
  });

  it('of a lower expansion saves: a quarter is the bottleneck with a depthwise convolution inside', () => {
    const report = auditFixture('onnx/resnet50.onnx', { strategy: 'inverted-residual', expansion: 0.25 });
    const block = candidateAt(report, '/layer1/layer1.1/conv1/Conv');
    expect(block?.after.macs).toBe(invertedMacs(56, 256, 256, 0.25));
  });

  it('of expansion 1 has nothing to expand', () => {
    const report = auditFixture('onnx/resnet18.onnx', { strategy: 'inverted-residual', expansion: 1 });
    expect(report.dsc.candidates[0]?.becomes.map(({ part }) => part)).toEqual(['depthwise', 'project']);
  });

  it('needs a block', () => {
    const { dsc } = auditFixture('onnx/vgg16.onnx', { strategy: 'inverted-residual' });
    expect(new Set(dsc.rejected.map(({ reason }) => reason))).toEqual(new Set(['stem', 'no-block']));
  });
});

describe('a bottleneck', () => {
  it('takes the place of a basic residual block, or of a convolution by itself', () => {
    const pair = auditFixture('onnx/resnet18.onnx', { strategy: 'bottleneck' });
    const block = candidateAt(pair, '/layer4/layer4.1/conv1/Conv');
    expect(block?.after.macs).toBe(7 * 7 * 128 * (512 + 9 * 128 + 512));
    const single = auditFixture('onnx/vgg16.onnx', { strategy: 'bottleneck', reduction: 8 });
    const conv = candidateAt(single, '/features/features.28/Conv');
    expect(conv?.after.macs).toBe(14 * 14 * 64 * (512 + 9 * 64 + 512));
    expect(single.dsc.candidates).toHaveLength(12);
  });

  it('leaves other blocks whole', () => {
    const { dsc } = auditFixture('onnx/resnet50.onnx', { strategy: 'bottleneck' });
    expect(dsc.candidates).toEqual([]);
    expect(dsc.rejected.filter(({ reason }) => reason === 'in-block')).toHaveLength(16);
  });
});

describe('what speaks against a convolution', () => {
  it('speaks against its block', () => {
    const exclude = ['layer1.0.conv2', 'layer1/layer1.0/conv2/**'];
    const { dsc } = auditFixture('onnx/resnet18.onnx', { strategy: 'inverted-residual', exclude });
    const reasons = dsc.rejected.filter(({ layer }) => layer.includes('layer1.0')).map(({ reason }) => reason);
    expect(reasons).toEqual(['excluded', 'excluded']);
    expect(dsc.candidates).toHaveLength(7);
  });
});

describe.skipIf(!hasCorpus)('ResNet-50 of bottlenecks', () => {
  it('is ResNeXt and Wide ResNet, too: what each candidate saves adds up to what the model does', () => {
    for (const name of ['resnet18', 'resnet50', 'wide_resnet50_2', 'efficientnet_v2_s', 'regnet_x_1_6gf']) {
      for (const strategy of ['inverted-residual', 'bottleneck']) {
        const options = { strategy, expansion: 0.5, include: ['**'], reduction: 8 };
        const { expansion: _, ...other } = options;
        const { reduction: __, ...inverted } = options;
        const report = auditOnnx(
          modelFile(`${CORPUS}/onnx/${name}.onnx`),
          strategy === 'bottleneck' ? other : inverted,
        );
        const saved = (figure: 'macs' | 'params' | 'flops' | 'weightBytes') =>
          report.dsc.candidates.reduce(
            (sum, { before, after }) => sum + (before[figure] ?? 0) - (after[figure] ?? 0),
            0,
          );
        const { before, after } = report.dsc.projection;
        for (const figure of ['macs', 'params', 'flops', 'weightBytes'] as const) {
          expect([name, strategy, figure, after[figure]]).toEqual([
            name,
            strategy,
            figure,
            (before[figure] ?? 0) - saved(figure),
          ]);
        }
      }
    }
  });
});

/** Blocks of any width, with every way to normalise and to activate. */
const blocks = fc.record({
  channels: fc.integer({ min: 5, max: 24 }),
  out: fc.integer({ min: 4, max: 32 }),
  extent: fc.integer({ min: 5, max: 13 }),
  batch: fc.integer({ min: 1, max: 2 }),
  norm: fc.constantFrom('batch-norm', 'folded', 'none'),
  activation: fc.constantFrom('Relu', 'HardSwish', 'PRelu', 'swish'),
  kernel: fc.constantFrom(3, 5),
  stride: fc.integer({ min: 1, max: 2 }),
  activatedEnd: fc.boolean(),
} as const);

type Drawn = typeof blocks extends fc.Arbitrary<infer T> ? T : never;

const fileOf = (drawn: Drawn, body: readonly ConvSpec[]) => {
  const { channels, extent, batch, norm, activation } = drawn;
  const spec: BlockSpec = { channels, extent, batch, norm, activation, shortcut: true, body };
  return blockModel(spec);
};

/** What a strategy makes of a block is what a file with that block in it is. */
function expectSameAsFile(before: Report, after: () => Report): void {
  const [candidate] = before.dsc.candidates;
  const rejected = before.dsc.rejected.find(({ block }) => block)?.block;
  const file = figures(after());
  if (candidate !== undefined) {
    expect(projected(before)).toEqual(file);
    return;
  }
  // Turned down: it saves nothing, as the file tells.
  expect(rejected).toBeDefined();
  expect(file.macs >= before.totals.macs || file.params >= before.totals.params.total).toBe(true);
  expect(file.macs - before.totals.macs).toBe((rejected?.after.macs ?? 0) - (rejected?.before.macs ?? 0));
}

describe('the projected model', () => {
  it('is the file with inverted residuals in it, to the last byte of its peak memory', () => {
    fc.assert(
      fc.property(blocks, fc.integer({ min: 1, max: 6 }), (drawn, expansion) => {
        const { channels, out, kernel, stride, activatedEnd } = drawn;
        const pair = fileOf(drawn, [
          { out, kernel, stride, activated: true },
          { out, kernel, activated: activatedEnd },
        ]);
        const inner = channels * expansion;
        const inverted = fileOf(drawn, [
          ...(expansion === 1 ? [] : [{ out: inner, activated: true }]),
          { out: inner, kernel, stride, groups: inner, activated: true },
          { out, activated: false },
        ]);
        const before = auditSpec(pair, { strategy: 'inverted-residual', expansion });
        expectSameAsFile(before, () => auditSpec(inverted));
      }),
      { numRuns: 60 },
    );
  });

  it('is the file with bottlenecks in it', () => {
    fc.assert(
      fc.property(blocks, fc.constantFrom(1, 2, 4), (drawn, reduction) => {
        const { out, kernel, stride, activatedEnd } = drawn;
        const pair = fileOf(drawn, [
          { out, kernel, stride, activated: true },
          { out, kernel, activated: activatedEnd },
        ]);
        const inner = Math.max(1, Math.round(out / reduction));
        const narrow = fileOf(drawn, [
          { out: inner, activated: true },
          { out: inner, kernel, stride, activated: true },
          { out, activated: activatedEnd },
        ]);
        expectSameAsFile(auditSpec(pair, { strategy: 'bottleneck', reduction }), () => auditSpec(narrow));
      }),
      { numRuns: 60 },
    );
  });

  it('takes the stride over from a pointwise convolution, as the first ResNets have it', () => {
    const drawn = { channels: 8, extent: 12, batch: 1, norm: 'batch-norm', activation: 'Relu' } as const;
    const spec = (body: readonly ConvSpec[]): BlockSpec => ({ ...drawn, shortcut: true, body });
    const bottleneck = blockModel(
      spec([
        { out: 32, stride: 2, activated: true },
        { out: 32, kernel: 3, activated: true },
        { out: 64, activated: false },
      ]),
    );
    const inverted = blockModel(
      spec([
        { out: 16, activated: true },
        { out: 16, kernel: 3, stride: 2, groups: 16, activated: true },
        { out: 64, activated: false },
      ]),
    );
    const before = auditSpec(bottleneck, { strategy: 'inverted-residual', expansion: 2 });
    expect(before.dsc.candidates).toHaveLength(1);
    expect(projected(before)).toEqual(figures(auditSpec(inverted)));
  });

  it.each(['depthwise-separable', 'pointwise-depthwise'] as const)(
    'of %s has the peak memory of its file',
    (strategy) => {
      const drawn = { channels: 8, extent: 12, batch: 1, norm: 'none', activation: 'Relu', shortcut: true } as const;
      const plain = blockModel({
        ...drawn,
        body: [
          { out: 24, kernel: 3, stride: 2, activated: true },
          { out: 24, kernel: 3, activated: false },
        ],
      });
      const halves = (into: number, out: number, stride: number, activated: boolean): readonly ConvSpec[] =>
        strategy === 'depthwise-separable'
          ? [
              { out: into, kernel: 3, stride, groups: into, activated: false },
              { out, activated },
            ]
          : [
              { out, activated: false },
              { out, kernel: 3, stride, groups: out, activated },
            ];
      const split = blockModel({ ...drawn, body: [...halves(8, 24, 2, true), ...halves(24, 24, 1, false)] });
      expect(projected(auditSpec(plain, { strategy }))).toEqual(figures(auditSpec(split)));
    },
  );
});

describe('strategies side by side', () => {
  const report = auditFixture('onnx/resnet18.onnx', { strategy: 'all' });

  it('have for the model what each has by itself', () => {
    for (const { strategy, after, candidates } of report.strategies?.model ?? []) {
      const alone = auditFixture('onnx/resnet18.onnx', { strategy });
      expect(after).toEqual(alone.dsc.projection.after);
      expect(candidates).toBe(alone.dsc.candidates.length);
    }
    expect(report.strategies?.model).toHaveLength(4);
    expect(report.dsc.strategy).toBe('depthwise-separable');
  });

  it('have what each place saves, and all places together save what the model does', () => {
    const section = report.strategies;
    for (const [at, { strategy, after }] of (section?.model ?? []).entries()) {
      const saved = (section?.places ?? []).reduce(
        (sum, place) => sum + (place.before.macs ?? 0) - (place.after[at]?.figures?.macs ?? place.before.macs ?? 0),
        0,
      );
      expect([strategy, after.macs]).toEqual([strategy, report.totals.macs - saved]);
    }
  });

  it('name the best: the least of each figure that is below what there is', () => {
    const { best, model = [], before } = report.strategies ?? {};
    const least = model.reduce((name, each) => {
      const known = model.find(({ strategy }) => strategy === name);
      return (each.after.macs ?? 0) < (known?.after.macs ?? before?.macs ?? 0) ? each.strategy : name;
    }, '');
    expect(best?.macs).toBe(least);
    expect(best?.latencyMs).toBeNull();
  });

  it('have a weight that two convolutions share once in each place', () => {
    const shared = auditFixture('edge/shared_weight_two_convs.onnx', { strategy: 'all', include: ['c*'] }).strategies;
    expect(shared?.places.map(({ name }) => name)).toEqual(['c1', 'c2']);
    for (const { before, after, best } of shared?.places ?? []) {
      expect(before).toMatchObject({ params: 576, weightBytes: 4 * 576 });
      expect(after[0]?.figures).toMatchObject({ params: 8 * 9 + 8 * 8, weightBytes: 4 * (8 * 9 + 8 * 8) });
      expect(best).toMatchObject({ params: 'bottleneck', macs: 'bottleneck' });
      for (const { figures: left } of after) expect(left?.params ?? 1).toBeGreaterThan(0);
    }
  });

  it('have it once in a block, too', () => {
    const block = auditSpec(
      {
        inputs: { x: [1, 8, 9, 9] },
        initializers: { w: { dims: [8, 8, 3, 3] } },
        nodes: [
          { op: 'Conv', name: 'one', inputs: ['x', 'w'], outputs: ['h'], attributes: { pads: [1, 1, 1, 1] } },
          { op: 'Relu', inputs: ['h'], outputs: ['r'] },
          { op: 'Conv', name: 'two', inputs: ['r', 'w'], outputs: ['s'], attributes: { pads: [1, 1, 1, 1] } },
          { op: 'Add', inputs: ['s', 'x'], outputs: ['y'] },
        ],
        outputs: ['y'],
      },
      { strategy: 'all', include: ['*'] },
    );
    const [place] = block.strategies?.places ?? [];
    expect(place?.layers.length).toBeGreaterThan(2);
    expect(place?.before.params).toBe(576);
    for (const { figures: left } of place?.after ?? []) expect(left?.params ?? 1).toBeGreaterThan(0);
  });

  it('are not there where nobody asked', () => {
    expect(auditFixture('onnx/resnet18.onnx').strategies).toBeNull();
  });
});
