import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT, main } from '../../src/cli/main.ts';
import { FIXTURES } from '../support/models.ts';
import { withFolder } from '../support/rewriting.ts';
import { fakeTerminal } from '../support/terminal.ts';

const digits = join(FIXTURES, 'onnx/digits_cnn.onnx');

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
