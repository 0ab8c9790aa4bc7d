import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { audit } from '../../../src/audit/audit.ts';
import type { Layer, Report } from '../../../src/audit/report.ts';
import type { Step } from '../../../src/report/explain/explanation.ts';
import { figureSteps } from '../../../src/report/explain/layer-figures.ts';
import { evaluate } from '../../support/arithmetic.ts';
import { auditAtTruth, auditFixture, CORPUS, FIXTURES, hasCorpus, modelsIn, truthOf } from '../../support/models.ts';

/** What the audit has under the names that the steps have. */
const figuresOf = (layer: Layer): Readonly<Record<string, number | null>> => ({
  Params: layer.params.total,
  MACs: layer.macs,
  FLOPs: layer.flops,
  Weights: layer.weightBytes,
  Read: layer.inputBytes,
  Written: layer.outputBytes,
  Intensity: layer.intensity,
});

/** Every figure is the audit's, and what is printed as its arithmetic comes to it. */
function expectFaithful({ layers }: Report): void {
  for (const layer of layers) {
    const steps = figureSteps(layer);
    expect(Object.fromEntries(steps.map(({ name, value }) => [name, value]))).toEqual(figuresOf(layer));
    for (const step of steps) expectProven(step, layer);
  }
}

function expectProven(step: Step, { name }: Layer): void {
  if (step.basis === 'audit') {
    expect(step.substituted).toBeNull();
    expect(step.note, `${name}: ${step.name}`).not.toBeNull();
  } else expect(evaluate(step.substituted ?? ''), `${name}: ${step.name}: ${step.substituted}`).toBe(step.value);
}

/** Of the figures that are known, how many each basis has. */
function tally({ layers }: Report, kinds: readonly Layer['kind'][]): Readonly<Record<Step['basis'], number>> {
  const counts = { formula: 0, 'read-off': 0, audit: 0 };
  for (const layer of layers.filter(({ kind }) => kinds.includes(kind))) {
    for (const { basis, value } of figureSteps(layer)) if (value !== null) counts[basis]++;
  }
  return counts;
}

const onnx = join(FIXTURES, 'onnx');
const edge = join(FIXTURES, 'edge');
const keras = join(FIXTURES, 'keras');

const stepsOf = (report: Report, op: string) => {
  const layer = report.layers.find((candidate) => candidate.op === op);
  return Object.fromEntries((layer ? figureSteps(layer) : []).map((step) => [step.name, step]));
};

describe('every figure of every layer is the one of the audit, and its arithmetic comes to it', () => {
  it.each(modelsIn(edge))('edge/%s', (name) => expectFaithful(auditAtTruth(edge, name, truthOf(edge, name))));

  it.each(modelsIn(onnx).filter((name) => name !== 'digits_cnn'))('%s', (name) =>
    expectFaithful(auditAtTruth(onnx, name, truthOf(onnx, name))),
  );

  it.each(['parts.keras', 'seq_mix.h5'])('%s', async (name) =>
    expectFaithful(await audit(join(keras, name), { profile: 'none' })),
  );

  it.skipIf(!hasCorpus).each(['bert_mini_ts', 'convnext_tiny', 'segformer_b0_dynamo', 'vit_b_16', 'densenet121'])(
    'of %s in the corpus',
    (name) => expectFaithful(auditAtTruth(`${CORPUS}/onnx`, name, truthOf(`${CORPUS}/onnx`, name))),
  );
});

const CONVOLUTIONS = ['standard-conv', 'pointwise-conv', 'depthwise-conv', 'grouped-conv', 'conv-transpose'] as const;

describe('what formulas reproduce', () => {
  it.each(['resnet18', 'mobilenet_v2', 'shufflenet_v2_x1_0_dynbhw', 'vgg16', 'alexnet'])(
    'is everything that convolutions, dense layers, norms and activations of %s cost',
    (name) => {
      const report = auditAtTruth(onnx, name, truthOf(onnx, name));
      const kinds = [...CONVOLUTIONS, 'dense', 'norm', 'activation', 'elementwise'] as const;
      expect(tally(report, kinds)).toMatchObject({ 'read-off': 0, audit: 0 });
    },
  );

  it.each([
    ['conv_3d', 'Conv'],
    ['conv_1d_wav2vec_first', 'Conv'],
    ['conv_batch4', 'Conv'],
    ['conv_dilated_grouped', 'Conv'],
    ['conv_depthwise_mult2', 'Conv'],
    ['convt_s2_pad1_op1', 'ConvTranspose'],
    ['convt_group', 'ConvTranspose'],
    ['gemm_transA_transB_alpha', 'Gemm'],
    ['matmul_variants', 'MatMul'],
    ['gru_forward', 'GRU'],
    ['lstm_bidirectional', 'LSTM'],
    ['rnn_bidirectional', 'RNN'],
  ])('is the MACs and parameters of %s', (name, op) => {
    const steps = stepsOf(auditAtTruth(edge, name, truthOf(edge, name)), op);
    expect([steps.MACs?.basis, steps.Params?.basis, steps.FLOPs?.basis]).toEqual(['formula', 'formula', 'formula']);
  });

  it('is told by its symbols: a transposed convolution is counted over its input', () => {
    const steps = stepsOf(auditAtTruth(edge, 'convt_s2', truthOf(edge, 'convt_s2')), 'ConvTranspose');
    expect(steps.MACs?.symbols).toBe('Hin × Win × M × N × k²');
  });
});

describe('what formulas do not reproduce', () => {
  it('is told: the window of a pool is read off', () => {
    const { FLOPs } = stepsOf(auditFixture('onnx/resnet18.onnx'), 'MaxPool');
    expect(FLOPs).toMatchObject({ basis: 'read-off', symbols: 'output elements × ∏k', substituted: '200,704 × 9' });
    expect(FLOPs?.note).toMatch(/read off the figure/);
  });

  it('is not made up: an unknown operator has no figures', () => {
    const report = auditFixture('edge/custom_op_unknown.onnx');
    const unknown = report.layers.find(({ macs }) => macs === null);
    const steps = unknown ? figureSteps(unknown) : [];
    expect(steps.find(({ name }) => name === 'MACs')).toMatchObject({ value: null, substituted: null, basis: 'audit' });
  });

  it('is told of shared weights: they count on the first layer that has them', () => {
    const { layers } = auditFixture('edge/shared_weight_two_convs.onnx');
    const second = layers.filter(({ op }) => op === 'Conv')[1];
    const notes = second ? figureSteps(second).flatMap(({ note }) => note ?? []) : [];
    expect(notes.join(' ')).toMatch(/shared|shares|another layer/);
  });
});
