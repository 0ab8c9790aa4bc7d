import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { moduleOf } from '../../../src/audit/emit-recipe.ts';
import { EXIT, main } from '../../../src/cli/main.ts';
import { FIXTURES } from '../../support/models.ts';
import { withFolder } from '../../support/rewriting.ts';
import { fakeTerminal } from '../../support/terminal.ts';

const digits = join(FIXTURES, 'onnx/digits_cnn.onnx');

/** The header of a safetensors file, and where its elements begin. */
function headerOf(path: string) {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> = JSON.parse(
    bytes.subarray(8, 8 + length).toString(),
  );
  return { header, data: bytes.subarray(8 + length) };
}

describe('the PyTorch recipe', () => {
  it('names the modules, and has their weights beside it', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'recipe.py');
      const terminal = fakeTerminal(['rewrite', digits, '--rank', '2', '--emit', 'pytorch', path]);
      expect(await main(terminal)).toBe(EXIT.done);
      const script = readFileSync(path, 'utf8');
      expect(script).toContain(
        '"layer1.0": dict(depthwise_first=True, hidden=64, groups=(32, 1), norm=False, relu=False),',
      );
      expect(script).toContain('TENSORS = Path(__file__).with_name("recipe.safetensors")');
      const { header, data } = headerOf(join(folder, 'recipe.safetensors'));
      expect(header['layer1.0.first.weight']?.shape).toEqual([64, 1, 3, 3]);
      expect(header['layer1.0.last.weight']?.shape).toEqual([64, 64, 1, 1]);
      const ends = Object.values(header).map(({ data_offsets: [, end] }) => end);
      expect(Math.max(...ends)).toBe(data.length);
    });
  });

  it('is written beside the model, or not at all where something is there', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'recipe.py');
      const output = join(folder, 'light.onnx');
      const args = ['rewrite', digits, '-o', output, '--emit', 'pytorch', path];
      expect(await main(fakeTerminal(args))).toBe(EXIT.done);
      expect(existsSync(output)).toBe(true);
      const again = fakeTerminal(['rewrite', digits, '--emit', 'pytorch', path]);
      expect(await main(again)).toBe(EXIT.unusable);
      expect(again.err()).toContain('--force replaces it');
    });
  });

  it.each([
    ['/layer1/layer1.0/conv1/Conv', [], 'layer1.0.conv1'],
    ['/features/features.0/features.0.0/Conv', [], 'features.0.0'],
    ['node_conv2d_1', ['layer1', 'layer1.0', 'layer1.0.conv1'], 'layer1.0.conv1'],
    ['Conv_7', [], ''],
  ])('takes the module from %s', (name, scope, module) => {
    expect(moduleOf({ name, scope })).toBe(module);
  });
});
