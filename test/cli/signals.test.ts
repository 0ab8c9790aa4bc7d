import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BINARY } from '../support/binary.ts';
import { folderWith } from '../support/folder.ts';
import { FIXTURES } from '../support/models.ts';

const MODEL = join(FIXTURES, 'onnx/resnet18.onnx');

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly err: string;
}

function started(args: readonly string[], cwd: string, stdout: number | 'pipe' = 'pipe') {
  const child = spawn(process.execPath, [BINARY, ...args], { cwd, stdio: ['ignore', stdout, 'pipe'] });
  let err = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = new Promise<Ended>((resolve) => child.on('close', (code, signal) => resolve({ code, signal, err })));
  return { child, ended };
}

/** A folder with so many models, and their names. */
function manyModels(count: number): readonly [folder: string, names: readonly string[]] {
  const folder = folderWith({ 'report.json': 'of yesterday' });
  const names = Array.from({ length: count }, (_, index) => `m${index}.onnx`);
  for (const name of names) copyFileSync(MODEL, join(folder, name));
  return [folder, names];
}

describe('an interrupted audit', () => {
  it('ends its threads, exits 130, and leaves the old files as they were', async () => {
    const [folder, names] = manyModels(40);
    const { child, ended } = started([...names, '-o', 'report.json', '-o', 'new.html'], folder);
    // The first model is told of: the others are on their way.
    child.stdout?.once('data', () => child.kill('SIGINT'));
    child.stdout?.resume();
    const { code, err } = await ended;
    expect(code).toBe(130);
    expect(err).toContain('Interrupted');
    expect(readFileSync(join(folder, 'report.json'), 'utf8')).toBe('of yesterday');
    expect(readdirSync(folder).filter((name) => !name.endsWith('.onnx'))).toEqual(['.git', 'report.json']);
  });

  it('that is killed leaves the old files as they were', async () => {
    const [folder, names] = manyModels(20);
    const { child, ended } = started([...names, '-o', 'report.json'], folder);
    child.stdout?.once('data', () => child.kill('SIGKILL'));
    child.stdout?.resume();
    expect((await ended).signal).toBe('SIGKILL');
    expect(readFileSync(join(folder, 'report.json'), 'utf8')).toBe('of yesterday');
  });
});

describe('standard output', () => {
  it('that nobody reads any more is no trouble', async () => {
    const [folder, names] = manyModels(3);
    const { child, ended } = started([...names, '--format', 'json', '--all'], folder);
    child.stdout?.once('data', () => child.stdout?.destroy());
    expect(await ended).toEqual({ code: 0, signal: null, err: '' });
  });

  it.skipIf(!existsSync('/dev/full'))('that cannot be written is exit 2, for every format', async () => {
    const [folder, names] = manyModels(2);
    for (const format of ['table', 'json', 'html']) {
      const { code, err } = await started([...names, '--format', format], folder, openSync('/dev/full', 'w')).ended;
      expect(err).toMatch(/^dsc-audit: The report cannot be written: ENOSPC/);
      expect(code).toBe(2);
    }
  });
});

describe('what is given for a file', () => {
  it.skipIf(!existsSync('/dev/null'))('is not replaced where it is a device', async () => {
    const folder = folderWith();
    const { code, err } = await started(['rewrite', MODEL, '-o', '/dev/null', '--force'], folder).ended;
    expect(err).toMatch(/\/dev\/null: is no file that could be replaced/);
    expect(code).toBe(2);
  });
});
