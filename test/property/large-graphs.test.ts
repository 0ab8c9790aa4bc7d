/** Graphs that are large on purpose: what is done to them takes time in proportion to their nodes, and no stack. */
import { describe, expect, it } from 'vitest';
import { DscAuditError } from '../../src/ir/errors.ts';
import { auditSpec } from '../support/models.ts';
import type { ModelSpec, NodeSpec, TensorSpec } from '../support/onnx-bytes.ts';

const COUNT = 4000;
const IN_TIME_MS = 15_000;
const INPUTS = { x: [1, 4, 8, 8] };
const POINTWISE: TensorSpec = { dims: [4, 4, 1, 1], floats: new Array<number>(16).fill(1) };
const indices = Array.from({ length: COUNT }, (_, index) => index);

/** `op(x, …)` so many times, each folded into what the ones before came to: `fold(f2, fold(f1, f0))`. */
function folded(single: (index: number) => NodeSpec, fold: Omit<NodeSpec, 'inputs' | 'outputs'>): ModelSpec {
  const nodes = indices.flatMap((index): readonly NodeSpec[] => {
    const [made = ''] = single(index).outputs ?? [];
    const before = index === 1 ? 'made0' : `all${index - 1}`;
    return [single(index), ...(index === 0 ? [] : [{ ...fold, inputs: [made, before], outputs: [`all${index}`] }])];
  });
  const initializers = Object.fromEntries(indices.map((index) => [`w${index}`, POINTWISE]));
  return { inputs: INPUTS, initializers, nodes, outputs: [`all${COUNT - 1}`] };
}

const conv = (index: number): NodeSpec => ({ op: 'Conv', inputs: ['x', `w${index}`], outputs: [`made${index}`] });
const relu = (index: number): NodeSpec => ({ op: 'Relu', inputs: ['x'], outputs: [`made${index}`] });

function refusal(audit: () => unknown): string {
  try {
    audit();
  } catch (error) {
    expect(error).toBeInstanceOf(DscAuditError);
    return error instanceof Error ? error.message : '';
  }
  return 'nothing was refused';
}

it('a chain of a hundred thousand nodes is audited', { timeout: 300_000 }, () => {
  const many = 100_000;
  const nodes = Array.from({ length: many }, (_, index): NodeSpec => {
    return { op: 'Relu', inputs: [index === 0 ? 'x' : `r${index}`], outputs: [`r${index + 1}`] };
  });
  const report = auditSpec({ inputs: INPUTS, nodes, outputs: [`r${many}`] });
  expect(report.layers).toHaveLength(many);
  expect(report.totals).toMatchObject({ flops: many * 4 * 8 * 8, isLowerBound: false });
});

describe('blocks', { timeout: IN_TIME_MS }, () => {
  it('are looked for in concatenations of concatenations', () => {
    const model = folded(relu, { op: 'Concat', attributes: { axis: 1 } });
    expect(auditSpec(model).layers).toHaveLength(2 * COUNT - 1);
  });

  it('are looked for where one value has many readers', () => {
    const nodes = indices.flatMap((index): readonly NodeSpec[] => [
      { op: 'GlobalAveragePool', inputs: ['x'], outputs: [`pool${index}`] },
      { op: 'Mul', inputs: ['x', `pool${index}`], outputs: [`out${index}`] },
    ]);
    const outputs = indices.map((index) => `out${index}`);
    expect(auditSpec({ inputs: INPUTS, nodes, outputs }).layers).toHaveLength(2 * COUNT);
  });
});

describe('another width', { timeout: IN_TIME_MS }, () => {
  it('is had where many convolutions are added up', () => {
    const model = folded(conv, { op: 'Add' });
    expect(auditSpec(model, { width: 2 }).layers).toHaveLength(2 * COUNT - 1);
  });

  it('is refused where every layer has a part in all channels behind it', () => {
    const model = folded(conv, { op: 'Concat', attributes: { axis: 1 } });
    expect(refusal(() => auditSpec(model, { width: 2 }))).toMatch(/too many layers/);
  });

  it('is refused where a weight is turned around without end', () => {
    const turns = indices.map(
      (index): NodeSpec => ({ op: 'Transpose', inputs: [`t${index}`], outputs: [`t${index + 1}`] }),
    );
    const model: ModelSpec = {
      inputs: { x: [1, 4] },
      initializers: { t0: { dims: [4, 4], floats: new Array<number>(16).fill(1) } },
      nodes: [...turns, { op: 'MatMul', inputs: ['x', `t${COUNT}`], outputs: ['y'] }],
      outputs: ['y'],
    };
    expect(refusal(() => auditSpec(model, { width: 2 }))).toMatch(/turned around more than/);
  });
});
