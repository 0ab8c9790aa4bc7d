import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/audit/report.ts';
import { projectedModel } from '../../src/dsc/projected-model.ts';
import { separableReplacements } from '../../src/dsc/separable-replacements.ts';
import { depthwiseSeparable } from '../../src/dsc/strategies/depthwise-separable.ts';
import { modelBytes, modelFile } from '../../src/formats/model-source.ts';
import { tensorFact } from '../../src/ir/fact.ts';
import type { ChosenProfile } from '../../src/latency/choose-profile.ts';
import { projectModel } from '../../src/latency/project.ts';
import { referenceProfile } from '../../src/latency/reference.ts';
import { SweepNetwork } from '../../src/latency/sweep-network.ts';
import { inferFacts } from '../../src/passes/infer-facts.ts';
import { analysedModel } from '../../src/runtime/network/analysed-model.ts';
import { auditOnnx, FIXTURES, modelsIn, truthOf } from '../support/models.ts';
import { onnxBytes } from '../support/onnx-bytes.ts';

const profile = await referenceProfile();
const chosen: ChosenProfile = { profile, source: 'reference', diagnostics: [] };
const audited = (path: string, shapes: Readonly<Record<string, readonly number[]>> = {}): Report =>
  auditOnnx(modelFile(join(FIXTURES, path)), { shapes }, chosen);

const ONES = new Array<number>(36).fill(1);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe('the projection of a network', () => {
  const report = audited('onnx/resnet18.onnx');

  it('is the sum of its layers, each within its interval', () => {
    const layers = report.layers.map(({ latencyMs }) => latencyMs);
    expect(layers.every((latency) => latency !== null)).toBe(true);
    expect(sum(layers.map((latency) => latency?.value ?? 0))).toBeCloseTo(report.totals.latencyMs?.value ?? 0, 6);
    for (const latency of layers) {
      expect(latency?.low).toBeLessThanOrEqual(latency?.value ?? 0);
      expect(latency?.high).toBeGreaterThanOrEqual(latency?.value ?? 0);
    }
  });

  it('gives activations that a convolution takes in no time of their own', () => {
    const relus = report.layers.filter(({ op }) => op === 'Relu');
    expect(relus.length).toBeGreaterThan(0);
    expect(sum(relus.map(({ latencyMs }) => latencyMs?.value ?? 1))).toBe(0);
  });

  it('tells each candidate before and after, and the model with all that are recommended', () => {
    for (const { before, after, recommended } of report.dsc.candidates) {
      expect(before.latencyMs).not.toBeNull();
      expect(after.latencyMs).not.toBeNull();
      expect(recommended).toBe((after.latencyMs?.value ?? 0) < (before.latencyMs?.value ?? 0));
    }
    const { before, after } = report.dsc.projection;
    expect(after.latencyMs?.value).toBeLessThan(before.latencyMs?.value ?? 0);
  });

  it('names its profile', () => {
    expect(report.profile).toMatchObject({ id: profile.id, backend: 'builtin', source: 'reference', threads: 1 });
  });
});

describe('a model that the runtime cannot run', () => {
  it('has no latency where its inputs are too many to lay out', () => {
    const names = Array.from({ length: 6000 }, (_, index) => `x${index}`);
    const inputs = Object.fromEntries(names.map((name) => [name, [1, 8]]));
    const report = auditOnnx(modelBytes('inputs.onnx', [onnxBytes({ inputs, outputs: names })]), {}, chosen);
    expect(report.totals.latencyMs).toBeNull();
  });

  it('has no latency where its layers ask for more memory than there are addresses', () => {
    const chosenFor = { inputs: { x: [1, 4, 8, 8] }, initializers: { w: { dims: [1, 4, 3, 3], floats: ONES } } };
    const dilated = { dilations: [1e9, 1e9], pads: [1e9, 1e9, 1e9, 1e9] };
    const nodes = [{ op: 'Conv', inputs: ['x', 'w'], outputs: ['y'], attributes: dilated }];
    const bytes = onnxBytes({ ...chosenFor, nodes, outputs: ['y'] });
    const report = auditOnnx(modelBytes('wide.onnx', [bytes]), {}, chosen);
    expect(report.totals.latencyMs).toBeNull();
  });

  it('has no latency where the runtime has no kernel, says so, and is a lower bound', () => {
    const report = audited('edge/custom_op_unknown.onnx');
    const unknown = report.layers.filter(({ latencyMs }) => latencyMs === null);
    expect(unknown.length).toBeGreaterThan(0);
    expect(report.totals.isLatencyLowerBound).toBe(true);
    expect(report.diagnostics.some(({ code }) => code === 'latency-unknown')).toBe(true);
  });

  it.each(modelsIn(join(FIXTURES, 'edge')))('%s is audited with a profile all the same', (name) => {
    const { inputs } = truthOf(join(FIXTURES, 'edge'), name);
    expect(() => audited(`edge/${name}.onnx`, inputs ?? {})).not.toThrow();
  });
});

