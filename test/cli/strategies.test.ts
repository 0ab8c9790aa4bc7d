import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { FIXTURES } from '../support/models.ts';
import { fakeTerminal } from '../support/terminal.ts';

const resnet18 = join(FIXTURES, 'onnx/resnet18.onnx');
const digits = join(FIXTURES, 'onnx/digits_cnn.onnx');

async function output(...words: readonly string[]): Promise<string> {
  const terminal = fakeTerminal(words);
  expect([await main(terminal), terminal.err()]).toEqual([0, '']);
  return terminal.out();
}

describe('--strategy all', () => {
  const asked = [resnet18, '--strategy', 'all', '--profile', 'none'] as const;

  it('sets strategies side by side at the terminal, the least of each figure with a star', async () => {
    const text = await output(...asked);
    expect(text).toMatch(/^Strategies +now +DSC +PW-DW +Inverted 6 Bottleneck 4$/m);
    expect(text).toMatch(/^MACs +1\.81 G +337 M +395 M +1\.29 G +257 M\*$/m);
    expect(text).toMatch(/^layer1\.0, basic residual\n {2}Params +73\.9 k +9\.47 k +9\.47 k +53\.4 k +4\.45 k\*$/m);
  });

  it('has a latency for each', async () => {
    const { strategies } = JSON.parse(
      await output(digits, '--strategy', 'all', '--profile', 'reference', '--format', 'json'),
    );
    for (const { after } of strategies.model) expect(after.latencyMs.value).toBeGreaterThan(0);
    const told = strategies.places[0].after.filter((each: { figures: object | null }) => each.figures !== null);
    expect(told).toHaveLength(3);
    for (const { figures } of told) expect(figures.latencyMs.value).toBeGreaterThan(0);
  });

  it.each([
    ['markdown', '| Strategies | Now | DSC | PW-DW | Inverted 6 | Bottleneck 4 |', '**257'],
    ['html', '<h2>Strategies</h2>', '<b>257 M</b>'],
  ])('is a table in %s', async (format, head, best) => {
    const text = await output(...asked, '--format', format);
    expect(text).toContain(head);
    expect(text).toContain(best);
  });
});

describe('--strategy inverted-residual', () => {
  it('tells blocks, and what they would become', async () => {
    const text = await output(resnet18, '--strategy', 'inverted-residual', '--expansion', '4', '--profile', 'none');
    expect(text).toContain(
      '8 places (16 of 20 convolutions) could become inverted residuals of expansion 4: 92.4 % of the MACs.',
    );
  });

  it('is worked out by explain', async () => {
    const text = await output('explain', resnet18, '/layer1/layer1.0/conv2/Conv', '--strategy', 'inverted-residual');
    expect(text).toContain('H × W × M × t × (M + k² + N)');
    expect(text).toContain('= 164,978,688');
  });
});

describe('what cannot be done is told', () => {
  it.each([
    [['rewrite', digits, '-o', 'never.onnx', '--strategy', 'bottleneck'], 'build it into the network and train that'],
    [[digits, '--expansion', '3'], 'add --strategy inverted-residual, or --strategy all'],
    [[digits, '--strategy', 'bottleneck', '--reduction', '1000'], 'the reduction cannot be 1000'],
    [[digits, '--strategy', 'bottlenek'], 'inverted-residual, bottleneck, all'],
  ] as const)('%j', async (words, told) => {
    const terminal = fakeTerminal([...words]);
    expect(await main(terminal)).toBe(2);
    expect(terminal.err()).toContain(told);
  });
});
