import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { runBinary } from '../support/binary.ts';
import { folderWith } from '../support/folder.ts';
import { FIXTURES } from '../support/models.ts';
import { onnxBytes } from '../support/onnx-bytes.ts';
import { fakeTerminal } from '../support/terminal.ts';

async function complaint(...args: readonly string[]): Promise<string> {
  const terminal = fakeTerminal(args);
  expect(await main(terminal)).toBe(2);
  return terminal.err();
}

describe('what was most likely meant', () => {
  it('by a command', async () => {
    expect(await complaint('dif')).toContain('dif: there is no such file; did you mean the command diff?');
    expect(await complaint('inti')).toContain('did you mean the command init?');
    expect(await complaint('dfif', 'a.onnx', '--nope')).toContain('Did you mean the command diff?');
  });

  it('by a model', async () => {
    const path = join(FIXTURES, 'onnx/resnt18.onnx');
    expect(await complaint(path)).toContain(`did you mean ${join(FIXTURES, 'onnx/resnet18.onnx')}?`);
    expect(await complaint('quite-another-name.onnx')).toMatch(/there is no such file\.$/m);
  });

  it('by an option', async () => {
    expect(await complaint('m.onnx', '--max-parms', '5M')).toContain('--max-params');
  });
});

describe('open dimensions: what to type', () => {
  const open = onnxBytes({
    inputs: { x: [1, 3, 'h', 'w'] },
    initializers: { k: { dims: [4, 3, 3, 3], floats: new Array<number>(108).fill(0.1) } },
    nodes: [{ op: 'Conv', inputs: ['x', 'k'], outputs: ['y'] }],
    outputs: ['y'],
  });

  it.each([
    [['m.onnx'], 'dsc-audit m.onnx --dim h=224 --dim w=224'],
    [['explain', 'm.onnx'], 'dsc-audit explain m.onnx --dim h=224 --dim w=224'],
    [['explain', 'm.onnx', '--dim', 'h=3', 'y'], 'dsc-audit explain m.onnx y --dim h=3 --dim w=224'],
    [['rewrite', 'm.onnx', '-o', "it's.onnx", '--dim=h=8'], "rewrite m.onnx -o 'it'\\''s.onnx' --dim h=8 --dim w=224"],
    [
      ['bench', 'm.onnx', '--dim', 'hh=8'],
      "There is no dimension 'hh'. Say how large, for example: dsc-audit bench m.onnx",
    ],
  ])('%j', async (args, says) => {
    const done = await runBinary(args, { cwd: folderWith({ 'm.onnx': open }) });
    expect(done.err).toContain(says);
    expect(done.code).toBe(2);
  });
});

describe('dsc-audit diff', () => {
  const fixture = (name: string) => join(FIXTURES, 'onnx', name);

  it('shows two models side by side', async () => {
    const terminal = fakeTerminal(['diff', fixture('table3_conv.onnx'), fixture('table3_dsc.onnx')]);
    expect(await main(terminal)).toBe(0);
    expect(terminal.out()).toMatch(/MACs +462 M +52\.3 M +−88\.7 %/);
    expect(terminal.out()).toContain('Layers: 2 added, 1 removed, 0 changed');
  });
});
