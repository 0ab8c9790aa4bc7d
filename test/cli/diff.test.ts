import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT, main } from '../../src/cli/main.ts';
import { folderWith } from '../support/folder.ts';
import { FIXTURES } from '../support/models.ts';
import { fakeTerminal } from '../support/terminal.ts';

const CONV = join(FIXTURES, 'onnx/table3_conv.onnx');
const DSC = join(FIXTURES, 'onnx/table3_dsc.onnx');

async function run(...args: readonly string[]) {
  const terminal = fakeTerminal(args);
  const code = await main(terminal);
  return { code, out: terminal.out(), err: terminal.err() };
}

const DIGITS = join(FIXTURES, 'onnx/digits_cnn.onnx');
const RESNET = join(FIXTURES, 'onnx/resnet18.onnx');

const diff = (...args: readonly string[]) => run('diff', CONV, DSC, '--profile', 'reference', ...args);

describe('dsc-audit diff', () => {
  it('holds two models side by side, latency too, and says whose milliseconds they are', async () => {
    const { code, out } = await run('diff', RESNET, DIGITS, '--profile', 'reference');
    expect(code).toBe(EXIT.done);
    expect(out).toMatch(/^MACs +1\.81 G +4\.00 M +−99\.8 %$/m);
    expect(out).toMatch(/^Latency +[\d.]+ ms +[\d.]+ ms +−[\d.]+ %$/m);
    expect(out).toContain('milliseconds of the reference machine');
  });

  it('tells the change of the value that it shows, not of the end of an interval', async () => {
    const { before, after, change } = JSON.parse(
      (await run('diff', RESNET, DIGITS, '--profile', 'reference', '--format', 'json')).out,
    );
    const [was, is] = [before.totals.latencyMs.value, after.totals.latencyMs.value];
    expect(change.latencyMs).toBeCloseTo(is / was - 1, 12);
  });

  it('tells where a figure lacks something', async () => {
    const unknown = join(FIXTURES, 'edge/custom_op_unknown.onnx');
    expect((await run('diff', DIGITS, unknown)).out).toMatch(/^MACs +4\.00 M +≥ 27\.6 k +unknown$/m);
  });

  it('has no latency without a profile', async () => {
    expect((await run('diff', CONV, DSC, '--profile', 'none')).out).not.toContain('Latency');
  });

  it('compares no milliseconds of different profiles', async () => {
    const report = JSON.parse((await run(CONV, '--format', 'json', '--profile', 'reference')).out);
    const folder = folderWith({ 'before.json': { ...report, profile: { ...report.profile, id: 'another' } } });
    const { out } = await run('diff', join(folder, 'before.json'), DSC, '--profile', 'reference');
    expect(out).toMatch(/^Latency .* unknown$/m);
    expect(out).toContain('Latency is not compared');
  });

  it('writes each file in the format of its ending', async () => {
    const folder = folderWith();
    const files = { 'a.txt': 'table', 'b.json': 'json', 'c.md': 'markdown', 'd.html': 'html' };
    const outputs = Object.keys(files).flatMap((name) => ['-o', join(folder, name)]);
    expect((await diff(...outputs)).code).toBe(EXIT.done);
    for (const [name, format] of Object.entries(files)) {
      expect(readFileSync(join(folder, name), 'utf8')).toBe((await diff('--format', format)).out);
    }
  });

  it('leaves files as they were where a model cannot be used', async () => {
    const folder = folderWith({ 'report.md': 'yesterday' });
    const { code } = await run('diff', CONV, join(folder, 'no.onnx'), '-o', join(folder, 'report.md'));
    expect(code).toBe(EXIT.unusable);
    expect(readFileSync(join(folder, 'report.md'), 'utf8')).toBe('yesterday');
    expect(readdirSync(folder).sort()).toEqual(['.git', 'report.md']);
  });

  it.each(['markdown', 'html'])('lets no name do anything in %s', async (format) => {
    const folder = folderWith();
    const report = JSON.parse((await run(CONV, '--format', 'json', '--profile', 'none')).out);
    const hostile = '<img src=x onerror=alert(1)> @someone | `x`\n::error::x';
    const layers = report.layers.map((layer: object) => ({ ...layer, name: hostile, op: hostile }));
    const path = join(folder, 'before.json');
    writeFileSync(path, JSON.stringify({ ...report, model: { ...report.model, path: hostile }, layers }));
    const { out, code } = await run('diff', path, DSC, '--profile', 'none', '--format', format);
    expect(code).toBe(EXIT.done);
    expect(out).not.toMatch(/^::error/m);
    if (format === 'html') expect(out).not.toContain('<img');
    else expect(out.replaceAll(/(`+)[^`].*?\1/g, '')).not.toMatch(/<img|@someone/);
  });
});
