import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { FIXTURES } from '../support/models.ts';
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

describe('dsc-audit diff', () => {
  const fixture = (name: string) => join(FIXTURES, 'onnx', name);

  it('shows two models side by side', async () => {
    const terminal = fakeTerminal(['diff', fixture('table3_conv.onnx'), fixture('table3_dsc.onnx')]);
    expect(await main(terminal)).toBe(0);
    expect(terminal.out()).toMatch(/MACs +462 M +52\.3 M +−88\.7 %/);
    expect(terminal.out()).toContain('Layers: 2 added, 1 removed, 0 changed');
  });
});
