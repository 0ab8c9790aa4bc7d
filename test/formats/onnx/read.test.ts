import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelBytes, modelFile } from '../../../src/formats/model-source.ts';
import { auditFixture, auditOnnx, auditSpec } from '../../support/models.ts';
import { type ModelSpec, onnxBytes } from '../../support/onnx-bytes.ts';

const convolution: ModelSpec = {
  inputs: { x: [1, 3, 8, 8] },
  initializers: { w: { dims: [4, 3, 3, 3] } },
  nodes: [{ op: 'Conv', inputs: ['x', 'w'], outputs: ['y'], name: 'conv' }],
  outputs: ['y'],
};

const MACS = 4 * 6 * 6 * 27;

describe('weights', () => {
  it('count the same as initializers, repeated as inputs, and as Constant nodes', () => {
    const asInitializer = auditFixture('edge/ir3_initializers_as_inputs.onnx');
    expect(asInitializer.totals.params.total).toBe(108 + 4);
    expect(auditFixture('edge/weights_as_constants.onnx').totals.params.total).toBe(304);
  });

  it('count once where two layers share them', () => {
    const { layers, totals } = auditFixture('edge/shared_weight_two_convs.onnx');
    expect(totals.params.total).toBe(576);
    expect(layers.map(({ params }) => params.total)).toEqual([576, 0]);
  });

  it('of quantised models count as their integers, not their scales', () => {
    const { totals } = auditFixture('edge/qdq_conv_depthwise.onnx');
    expect(totals.params.total).toBe(8 * 27 + 8 * 9);
    expect(totals.weightBytes).toBe(8 * 27 + 8 * 9);
    expect(auditFixture('edge/convinteger_matmulinteger.onnx').totals.params.total).toBe(592);
  });

  it('are followed through what is folded: transposed, cast, dequantised', () => {
    const { totals } = auditSpec({
      inputs: { x: [2, 4] },
      initializers: { w: { dims: [8, 4] }, scale: { dims: [] } },
      nodes: [
        { op: 'Transpose', inputs: ['w'], outputs: ['t'] },
        { op: 'Mul', inputs: ['t', 'scale'], outputs: ['s'] },
        { op: 'MatMul', inputs: ['x', 's'], outputs: ['y'] },
      ],
      outputs: ['y'],
    });
    expect(totals).toMatchObject({ params: { total: 32 }, macs: 2 * 4 * 8 });
  });

  it('are no literals: a scalar in arithmetic was not learned, a learned position was', () => {
    const { totals } = auditSpec({
      inputs: { x: [1, 4, 8] },
      initializers: { half: { dims: [] }, position: { dims: [4, 8] } },
      nodes: [
        { op: 'Mul', inputs: ['x', 'half'], outputs: ['a'] },
        { op: 'Add', inputs: ['a', 'position'], outputs: ['y'] },
      ],
      outputs: ['y'],
    });
    expect(totals.params.total).toBe(32);
  });
});

describe('what no output needs', () => {
  it('is reported, and not counted', () => {
    const { totals, diagnostics } = auditFixture('edge/dead_branch_unused_init.onnx');
    expect(totals.macs).toBe(27_648);
    const codes = diagnostics.map(({ code }) => code);
    expect(codes).toContain('dead-nodes');
    expect(codes).toContain('unused-initializers');
  });
});

describe('an unknown operator', () => {
  const report = auditFixture('edge/custom_op_unknown.onnx');

  it('is never counted as 0: its figures are null and the totals lower bounds', () => {
    const unknown = report.layers.find(({ op }) => op === 'com.example::MyMystery');
    expect(unknown).toMatchObject({ macs: null, flops: null, kind: 'other' });
    expect(report.totals.isLowerBound).toBe(true);
    expect(report.coverage.counted).toBeLessThan(report.coverage.nodes);
    expect(report.coverage.uncounted[0]?.op).toBe('com.example::MyMystery');
  });
});

