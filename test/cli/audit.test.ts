import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT, main } from '../../src/cli/main.ts';
import { FIXTURES } from '../support/models.ts';
import { type FakeTerminal, fakeTerminal } from '../support/terminal.ts';

const fixture = (path: string): string => join(FIXTURES, path);

async function run(args: readonly string[], given: Parameters<typeof fakeTerminal>[1] = {}) {
  const terminal: FakeTerminal = fakeTerminal(args, given);
  const code = await main(terminal);
  return { code, out: terminal.out(), err: terminal.err() };
}

const ESCAPE = String.fromCharCode(27);

describe('dsc-audit model.onnx', () => {
  it('prints the table, and nothing on standard error', async () => {
    const { code, out, err } = await run([fixture('onnx/digits_cnn.onnx')]);
    expect(code).toBe(EXIT.done);
    expect(out).toContain('4 of 5 convolutions could become depthwise separable');
    expect(err).toBe('');
  });

  it.each([80, 100, 120, 200])('fits a terminal of %i columns', async (columns) => {
    for (const model of ['resnet18', 'mobilenet_v2', 'shufflenet_v2_x1_0_dynbhw']) {
      const bind = model.endsWith('dynbhw') ? ['--dim', 'height=224', '--dim', 'width=224'] : [];
      const { out } = await run([fixture(`onnx/${model}.onnx`), '--no-color', '--all', ...bind], { columns });
      for (const line of out.split('\n').slice(1)) expect(line.length).toBeLessThanOrEqual(columns);
    }
  });

  it('has colour on a terminal only, and where NO_COLOR and --no-color allow it', async () => {
    const model = fixture('onnx/digits_cnn.onnx');
    expect((await run([model], { columns: 100 })).out).toContain(ESCAPE);
    expect((await run([model])).out).not.toContain(ESCAPE);
    expect((await run([model], { env: { FORCE_COLOR: '1' } })).out).toContain(ESCAPE);
    expect((await run([model], { columns: 100, env: { NO_COLOR: '1', FORCE_COLOR: '1' } })).out).not.toContain(ESCAPE);
    expect((await run([model, '--no-color'], { columns: 100 })).out).not.toContain(ESCAPE);
  });

  it('puts layers together by module, and sorts them', async () => {
    const { out } = await run([fixture('onnx/resnet18.onnx'), '--depth', '1', '--sort', 'params']);
    const modules = out
      .split('\n')
      .filter((line) => /^(layer|conv|fc|bn)/.test(line))
      .map((line) => line.split(' ')[0]);
    expect(modules).toEqual(['layer4', 'layer3', 'layer2', 'fc', 'layer1', 'conv1']);
  });

  it('cuts a long model, and says how to see all of it', async () => {
    const model = fixture('onnx/resnet50.onnx');
    const { out } = await run([model]);
    expect(out).toMatch(/and \d+ more layers with .* of the MACs: --all shows them/);
    expect((await run([model, '--all'])).out).not.toContain('more layers');
  });

  it('reads standard input as -', async () => {
    const bytes = readFileSync(fixture('onnx/resnet18.onnx'));
    const { code, out } = await run(['-', '--format', 'json'], {
      stdin: [bytes.subarray(0, 999), bytes.subarray(999)],
    });
    expect(code).toBe(EXIT.done);
    expect(JSON.parse(out).totals.macs).toBe(1_814_073_344);
  });

  it('prints one report for one model, and a list for several', async () => {
    const models = [fixture('onnx/resnet18.onnx'), fixture('onnx/vgg16.onnx')];
    const { out } = await run([...models, '--format', 'json']);
    expect(JSON.parse(out).map((report: { totals: { macs: number } }) => report.totals.macs)).toEqual([
      1_814_073_344, 15_470_264_320,
    ]);
  });
});