describe('a replaced convolution', () => {
  const network = new SweepNetwork();
  const x = network.conv(network.input(32, 28, 28), { outChannels: 64, kernel: [3, 3], stride: 2 });
  network.output(network.unary(x, 'relu'));
  const source = network.analyse();
  const inputs = new Map(source.model.graph.inputs.map((id) => [id, source.facts[id] ?? tensorFact(null, null)]));
  const facts = inferFacts(source.model, inputs, new Map());
  const replaced = () => {
    const [node] = source.nodes;
    const shape = { weightType: 'float32', inChannels: 32, outChannels: 64, kernel: [3, 3], groups: 1 } as const;
    const layer = { calls: node ? [node] : [], ...shape };
    const form = { rank: 1, between: 'none' } as const;
    return projectedModel(source.model, facts, separableReplacements(layer, depthwiseSeparable, form));
  };

  it('is planned as a depthwise and a pointwise layer of the same output', () => {
    const projected = replaced();
    const model = analysedModel(projected.model, projected.facts);
    expect([...projected.nodes.values()]).toEqual([model.nodes.slice(0, 2)]);
    const kernels = projectModel(model, profile).layers.map(({ kernel }) => kernel);
    expect(kernels.join(' ')).toMatch(/^depthwise.*pointwise$/);
    expect(model.nodes.at(-1)).toEqual(source.nodes.at(-1));
  });

  it('leaves the original as it was', () => {
    const before = JSON.stringify(source.nodes.map(({ kind }) => kind));
    replaced();
    expect(JSON.stringify(source.nodes.map(({ kind }) => kind))).toBe(before);
  });
});

describe('a model with a convolution inside a branch', () => {
  it('has no latency with that replaced: it is not laid out', () => {
    const report = auditOnnx(modelFile(join(FIXTURES, 'edge/if_conv.onnx')), { include: ['**'] }, chosen);
    expect(report.dsc.candidates.length).toBeGreaterThan(0);
    expect(report.totals.latencyMs).not.toBeNull();
    expect(report.dsc.projection.after).toMatchObject({ latencyMs: null, peakActivationBytes: null });
  });
});

describe('every strategy', () => {
  it.each([
    ['pointwise-depthwise', 'digits_cnn', {}],
    ['bottleneck', 'digits_cnn', {}],
    ['inverted-residual', 'resnet18', { resolution: 32, expansion: 2 }],
  ] as const)('has milliseconds: %s', (strategy, name, options) => {
    const path = join(FIXTURES, `onnx/${name}.onnx`);
    const { candidates, projection } = auditOnnx(modelFile(path), { strategy, ...options }, chosen).dsc;
    expect(candidates.length).toBeGreaterThan(0);
    for (const { before, after, recommended } of candidates) {
      expect(after.latencyMs?.value).toBeGreaterThan(0);
      expect(recommended).toBe((after.latencyMs?.value ?? 0) < (before.latencyMs?.value ?? 0));
    }
    expect(projection.after.latencyMs?.value).toBeLessThan(projection.before.latencyMs?.value ?? 0);
  });
});

describe('a layer that a DSC makes slower', () => {
  // Few output channels on a large image: the depthwise half alone costs more than the convolution.
  it('is shown as slower, and not counted on', async () => {
    const costly = {
      ...profile,
      fits: profile.fits.map((fit) => ({
        ...fit,
        model: {
          ...fit.model,
          groups: Object.fromEntries(
            Object.entries(fit.model.groups).map(([name, group]) => [
              name,
              name.startsWith('depthwise')
                ? {
                    ...group,
                    coefficients: Object.fromEntries(
                      Object.entries(group.coefficients).map(([term, cost]) => [term, 1000 * cost]),
                    ),
                  }
                : group,
            ]),
          ),
        },
      })),
    };
    const report = auditOnnx(modelFile(join(FIXTURES, 'onnx/resnet18.onnx')), {}, { ...chosen, profile: costly });
    expect(report.dsc.candidates.length).toBeGreaterThan(0);
    expect(report.dsc.candidates.every(({ recommended }) => !recommended)).toBe(true);
    expect(report.dsc.projection.after.latencyMs?.value).toBeCloseTo(report.totals.latencyMs?.value ?? 0, 6);
    expect(report.dsc.projection.after.macs).toBe(report.totals.macs);
  });
});

describe('a model of very many nodes', () => {
  it('is audited without milliseconds, and the report says why', () => {
    const network = new SweepNetwork();
    let x = network.input(8, 2, 2);
    for (let node = 0; node < 6000; node++) x = network.binary('add', x, x);
    network.output(x);
    expect(() => projectModel(network.analyse(), profile)).toThrow(
      /6002 nodes, inputs and outputs are more than are planned/,
    );
  });
});