describe('control flow', () => {
  it('counts the costlier branch of an If, and names it', () => {
    const report = auditFixture('edge/if_conv.onnx');
    expect(report.totals.macs).toBe(55_296);
    expect(report.totals.params.total).toBe(240);
    const conv = report.layers.find(({ macs }) => macs === 55_296);
    expect(conv?.scope).toEqual(['if0', 'then_branch']);
    const told = report.diagnostics.find(({ code }) => code === 'branch-counted');
    expect(told?.args).toEqual({ branch: 'then_branch', macs: 55_296, otherMacs: 6144 });
  });

  const body = {
    inputs: { i: [], goesOn: [], carried: [2, 4] },
    nodes: [
      { op: 'Identity', inputs: ['goesOn'], outputs: ['still'] },
      { op: 'MatMul', inputs: ['carried', 'w'], outputs: ['next'] },
    ],
    outputs: ['still', 'next'],
  };

  it('counts the body of a Loop as often as it runs', () => {
    const report = auditSpec({
      inputs: { x: [2, 4] },
      initializers: { trips: { dims: [], ints: [5] }, w: { dims: [4, 4] } },
      nodes: [{ op: 'Loop', inputs: ['trips', '', 'x'], outputs: ['y'], attributes: { body: { graph: body } } }],
      outputs: ['y'],
    });
    expect(report.totals.macs).toBe(5 * 2 * 4 * 4);
    expect(report.totals.params.total).toBe(16);
    expect(report.model.outputs[0]?.shape).toEqual([2, 4]);
    expect(report.layers.find(({ op }) => op === 'MatMul')).toMatchObject({ repeats: 5, macs: 160 });
  });

  it('counts it once, and says so, where the trip count is not known', () => {
    const report = auditSpec({
      inputs: { x: [2, 4], trips: [] },
      initializers: { w: { dims: [4, 4] } },
      nodes: [{ op: 'Loop', inputs: ['trips', '', 'x'], outputs: ['y'], attributes: { body: { graph: body } } }],
      outputs: ['y'],
    });
    expect(report.totals.macs).toBe(2 * 4 * 4);
    expect(report.diagnostics.map(({ code }) => code)).toContain('trip-count-unknown');
  });
});

describe('local functions', () => {
  it('count as if they were written out, under the path of their calls', () => {
    const report = auditFixture('edge/local_functions_nested.onnx');
    expect(report.totals.macs).toBe(811_008);
    expect(report.layers.every(({ scope }) => scope.length > 0)).toBe(true);
  });

  it('take attributes of the call, and their own defaults', () => {
    const bytes = onnxBytes({
      opsets: { '': 17, my: 1 },
      inputs: { x: [1, 3, 8, 8] },
      initializers: { w: { dims: [4, 3, 3, 3] } },
      functions: [
        {
          domain: 'my',
          name: 'Strided',
          formal: ['stride'],
          inputs: { a: null, b: null },
          nodes: [{ op: 'Gather', inputs: ['a', 'b'], outputs: ['c'], attributes: { axis: { ref: 'stride' } } }],
          outputs: ['c'],
        },
      ],
      nodes: [{ op: 'Strided', domain: 'my', inputs: ['x', 'w'], outputs: ['y'], attributes: { stride: 1 } }],
      outputs: ['y'],
    });
    const { model } = auditOnnx(modelBytes('test', [bytes]));
    expect(model.outputs[0]?.shape).toEqual([1, 4, 3, 3, 3, 8, 8]);
  });

  it('that call themselves are refused', () => {
    const recursive = {
      domain: 'my',
      name: 'Again',
      formal: [],
      inputs: { a: null },
      nodes: [{ op: 'Again', domain: 'my', inputs: ['a'], outputs: ['b'] }],
      outputs: ['b'],
    };
    const model: ModelSpec = {
      opsets: { '': 17, my: 1 },
      inputs: { x: [1] },
      functions: [recursive],
      nodes: [{ op: 'Again', domain: 'my', inputs: ['x'], outputs: ['y'] }],
      outputs: ['y'],
    };
    expect(() => auditSpec(model)).toThrow(/may call itself/);
  });
});

describe('the reader', () => {
  it('sees what a full decode sees, with every payload left in the file', () => {
    const bytes = onnxBytes(convolution);
    const full = onnxProto.onnx.ModelProto.decode(bytes);
    const report = auditOnnx(modelBytes('test', [bytes]));
    expect(report.model.inputs[0]?.name).toBe(full.graph?.input?.[0]?.name);
    expect(report.totals.macs).toBe(MACS);
    expect(full.graph?.initializer?.[0]?.floatData).toHaveLength(108);
  });

  it('reads a pipe in whatever chunks it delivers', () => {
    const bytes = onnxBytes(convolution);
    const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, index) =>
      bytes.subarray(7 * index, 7 * index + 7),
    );
    expect(auditOnnx(modelBytes('-', chunks)).totals.macs).toBe(MACS);
  });
});

