import { describe, expect, it } from 'vitest';
import { modelFile } from '../../src/formats/model-source.ts';
import { auditFixture, auditOnnx, CORPUS, hasCorpus } from '../support/models.ts';

/** Table 3 of MobileNetV1 (1704.04861): one layer at 14×14, multiply-adds and parameters. */
describe('MobileNetV1, Table 3', () => {
  it.each([
    ['table3_conv', 462_422_016, 2_359_296, '462', '2.36'],
    ['table3_dsc', 52_283_392, 266_752, '52.3', '0.27'],
    ['table3_dsc_a075', 29_578_752, 150_912, '29.6', '0.15'],
    ['table3_dsc_a075_r0714', 15_091_200, 150_912, '15.1', '0.15'],
  ])('%s', (name, macs, params, paperMacs, paperParams) => {
    const { totals } = auditFixture(`onnx/${name}.onnx`);
    expect(totals.macs).toBe(macs);
    expect(totals.params.total).toBe(params);
    expect((totals.macs / 1e6).toPrecision(3).replace(/\.?0+$/, '')).toBe(paperMacs);
    expect((totals.params.total / 1e6).toFixed(2)).toBe(paperParams);
  });

  it('is what the convolution is projected to become', () => {
    const { dsc } = auditFixture('onnx/table3_conv.onnx');
    expect(dsc.projection.after.macs).toBe(52_283_392);
    expect(dsc.projection.after.params).toBe(266_752);
  });
});

describe('published figures', () => {
  it.each([
    ['resnet18', 1_814_073_344, 11_684_712],
    ['resnet50', 4_089_184_256, 25_530_472],
    ['mobilenet_v2', 300_774_272, 3_487_816],
    ['alexnet', 714_188_480, 61_100_840],
    ['mobilenet_v1_1.0_224', 568_740_352, 4_221_032],
    ['vgg16', 15_470_264_320, 138_357_544],
  ])('%s', (name, macs, params) => {
    const { totals } = auditFixture(`onnx/${name}.onnx`);
    expect(totals.macs).toBe(macs);
    expect(totals.params).toEqual({ total: params, trainable: params });
  });

  it('split the running statistics of BatchNorm off as not trainable', () => {
    const { totals } = auditFixture('onnx/mobilenet_v1_1.0_224_bn.onnx');
    expect(totals.params).toEqual({ total: 4_253_864, trainable: 4_231_976 });
  });

  it('of VGG16: 13 convolutions become 1.79 G as DSCs, 1.86 G with the first kept', () => {
    const classifier = 15_470_264_320 - 15_346_630_656;
    const kept = auditFixture('onnx/vgg16.onnx').dsc.projection;
    expect((kept.after.macs ?? 0) - classifier).toBe(1_862_633_472);
    const all = auditFixture('onnx/vgg16.onnx', { include: ['features.0'] }).dsc.projection;
    expect((all.after.macs ?? 0) - classifier).toBe(1_786_917_888);
  });

  it('of MobileNetV1 with full convolutions: projected, it is MobileNetV1', () => {
    const full = auditFixture('onnx/conv_mobilenet_1.0_224.onnx');
    const separable = auditFixture('onnx/mobilenet_v1_1.0_224.onnx');
    expect(full.totals.macs).toBe(4_866_269_184 + 1_024_000);
    expect(full.dsc.projection.after.macs).toBe(separable.totals.macs);
    expect(full.dsc.projection.after.macs).toBe(568_740_352);
  });

  it.skipIf(!hasCorpus).each([
    ['conv_mobilenet_1.0_224', 'mobilenet_v1_1.0_224'],
    ['conv_mobilenet_1.0_224_bn', 'mobilenet_v1_1.0_224_bn'],
    ['conv_mobilenet_0.25_128', 'mobilenet_v1_0.25_128'],
  ])('with what the paper puts between the halves, %s is %s to the last parameter', (full, separable) => {
    const audited = (name: string) => auditOnnx(modelFile(`${CORPUS}/onnx/${name}.onnx`), { between: 'bn-relu' });
    const { after } = audited(full).dsc.projection;
    const { totals } = audited(separable);
    expect([after.params, after.macs, after.flops]).toEqual([totals.params.total, totals.macs, totals.flops]);
  });
});

describe('a layer of ResNet-18', () => {
  const report = auditFixture('onnx/resnet18.onnx');

  it('has the figures of the contract', () => {
    expect(report.layers[0]).toMatchObject({
      name: '/conv1/Conv',
      kind: 'standard-conv',
      scope: ['conv1'],
      inputNames: ['input'],
      inputShapes: [[1, 3, 224, 224]],
      outputShapes: [[1, 64, 112, 112]],
      conv: { inChannels: 3, outChannels: 64, kernel: [7, 7], strides: [2, 2], dilations: [1, 1], pads: [3, 3, 3, 3] },
      params: { total: 9472, trainable: 9472 },
      macs: 118_013_952,
      flops: 236_830_720,
      weightBytes: 37_888,
      inputBytes: 602_112,
      outputBytes: 3_211_264,
    });
    expect(report.layers[0]?.intensity).toBeCloseTo(61.5, 1);
    expect(report.totals).toMatchObject({ weightBytes: 46_738_848, peakActivationBytes: 6_422_528 });
    expect(Math.round(report.totals.flops / 1e6)).toBe(3636);
  });

  it('as a candidate has them before and after', () => {
    const candidate = report.dsc.candidates.find(({ layer }) => layer === '/layer1/layer1.0/conv1/Conv');
    expect(candidate?.before).toMatchObject({
      params: 36_928,
      macs: 115_605_504,
      flops: 231_411_712,
      weightBytes: 147_712,
    });
    expect(candidate?.after).toMatchObject({ params: 4736, macs: 14_651_392, flops: 29_503_488, weightBytes: 18_944 });
  });

  it('adds up to the totals', () => {
    const sum = (of: (layer: (typeof report.layers)[number]) => number | null) =>
      report.layers.reduce((total, layer) => total + (of(layer) ?? 0), 0);
    expect(sum(({ macs }) => macs)).toBe(report.totals.macs);
    expect(sum(({ flops }) => flops)).toBe(report.totals.flops);
    expect(sum(({ params }) => params.total)).toBe(report.totals.params.total);
    expect(sum(({ weightBytes }) => weightBytes)).toBe(report.totals.weightBytes);
  });
});