describe('--include and --exclude', () => {
  const candidates = async (...args: string[]): Promise<string[]> => {
    const { out } = await run([fixture('onnx/resnet18.onnx'), '--format', 'json', ...args]);
    return JSON.parse(out).dsc.candidates.map(({ layer }: { layer: string }) => layer);
  };

  it('leave modules alone, and bring the stem back', async () => {
    expect(await candidates()).toHaveLength(16);
    expect(await candidates('--include', 'conv1')).toContain('/conv1/Conv');
    expect(await candidates('--exclude', 'layer4')).toHaveLength(12);
    expect(await candidates('--exclude', 'layer1/**', '--exclude', '/layer2/**')).toHaveLength(8);
    expect(await candidates('--exclude', '**', '--include', 'layer1.0/**')).toHaveLength(2);
  });

  it('say when a pattern matches nothing', async () => {
    const { out } = await run([fixture('onnx/resnet18.onnx'), '--exclude', 'layr1']);
    expect(out).toContain("--exclude 'layr1' matches no convolution");
  });
});

describe('open dimensions', () => {
  it('other than the batch are an error that tells the command to type', async () => {
    const model = fixture('onnx/resnet50_dynbhw.onnx');
    const { code, err } = await run([model]);
    expect(code).toBe(EXIT.unusable);
    expect(err).toContain('--dim height=224 --dim width=224');
    const bound = await run([model, '--dim', 'height=224', '--dim', 'width=224', '--format', 'json']);
    expect(JSON.parse(bound.out).totals.macs).toBe(4_089_184_256);
    const shaped = await run([model, '--shape', '2x3x224x224', '--format', 'json']);
    expect(JSON.parse(shaped.out).totals.macs).toBe(2 * 4_089_184_256);
  });

  it('that do not fit are refused', async () => {
    const model = fixture('onnx/resnet18.onnx');
    expect((await run([model, '--shape', '1x4x224x224'])).err).toContain('dimension 1 of the input is 3, not 4');
    expect((await run([model, '--shape', '1x3x224'])).err).toContain('the input has 4 dimensions');
    expect((await run([model, '--shape', 'nope=1x3x224x224'])).err).toContain('the inputs are input');
    expect((await run([model, '--dim', 'height'])).err).toContain('NAME=VALUE');
    expect((await run([model, '--shape', '1x3xax224'])).err).toContain("'1x3xax224' is no shape");
    expect((await run([model, '--dim', 'hieght=5'])).out).toContain('--dim hieght binds nothing');
  });
});

describe('trouble', () => {
  it.each([
    ['nope.onnx', 'there is no such file'],
    [FIXTURES, 'is a directory'],
    [fixture('broken/neg_empty.onnx'), 'is empty'],
    [fixture('broken/neg_text.onnx'), 'is text, not an ONNX or Keras model'],
    [fixture('broken/neg_truncated.onnx'), 'truncated or damaged'],
    [fixture('broken/neg_lfs_pointer.onnx'), 'git lfs pull'],
  ])('%s: exit 2 and one sentence', async (path, sentence) => {
    const { code, out, err } = await run([path]);
    expect(code).toBe(EXIT.unusable);
    expect(out).toBe('');
    expect(err).toContain(sentence);
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  it('with the command line: exit 2 and a suggestion', async () => {
    const { code, err } = await run([fixture('onnx/resnet18.onnx'), '--frmat', 'json']);
    expect(code).toBe(EXIT.unusable);
    expect(err).toContain('--format');
    expect((await run([])).code).toBe(EXIT.unusable);
  });

  it('of our own: exit 70, with what to report', async () => {
    const terminal = fakeTerminal([fixture('onnx/resnet18.onnx')]);
    const broken = {
      ...terminal,
      stdout: {
        ...terminal.stdout,
        write: () => {
          throw new TypeError('unexpected');
        },
      },
    };
    expect(await main(broken)).toBe(EXIT.bug);
    expect(terminal.err()).toContain('bug in dsc-audit');
  });
});

describe('--help and --version', () => {
  it('exit 0, with examples', async () => {
    const { code, out } = await run(['--help'], { columns: 80 });
    expect(code).toBe(EXIT.done);
    expect(out).toContain('Examples:');
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect((await run(['--version'])).code).toBe(EXIT.done);
  });
});
