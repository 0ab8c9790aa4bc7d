import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { BenchReport } from '../../src/audit/bench-report.ts';
import { EXIT, main } from '../../src/cli/main.ts';
import { auditFixture, FIXTURES } from '../support/models.ts';
import { fakeTerminal } from '../support/terminal.ts';

const root = join(import.meta.dirname, '../..');
const digits = join(FIXTURES, 'onnx/digits_cnn.onnx');
const resnet = join(FIXTURES, 'onnx/resnet18.onnx');

async function bench(args: readonly string[], given: Parameters<typeof fakeTerminal>[1] = {}) {
  const terminal = fakeTerminal(['bench', ...args], given);
  const code = await main(terminal);
  return { code, out: terminal.out(), err: terminal.err() };
}

const schemaAt = (name: string) => JSON.parse(readFileSync(join(root, 'schema', name), 'utf8'));
const validate = new Ajv2020({ allErrors: true, strict: false })
  .addSchema(schemaAt('report.schema.json'))
  .compile(schemaAt('bench.schema.json'));

describe('dsc-audit bench model.onnx', () => {
  it('prints JSON that follows its schema, with a time for every layer that is computed', async () => {
    const { code, out, err } = await bench([digits, '--runs', '2', '--threads', '1', '--format', 'json']);
    expect({ code, err }).toEqual({ code: EXIT.done, err: '' });
    const report: BenchReport = JSON.parse(out);
    expect(validate(report) ? [] : validate.errors).toEqual([]);
    expect(report).toMatchObject({
      runs: 2,
      weights: 'file',
      runtime: { backend: 'builtin', threads: 1, exact: false },
    });
    expect(report.totals.measuredMs).toBeGreaterThan(0);
    // Its Winograd layers compute less than is counted.
    expect(report.totals.peakShare).toBe((report.totals.gflops ?? 0) / report.runtime.peakGflops);
    for (const { kernel, gflops, peakShare } of report.layers) {
      const isCounted = gflops !== null && !kernel.startsWith('winograd');
      expect(peakShare).toBe(isCounted ? gflops / report.runtime.peakGflops : null);
      expect(peakShare ?? 0).toBeLessThanOrEqual(1);
    }
  });

  it('counts what the audit counts: each of its layers is in one of its own', async () => {
    const { out } = await bench([digits, '--runs', '1', '--threads', '1', '--format', 'json']);
    const { layers }: BenchReport = JSON.parse(out);
    const audited = auditFixture('onnx/digits_cnn.onnx');
    expect(layers.flatMap(({ indices }) => indices).sort((a, b) => a - b)).toEqual(audited.layers.map((_, i) => i));
    expect(layers.reduce((sum, { flops }) => sum + (flops ?? 0), 0)).toBe(audited.totals.flops);
    for (const { index, name, kind } of layers) expect(audited.layers[index]).toMatchObject({ name, kind });
  });

  it('says that weights are random where the file has none', async () => {
    const { out } = await bench([resnet, '--runs', '1', '--no-color'], { columns: 80 });
    expect(out).toContain('Weights that the file does not have are random');
    expect(
      out
        .split('\n')
        .slice(1)
        .filter((line) => line.length > 80),
    ).toEqual([]);
  });

  it('leaves Winograd out where exact arithmetic is asked for', async () => {
    expect((await bench([digits, '--runs', '1'])).out).toContain('winograd');
    expect((await bench([digits, '--runs', '1', '--exact'])).out).not.toMatch(/winograd/i);
  });

  it('projects what it measures, by layer and in total, and says how far off that was', async () => {
    const args = [digits, '--runs', '2', '--threads', '1', '--profile', 'reference', '--format', 'json'];
    const report: BenchReport = JSON.parse((await bench(args)).out);
    expect(report.profile).toMatchObject({ source: 'reference', backend: 'builtin', threads: 1 });
    const { measuredMs, projectedMs, projectionError, withinInterval } = report.totals;
    expect(projectionError).toBeCloseTo((projectedMs?.value ?? 0) / measuredMs - 1, 9);
    expect(withinInterval).toBeGreaterThanOrEqual(0);
    const parts = report.layers.map((layer) => layer.projectedMs?.value ?? 0);
    expect(parts.reduce((sum, value) => sum + value, 0)).toBeCloseTo(projectedMs?.value ?? 0, 6);
    expect(report.layers.every(({ kernel, projectedMs: ms }) => (kernel === 'none') === (ms === null))).toBe(true);
  });

  it('runs on as many threads as the profile is of', async () => {
    const { out } = await bench([digits, '--runs', '2', '--profile', 'reference', '--format', 'json']);
    const report = JSON.parse(out);
    expect(report.runtime.threads).toBe(report.profile.threads);
    expect(report.totals.projectedMs).not.toBeNull();
  });

  it('projects nothing where it is told so, or where the profile has no such number of threads', async () => {
    const none = await bench([digits, '--runs', '1', '--profile', 'none', '--format', 'json']);
    expect(JSON.parse(none.out)).toMatchObject({ profile: null, totals: { projectedMs: null, withinInterval: null } });
    const { out } = await bench([digits, '--runs', '1', '--threads', '3', '--profile', 'reference']);
    expect(out.replace(/\s+/g, ' ')).toContain('and this ran on 3: nothing is projected.');
    expect((await bench([digits, '--profile', 'missing.json'])).code).toBe(EXIT.unusable);
  });

  it('names what it cannot run, and exits 2', async () => {
    const { code, err } = await bench([join(FIXTURES, 'edge/custom_op_unknown.onnx')]);
    expect(code).toBe(EXIT.unusable);
    expect(err).toMatch(/custom_op_unknown\.onnx: The built-in runtime cannot run this model: .*no kernel/);
    expect((await bench([digits, '--runs', '0'])).err).toContain('--runs');
    expect((await bench([digits, '--threads', 'two'])).err).toContain('--threads');
  });
});

const bundle = join(root, 'dist/cli.js');

describe.skipIf(!existsSync(bundle))('Ctrl-C', () => {
  it.skipIf(process.platform === 'win32')('ends the command and its threads at once', async () => {
    const args = [join(root, 'bin/dsc-audit.js'), 'bench', resnet, '--runs', '100000', '--threads', '2'];
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    const ended = once(child, 'exit');
    await setTimeout(1500);
    child.kill('SIGINT');
    // A shell reports it as 130.
    expect(await ended).toEqual([null, 'SIGINT']);
    expect(() => process.kill(child.pid ?? 0, 0)).toThrow('ESRCH');
  });
});
