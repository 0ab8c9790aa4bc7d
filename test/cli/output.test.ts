import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT, main } from '../../src/cli/main.ts';
import { FIXTURES } from '../support/models.ts';
import { fakeTerminal } from '../support/terminal.ts';

const DIGITS = join(FIXTURES, 'onnx/digits_cnn.onnx');
const VGG = join(FIXTURES, 'onnx/vgg16.onnx');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dsc-audit-output-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const read = (name: string): string => readFileSync(at(name), 'utf8');

async function run(args: readonly string[], given: Parameters<typeof fakeTerminal>[1] = {}) {
  const terminal = fakeTerminal(args, given);
  const code = await main(terminal);
  return { code, out: terminal.out(), err: terminal.err() };
}

describe('-o', () => {
  it('writes each file in the format of its ending, from one audit, beside what is printed', async () => {
    const files = ['a.json', 'b.md', 'c.html', 'd.csv', 'e.txt'];
    const { code, out } = await run([DIGITS, ...files.flatMap((name) => ['-o', at(name)])]);
    expect(code).toBe(EXIT.done);
    expect(out).toContain('4 of 5 convolutions');
    expect(readdirSync(folder)).toEqual(files);
    for (const [name, format] of [
      ['a.json', 'json'],
      ['b.md', 'markdown'],
      ['c.html', 'html'],
      ['d.csv', 'csv'],
      ['e.txt', 'table'],
    ]) {
      expect(read(name ?? '')).toBe((await run([DIGITS, '--format', format ?? ''])).out);
    }
  });

  it('puts a file in place of a symbolic link, and leaves alone what that leads to', async () => {
    writeFileSync(at('precious.txt'), 'precious');
    symlinkSync(at('precious.txt'), at('report.md'));
    expect((await run([DIGITS, '-o', at('report.md')])).code).toBe(EXIT.done);
    expect(read('precious.txt')).toBe('precious');
    expect(lstatSync(at('report.md')).isFile()).toBe(true);
  });

  it.each([
    ['report.pdf', 'A report ends with .txt, .json, .md'],
    ['no/such/report.md', 'there is no such folder'],
    ['folder.md', 'is no file that could be replaced'],
    [`${'long'.repeat(100)}.md`, 'the name is too long'],
  ])('%s cannot be written: exit 2 and one sentence, and nothing is left behind', async (name, sentence) => {
    mkdirSync(at('folder.md'));
    const { code, err } = await run([DIGITS, '-o', at('first.json'), '-o', at(name)]);
    expect(code).toBe(EXIT.unusable);
    expect(err).toContain(sentence);
    expect(readdirSync(folder).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  });

  it('takes no file twice', async () => {
    const { code, err } = await run([DIGITS, '-o', at('a.md'), '-o', at('a.md')]);
    expect(code).toBe(EXIT.unusable);
    expect(err).toContain('named twice');
  });

  it('leaves the report of yesterday where no model could be audited', async () => {
    writeFileSync(at('report.json'), 'yesterday');
    expect((await run([join(FIXTURES, 'broken/neg_text.onnx'), '-o', at('report.json')])).code).toBe(EXIT.unusable);
    expect(read('report.json')).toBe('yesterday');
    expect(readdirSync(folder)).toEqual(['report.json']);
  });
});

describe('several models', () => {
  const broken = join(FIXTURES, 'broken/neg_text.onnx');

  it('come in the order of the arguments; what fails is told, and the rest is reported', async () => {
    const { code, out, err } = await run([
      VGG,
      broken,
      DIGITS,
      '-o',
      at('all.json'),
      '-o',
      at('all.md'),
      '--profile',
      'none',
    ]);
    expect(code).toBe(EXIT.unusable);
    expect(err).toContain('is text, not an ONNX or Keras model');
    expect(JSON.parse(read('all.json')).map(({ model }: { model: { path: string } }) => model.path)).toEqual([
      VGG,
      DIGITS,
    ]);
    const overview = out.slice(out.lastIndexOf('\nModel')).trim().split('\n').slice(1);
    expect(overview.map((line) => line.split(/\s\s+/)[0])).toEqual([VGG, broken, DIGITS]);
    expect(read('all.md')).toContain('❌ 1 failed');
  });

  it('are told once what holds for all of them, and stand side by side with their latency', async () => {
    const { out } = await run([DIGITS, DIGITS, '--profile', 'reference']);
    expect(out.match(/not of yours/g)).toHaveLength(1);
    const overview = out.slice(out.lastIndexOf('\nModel'));
    expect(overview).toMatch(/Peak memory +Latency +MACs as DSC\n/);
    expect(overview).toMatch(/ ms +−87\.2 %\n/);
  });

  it.each(['markdown', 'html'])('are told it once in %s, too', async (format) => {
    const { out } = await run([DIGITS, VGG, '--format', format, '--no-config', '--profile', 'reference']);
    expect(out.match(/Milliseconds are of the reference machine/g)).toHaveLength(1);
  });

  it('are a list in JSON even if one is left', async () => {
    const { out } = await run([broken, DIGITS, '--format', 'json']);
    expect(JSON.parse(out)).toHaveLength(1);
  });

  it('share a comment of GitHub, 200 of them too', async () => {
    const { out } = await run([...new Array<string>(200).fill(VGG), '--profile', 'none', '--format', 'markdown']);
    expect(Buffer.byteLength(out)).toBeLessThanOrEqual(65_536);
    expect(out).toMatch(/\d+ more reports do not fit into a comment/);
    expect(out.match(/<details>/g)?.length).toBe(out.match(/<\/details>/g)?.length);
  });
});

describe('--format github', () => {
  const summary = () => ({ env: { GITHUB_STEP_SUMMARY: at('summary.md') } });

  it('adds markdown to the summary of the step', async () => {
    writeFileSync(at('summary.md'), 'from before\n');
    const { out } = await run([DIGITS, '--format', 'github'], summary());
    expect(out).toMatch(/^::notice file=.*,title=dsc-audit::195 k params/m);
    expect(read('summary.md')).toMatch(/^from before\n### `/);
    expect(read('summary.md')).toContain('4 of 5 convolutions could become depthwise separable');
  });

  it('prints no more than ten annotations of a level, and says how many more there are', async () => {
    const { out } = await run([...new Array<string>(30).fill(VGG), '--profile', 'none', '--format', 'github']);
    const notices = out.split('\n').filter((line) => line.startsWith('::notice'));
    expect(notices).toHaveLength(10);
    expect(notices.at(-1)).toContain('and 21 more');
  });

  it('writes no summary for another format', async () => {
    await run([DIGITS], summary());
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a long report', () => {
  it('in markdown stays below the limit of a comment, and says what was cut', async () => {
    const model = join(FIXTURES, 'onnx/shufflenet_v2_x1_0_dynbhw.onnx');
    const bind = ['--dim', 'height=224', '--dim', 'width=224'];
    const { out } = await run([model, ...bind, '--format', 'markdown']);
    expect(Buffer.byteLength(out)).toBeLessThanOrEqual(65_536);
  });
});
