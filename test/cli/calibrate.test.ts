import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EXIT, main } from '../../src/cli/main.ts';
import { thisMachine } from '../../src/latency/machine.ts';
import { writeProfile } from '../../src/latency/profile-store.ts';
import { referenceProfile } from '../../src/latency/reference.ts';
import { runBinary } from '../support/binary.ts';
import { folderWith } from '../support/folder.ts';
import { FIXTURES } from '../support/models.ts';
import { fakeTerminal } from '../support/terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'dsc-audit-calibrate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const model = join(FIXTURES, 'onnx/resnet18.onnx');

async function run(args: readonly string[], cache: string, more: object = {}) {
  const terminal = { ...fakeTerminal(args, { env: { XDG_CACHE_HOME: join(folder, cache) } }), ...more };
  const code = await main(terminal);
  return { code, out: terminal.out(), err: terminal.err() };
}

const reportOf = async (args: readonly string[], cache: string) =>
  JSON.parse((await run([model, '--format', 'json', ...args], cache)).out);

describe('dsc-audit calibrate', () => {
  it('times this machine, and the next audit uses it by itself', async () => {
    const { code, out, err } = await run(['calibrate', '--quick'], 'own');
    // On a busy machine it says how much it left out.
    expect(err).toMatch(/^(warning: on 1 thread \d+ of \d+ networks .*\n)?$/);
    expect(code).toBe(EXIT.done);
    expect(out).toMatch(/layers it had not seen: half within ±/);
    const report = await reportOf([], 'own');
    expect(report.profile).toMatchObject({ source: 'machine', backend: 'builtin', threads: 1 });
    expect(report.totals.latencyMs.value).toBeGreaterThan(0);
    expect(report.diagnostics.map(({ code: told }: { code: string }) => told)).not.toContain('reference-profile');
  }, 120_000);

  it('leaves nothing behind when it is interrupted', async () => {
    const path = join(folder, 'interrupted.json');
    const onInterrupt = (listener: () => void) => {
      setTimeout(listener, 100);
      return () => undefined;
    };
    const { code, err } = await run(['calibrate', '-o', path], 'none', { onInterrupt });
    expect(code).toBe(EXIT.interrupted);
    expect(err).toContain('nothing was stored');
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.includes('tmp'))).toEqual([]);
  }, 120_000);

  it('makes no folder, and says so before it begins', async () => {
    const cwd = folderWith();
    const done = await runBinary(['calibrate', '-o', 'some/new/p.json'], { cwd });
    expect(done.err).toContain('some/new/p.json: cannot be written: there is no such folder');
    expect(done.code).toBe(2);
    expect(existsSync(join(cwd, 'some'))).toBe(false);
  });

  it('refuses a backend that it does not know, and threads that are none', async () => {
    expect((await run(['calibrate', '--backend', 'cuda'], 'none')).err).toContain("There is no backend 'cuda'");
    expect((await run(['calibrate', '--threads', 'two'], 'none')).code).toBe(EXIT.unusable);
  });
});

describe('--profile', () => {
  it('uses the reference without a profile of this machine, and says so', async () => {
    const report = await reportOf([], 'empty');
    expect(report.profile.source).toBe('reference');
    const told = report.diagnostics.find(({ code }: { code: string }) => code === 'reference-profile');
    expect(told.message).toContain('run dsc-audit calibrate');
  });

  it('none: no milliseconds', async () => {
    const report = await reportOf(['--profile', 'none'], 'empty');
    expect(report.profile).toBeNull();
    expect(report.totals.latencyMs).toBeNull();
  });

  it('a file, as one from another machine', async () => {
    const path = join(folder, 'colleague.json');
    const reference = await referenceProfile();
    writeProfile(path, { ...reference, machine: { ...reference.machine, cpu: 'Cortex-A72' } });
    const report = await reportOf(['--profile', path], 'empty');
    expect(report.profile).toMatchObject({ source: 'file', machine: expect.stringContaining('Cortex-A72') });
  });

  it('what is no profile is refused with the reason', async () => {
    const path = join(folder, 'broken.json');
    writeFileSync(path, '{}');
    const { code, err } = await run([model, '--profile', path], 'empty');
    expect(code).toBe(EXIT.unusable);
    expect(err).toContain('is no profile that can be used');
  });

  it('a stored profile of another processor is not used, and the reason given', async () => {
    const reference = await referenceProfile();
    const machine = { ...thisMachine(), cpu: 'Another CPU' };
    writeProfile(join(folder, 'stale/dsc-audit/profile-builtin.json'), { ...reference, machine });
    const report = await reportOf([], 'stale');
    expect(report.profile.source).toBe('reference');
    const told = report.diagnostics.find(({ code }: { code: string }) => code === 'profile-refused');
    expect(told.message).toContain('it is of another processor (Another CPU)');
  });

  it.each([
    ['broken', '{'],
    ['of another version', JSON.stringify({ format: 'dsc-audit profile', version: 99 })],
  ])('a stored profile that is %s does not end the audit', async (_, text) => {
    mkdirSync(join(folder, 'unreadable/dsc-audit'), { recursive: true });
    writeFileSync(join(folder, 'unreadable/dsc-audit/profile-builtin.json'), text);
    const report = await reportOf([], 'unreadable');
    expect(report.profile.source).toBe('reference');
    const told = report.diagnostics.find(({ code }: { code: string }) => code === 'profile-refused');
    expect(told.message).toContain('none that this version of dsc-audit can read');
  });

  it('a stored profile of another runtime is not used either', async () => {
    const reference = await referenceProfile();
    writeProfile(join(folder, 'old/dsc-audit/profile-builtin.json'), {
      ...reference,
      machine: thisMachine(),
      runtime: 'before',
    });
    const told = (await reportOf([], 'old')).diagnostics.find(
      ({ code }: { code: string }) => code === 'profile-refused',
    );
    expect(told.message).toContain('the runtime has changed since');
  });
});

describe('the table with a profile', () => {
  it('has milliseconds by layer and in total, and signed savings', async () => {
    const { out } = await run([model], 'empty');
    expect(out).toMatch(/Latency +As DSC/);
    expect(out).toMatch(/layer1\.0\/conv1 .* ms +−87\.3 % +[−+]\d/);
    expect(out).toMatch(/Latency +\d.* ms +\d.* ms +−\d/);
  });
});
