import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT, main } from '../../src/cli/main.ts';
import { encodeFloats } from '../../src/ir/elements.ts';
import { randomFloats } from '../runtime/random.ts';
import { FIXTURES } from '../support/models.ts';
import { onnxBytes } from '../support/onnx-bytes.ts';
import { withFolder } from '../support/rewriting.ts';
import { fakeTerminal } from '../support/terminal.ts';

const digits = join(FIXTURES, 'onnx/digits_cnn.onnx');

const withUnknownOperator = (): Uint8Array =>
  onnxBytes({
    inputs: { x: [1, 8, 9, 9] },
    initializers: { w: { dims: [8, 8, 3, 3], raw: encodeFloats('float32', randomFloats(1, 8 * 8 * 9)) } },
    opsets: { '': 17, custom: 1 },
    nodes: [
      { op: 'Conv', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'Odd', domain: 'custom', inputs: ['h'], outputs: ['y'] },
    ],
    outputs: ['y'],
  });

async function run(...args: readonly string[]) {
  const terminal = fakeTerminal(['rewrite', ...args]);
  const code = await main(terminal);
  return { code, out: terminal.out(), err: terminal.err() };
}

describe('dsc-audit rewrite', () => {
  it('writes the model and tells what it did', async () => {
    await withFolder(async (folder) => {
      const output = join(folder, 'light.onnx');
      const { code, out, err } = await run(digits, '-o', output, '--target', 'macs=-50%');
      expect(err).toBe('');
      expect(code).toBe(EXIT.done);
      expect(out).toMatch(/\d convolutions as depthwise-separable, for macs=-50%/);
      expect(readdirSync(folder)).toEqual(['light.onnx']);
    });
  });

  it('writes nothing in a dry run', async () => {
    await withFolder(async (folder) => {
      const { code, out } = await run(digits, '-o', join(folder, 'light.onnx'), '--dry-run', '--format', 'json');
      expect(code).toBe(EXIT.done);
      expect(JSON.parse(out).written).toBeNull();
      expect(JSON.parse(out).layers).toHaveLength(4);
      expect(readdirSync(folder)).toEqual([]);
    });
  });

  it('never replaces its input, and another file only where it is told to', async () => {
    await withFolder(async (folder) => {
      const model = join(folder, 'model.onnx');
      const output = join(folder, 'light.onnx');
      copyFileSync(digits, model);
      writeFileSync(output, 'something else');
      expect((await run(model, '-o', model, '--force')).err).toContain('is read by this very command');
      expect(readFileSync(model)).toEqual(readFileSync(digits));
      const refused = await run(model, '-o', output);
      expect(refused).toMatchObject({ code: EXIT.unusable });
      expect(readFileSync(output, 'utf8')).toBe('something else');
      expect((await run(model, '-o', output, '--force')).code).toBe(EXIT.done);
      expect(readFileSync(output).length).toBeGreaterThan(1000);
    });
  });

  it.each([
    ['onnx/digits_cnn.onnx', 'light.keras', 'light.onnx'],
    ['onnx/digits_cnn.onnx', 'light.JSON', 'light.onnx'],
    ['keras/rewritable.keras', 'light.h5', 'light.keras'],
    ['keras/rewritable.h5', 'light.v2.onnx', 'light.v2.h5'],
  ])('refuses to write %s under the name %s, and says which to give', async (model, output, instead) => {
    await withFolder(async (folder) => {
      const { code, err } = await run(join(FIXTURES, model), '-o', join(folder, output));
      expect(code).toBe(EXIT.unusable);
      expect(err).toContain(`Write -o ${join(folder, instead)}.`);
      expect(readdirSync(folder)).toEqual([]);
    });
  });

  it('writes under a name that ends otherwise, or not at all', async () => {
    await withFolder(async (folder) => {
      for (const name of ['light', 'light.bin', 'light.v2']) {
        expect((await run(digits, '-o', join(folder, name))).code).toBe(EXIT.done);
      }
      expect(readdirSync(folder).sort()).toEqual(['light', 'light.bin', 'light.v2']);
    });
  });

  it('never replaces the samples, and never writes two files under one name', async () => {
    await withFolder(async (folder) => {
      const samples = join(folder, 'samples');
      writeFileSync(samples, new Uint8Array(4 * 64));
      const fitted = await run(digits, '--samples', samples, '-o', samples, '--force');
      expect(fitted.err).toContain('is read by this very command');
      const recipe = join(folder, 'recipe.py');
      const twice = await run(digits, '--emit', 'pytorch', recipe, '-o', recipe);
      expect(twice.err).toContain('two files of this command');
      expect(readdirSync(folder)).toEqual(['samples']);
    });
  });

  it('says where a rank is more than a layer has', async () => {
    await withFolder(async (folder) => {
      const { code, out } = await run(digits, '-o', join(folder, 'light.onnx'), '--rank', '99');
      expect(code).toBe(EXIT.done);
      expect(out).toMatch(/warning +Rank 99 is more than 4 convolutions can have \(.* and 1 more\)/);
      expect(out).toContain('written at the full rank instead, 9 at most');
    });
  });

  it('marks what is a lower bound, and says what is not counted', async () => {
    await withFolder(async (folder) => {
      const model = join(folder, 'model.onnx');
      writeFileSync(model, withUnknownOperator());
      const { code, out } = await run(model, '-o', join(folder, 'light.onnx'), '--profile', 'reference');
      expect(code).toBe(EXIT.done);
      expect(out).toMatch(/MACs +≥ [\d.]+ \S+ → ≥ [\d.]+ \S+ \(/);
      expect(out).toMatch(/Params +≥ 576 → ≥ 136 \(/);
      expect(out).toMatch(/Latency +≥ /);
      expect(out).toContain('1 of 2 nodes counted: totals are lower bounds. Not counted: custom::Odd (1).');
      expect(out).toMatch(/warning +.*custom::Odd is an unknown operator/);
    });
  });

  it.each([
    [[digits], 'Say where to write the model'],
    [[digits, '-o', '/nowhere/at/all.onnx'], 'there is no such folder'],
    [[digits, '-o', 'x.onnx', '--rank', 'auto'], 'needs something to aim at'],
    [[digits, '-o', 'x.onnx', '--labels', 'y.u8'], 'add --samples'],
    [[digits, '-o', 'x.onnx', '--target', 'speed=3'], 'is no target'],
    [[digits, '-o', 'x.onnx', '--target', 'macs=-99%'], 'cannot be met'],
    [[digits, '-o', 'x.onnx', '--min-energy', '2'], 'is no share'],
    [[digits, '-o', 'x.onnx', '--emit', 'keras', 'x.py'], '--emit pytorch recipe.py'],
  ])('refuses %j with one clear sentence', async (args, message) => {
    const { code, err } = await run(...args);
    expect(code).toBe(EXIT.unusable);
    expect(err).toContain(message);
  });
});
