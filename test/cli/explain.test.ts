import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT, main } from '../../src/cli/main.ts';
import { auditFixture, FIXTURES } from '../support/models.ts';
import { fakeTerminal } from '../support/terminal.ts';

const resnet = join(FIXTURES, 'onnx/resnet18.onnx');

async function explain(...args: readonly string[]) {
  const terminal = fakeTerminal(['explain', ...args]);
  const code = await main(terminal);
  return { code, out: terminal.out(), err: terminal.err() };
}

describe('dsc-audit explain', () => {
  it('works a layer out with its own numbers', async () => {
    const { code, out, err } = await explain(resnet, 'layer1.0/conv2', '--profile', 'reference');
    expect({ code, err }).toEqual({ code: EXIT.done, err: '' });
    expect(out).toContain('H × W × M × N × k² = 56 × 56 × 64 × 64 × 3 × 3 = 115,605,504');
    expect(out).toContain('1 / N + 1 / k² = 1 / 64 + 1 / (3 × 3) = 12.7 %');
    expect(out).toContain('Its block: layer1.0 (basic residual)');
  });

  it('gives the same as plain data', async () => {
    const { out } = await explain(resnet, '5', '--profile', 'none', '--format', 'json');
    const explained = JSON.parse(out);
    const layer = auditFixture('onnx/resnet18.onnx').layers[5];
    expect(explained).toMatchObject({ schemaVersion: '1.0', tool: { name: 'dsc-audit' }, layer });
    const figures = explained.sections.find(({ id }: { id: string }) => id === 'figures');
    expect(figures.steps[1]).toMatchObject({
      name: 'MACs',
      symbols: 'H × W × M × N × k²',
      substituted: '56 × 56 × 64 × 64 × 3 × 3',
      value: layer?.macs,
      basis: 'formula',
    });
  });

  it.each([[], ['dsc'], ['inverted-residual'], ['α'], [resnet], [resnet, '0'], [resnet, '2'], [resnet, 'fc']])(
    'fits 80 columns: %j',
    async (...args) => {
      const { code, out } = await explain(...args);
      expect(code).toBe(EXIT.done);
      for (const line of out.split('\n').slice(1)) expect(line.length).toBeLessThanOrEqual(80);
    },
  );

  it('binds open dimensions like other commands', async () => {
    const dynamic = join(FIXTURES, 'onnx/dyn_squeezenet1_1_dynhw.onnx');
    expect((await explain(dynamic, '0')).err).toContain('--dim h=224');
    expect(await explain(dynamic, '0', '--shape', '1x3x64x64')).toMatchObject({ code: EXIT.done, err: '' });
  });

  it('says what is not there, and what may have been meant', async () => {
    expect(await explain(resnet, 'fcc')).toMatchObject({ code: EXIT.unusable, err: expect.stringContaining('fc') });
    const word = await explain('resolutoin');
    expect(word).toMatchObject({ code: EXIT.unusable, err: expect.stringContaining('did you mean resolution?') });
    expect(await explain('no-such-model.onnx')).toMatchObject({ code: EXIT.unusable });
  });
});
