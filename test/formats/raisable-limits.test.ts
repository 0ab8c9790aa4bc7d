import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { audit } from '../../src/audit/audit.ts';
import { LIMIT_NAMES, parseRaised, RAISABLE_LIMITS, settleLimits, spelt } from '../../src/formats/raisable-limits.ts';
import { runBinary } from '../support/binary.ts';
import { folderWith } from '../support/folder.ts';
import { conv2d, functional, jsonBytes } from '../support/keras.ts';
import { FIXTURES } from '../support/models.ts';
import { type GraphSpec, type NodeSpec, onnxBytes } from '../support/onnx-bytes.ts';

const DIGITS = join(FIXTURES, 'onnx/digits_cnn.onnx');

describe('limits that may be moved', () => {
  it.each(LIMIT_NAMES)('%s is spelt as it is read, and holds itself within its bounds', (name) => {
    const { value, least, most, unit } = RAISABLE_LIMITS[name];
    for (const bound of [value, least, most]) {
      if (bound > 0) expect(parseRaised(name, spelt(bound, unit))).toBe(bound);
      expect(settleLimits({ [name]: bound })[name]).toBe(bound);
    }
    for (const beyond of [least - 1, 2 * most, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => settleLimits({ [name]: beyond })).toThrow(/may be set from/);
    }
  });

  it.each(LIMIT_NAMES)('%s stands in docs/hostile-input.md as it is', (name) => {
    const { what, value, least, most, unit } = RAISABLE_LIMITS[name];
    const cells = [name, what, ...[value, least, most].map((bound) => spelt(bound, unit))];
    const page = readFileSync(join(import.meta.dirname, '../../docs/hostile-input.md'), 'utf8');
    expect(page).toContain(`| \`${cells[0]}\` | ${cells.slice(1).join(' | ')} |`);
  });

  it('are told by name when they are met, with what to type', async () => {
    const limits = { messages: 1000, 'json-size': 1000, 'hdf5-objects': 100 };
    await expect(audit(DIGITS, { limits, profile: 'none' })).resolves.toBeDefined();
    await expect(audit(join(FIXTURES, 'onnx/resnet18.onnx'), { limits: { messages: 1000 } })).resolves.toBeDefined();
    const many = onnxBytes({
      inputs: { x: [1] },
      nodes: Array.from({ length: 1001 }, (_, index) => ({ op: 'Relu', inputs: ['x'], outputs: [`y${index}`] })),
      outputs: ['y0'],
    });
    await expect(audit(many, { limits })).rejects.toThrow(/more than 1000 messages\. .* try --limit messages=4k\./);
    await expect(audit(many, { limits: { messages: 4000 } })).resolves.toBeDefined();
    const layer = functional(
      { inputs: { x: [null, 8, 8, 8] }, layers: [conv2d('conv', [['x']])], outputs: ['conv'] },
      2,
    );
    await expect(audit(Buffer.concat([jsonBytes(layer), Buffer.alloc(1000, ' ')]), { limits })).rejects.toThrow(
      /at most 1kB are read\. .* --limit json-size=4kB/,
    );
  });

  it('stop the computing of constants that would not end soon, and say so', async () => {
    const report = await audit(onnxBytes(nestedLoops()), { limits: { folding: 100_000 }, profile: 'none' });
    const told = report.diagnostics.find(({ code }) => code === 'folding-stopped');
    expect(told?.message).toMatch(/More than 100000 elements of constants .* try --limit folding=400k/);
    expect(report.totals.isLowerBound).toBe(true);
  });

  it('are moved from the command line, and by the configuration', async () => {
    const many = onnxBytes({
      inputs: { x: [1] },
      nodes: Array.from({ length: 1001 }, (_, index) => ({ op: 'Relu', inputs: ['x'], outputs: [`y${index}`] })),
      outputs: ['y0'],
    });
    const configuration = { models: [{ path: 'm.onnx' }], limits: { messages: '1k' } };
    const cwd = folderWith({ 'm.onnx': many, 'dsc-audit.config.json': configuration });
    const held = await runBinary([], { cwd });
    expect(held.err).toMatch(/more than 1000 messages/);
    expect(held.code).toBe(2);
    expect((await runBinary(['--limit', 'messages=8k'], { cwd })).code).toBe(0);
    expect((await runBinary(['explain', 'm.onnx', '--limit', 'messages=1k'], { cwd })).code).toBe(2);
  });

  it.each([
    ['messages', /write it as NAME=VALUE/i],
    ['massages=8M', /There is no limit 'massages': the limits are messages, /],
    ['__proto__=1', /There is no limit '__proto__'/],
    ['messages=1', /may be set from 1k to 40M, not to 1/],
    ['hdf5-time=60', /is no time; write it as/],
  ])('%s is no limit', async (text, says) => {
    const done = await runBinary([DIGITS, '--limit', text]);
    expect(done.err).toMatch(says);
    expect(done.code).toBe(2);
  });
});

/** Ten loops within each other, whose bodies are looked at over and over, each with arithmetic on as many elements as are kept. */
function nestedLoops(): GraphSpec {
  const body = (depth: number): GraphSpec => {
    const sums: NodeSpec[] = [0, 1, 2, 3].map((index) => ({
      op: 'Add',
      inputs: [index === 0 ? 'c' : `t${depth}_${index - 1}`, 'c'],
      outputs: [`t${depth}_${index}`],
    }));
    const inner: NodeSpec[] =
      depth === 0
        ? []
        : [
            {
              op: 'Loop',
              inputs: ['n', 'go', `t${depth}_3`],
              outputs: [`y${depth}`],
              attributes: { body: { graph: body(depth - 1) } },
            },
          ];
    const last: NodeSpec[] = [
      { op: 'Identity', inputs: ['go'], outputs: [`again${depth}`] },
      { op: 'Concat', inputs: [`s${depth}`, 'c'], outputs: [`o${depth}`], attributes: { axis: 0 } },
    ];
    return {
      inputs: { [`i${depth}`]: [], [`k${depth}`]: [], [`s${depth}`]: null },
      nodes: [...sums, ...inner, ...last],
      outputs: [`again${depth}`, `o${depth}`],
    };
  };
  return {
    inputs: { x: [4096] },
    initializers: {
      c: { dims: [4096], floats: new Array<number>(4096).fill(1) },
      n: { dims: [], dtype: 7, ints: [3] },
      go: { dims: [], dtype: 9, ints: [1] },
    },
    nodes: [
      { op: 'Loop', inputs: ['n', 'go', 'c'], outputs: ['y'], attributes: { body: { graph: body(9) } } },
      { op: 'Add', inputs: ['x', 'y'], outputs: ['z'] },
    ],
    outputs: ['z'],
  };
}