describe('external data', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dsc-audit-'));
    mkdirSync(join(folder, 'model'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const withWeightAt = (location: string, more: Readonly<Record<string, string>> = {}): string => {
    const path = join(folder, 'model', 'm.onnx');
    const w = { dims: [4, 3, 3, 3], external: { location, ...more } };
    writeFileSync(path, onnxBytes({ ...convolution, initializers: { w } }));
    return path;
  };

  it('is part of the file size, and read only when it is asked for', () => {
    writeFileSync(join(folder, 'model', 'w.bin'), new Uint8Array(432));
    const report = auditOnnx(modelFile(withWeightAt('w.bin')));
    expect(report.totals.macs).toBe(MACS);
    expect(report.model.fileBytes).toBeGreaterThan(432);
  });

  it('that is missing leaves the figures exact, and the file size unknown', () => {
    const report = auditOnnx(modelFile(withWeightAt('w.bin')));
    expect(report.totals).toMatchObject({ macs: MACS, params: { total: 108 }, isLowerBound: false });
    expect(report.model.fileBytes).toBeNull();
    expect(report.diagnostics[0]).toMatchObject({ code: 'external-data-missing', args: { file: 'w.bin', tensors: 1 } });
  });

  it.each(['../secret.bin', '/etc/passwd', 'a/../../secret.bin', '..\\secret.bin', 'C:\\secret.bin'])(
    'outside the folder is refused: %s',
    (location) => {
      writeFileSync(join(folder, 'secret.bin'), new Uint8Array(432));
      expect(() => auditOnnx(modelFile(withWeightAt(location)))).toThrow(/outside the model's folder: refused/);
    },
  );

  it('behind a symbolic link out of the folder is refused', () => {
    writeFileSync(join(folder, 'secret.bin'), new Uint8Array(432));
    symlinkSync(join(folder, 'secret.bin'), join(folder, 'model', 'w.bin'));
    expect(() => auditOnnx(modelFile(withWeightAt('w.bin')))).toThrow(/refused/);
  });

  it('that is shorter than the tensor is an error', () => {
    writeFileSync(join(folder, 'model', 'w.bin'), new Uint8Array(100));
    expect(() => auditOnnx(modelFile(withWeightAt('w.bin')))).toThrow(/that file has 100/);
    expect(() => auditOnnx(modelFile(withWeightAt('w.bin', { length: '-5' })))).toThrow(/no byte count/);
  });
});

describe('a broken model gets one clear sentence', () => {
  const refused = (spec: ModelSpec) => expect(() => auditSpec(spec));

  it('for a tensor that nothing computes', () => {
    refused({ ...convolution, initializers: {} }).toThrow(/node 'conv' reads the tensor 'w', which nothing computes/);
  });

  it('for a cycle', () => {
    refused({
      inputs: { x: [1] },
      nodes: [
        { op: 'Add', inputs: ['x', 'b'], outputs: ['a'], name: 'first' },
        { op: 'Relu', inputs: ['a'], outputs: ['b'], name: 'second' },
      ],
      outputs: ['b'],
    }).toThrow(/the graph has a cycle/);
  });

  it('for dimensions that cannot be', () => {
    refused({ ...convolution, inputs: { x: [1, -3, 8, 8] } }).toThrow(/declares a dimension of -3/);
    refused({
      inputs: { x: [2 ** 40, 2 ** 40] },
      nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }],
      outputs: ['y'],
    }).toThrow(/exceeds 2\^53/);
  });

  it('for a payload that does not fit its shape', () => {
    const w = { dims: [4, 3, 3, 3], raw: new Uint8Array(10) };
    refused({ ...convolution, initializers: { w } }).toThrow(/tensor 'w' holds 10 bytes where its shape needs 432/);
  });

  it('for a message nested 100,000 deep', () => {
    // graph → node → attribute → graph → …, each with the length of all that it holds.
    const tags = [0x3a, 0x0a, 0x2a, 0x32];
    const heads: number[][] = [];
    let length = 0;
    for (let level = 99_999; level >= 0; level--) {
      const tag = level === 0 ? 0x3a : (tags[1 + ((level - 1) % 3)] ?? 0);
      const head = [tag, ...varint(length)];
      heads.push(head);
      length += head.length;
    }
    const bytes = Uint8Array.from(heads.reverse().flat());
    expect(() => auditOnnx(modelBytes('deep', [bytes]))).toThrow(/nested more than 120 messages deep/);
  });
});

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest < 128 ? rest : (rest % 128) | 0x80);
    if (rest < 128) return bytes;
  }
}
