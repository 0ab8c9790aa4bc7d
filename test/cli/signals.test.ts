import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, openSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BINARY } from '../support/binary.ts';
import { folderWith } from '../support/folder.ts';
import { FIXTURES } from '../support/models.ts';
import { onnxBytes } from '../support/onnx-bytes.ts';

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
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s ends its threads, exits %i, and leaves the old files as they were', async (signal, exitCode) => {
    const [folder, names] = manyModels(40);
    const { child, ended } = started([...names, '-o', 'report.json', '-o', 'new.html'], folder);
    // The first model is told of: the others are on their way.
    child.stdout?.once('data', () => child.kill(signal));
    child.stdout?.resume();
    const { code, err } = await ended;
    expect(code).toBe(exitCode);
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

describe('an interrupted rewrite', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('by %s exits %i, and leaves no file behind', async (signal, exitCode) => {
    const folder = folderWith({ 'm.onnx': modelBesideBytes(HUGE), 'light.onnx': 'of yesterday' });
    // A file of zeroes that takes no room, and seconds to be copied.
    writeFileSync(join(folder, 'm.data'), '');
    truncateSync(join(folder, 'm.data'), HUGE);
    const { child, ended } = started(['rewrite', 'm.onnx', '--profile', 'none', '--force', '-o', 'light.onnx'], folder);
    while (child.exitCode === null && !readdirSync(folder).some((name) => name.endsWith('.tmp'))) await setTimeout(5);
    child.kill(signal);
    const { code, err } = await ended;
    expect(err).toContain('Interrupted: no file was written.');
    expect(code).toBe(exitCode);
    expect(readFileSync(join(folder, 'light.onnx'), 'utf8')).toBe('of yesterday');
    expect(readdirSync(folder).sort()).toEqual(['.git', 'light.onnx', 'm.data', 'm.onnx']);
  });
});

/** Bytes that nobody copies before a signal comes. */
const HUGE = 2 ** 31;

/** A convolution, and a tensor of so many bytes in a file beside the model. */
function modelBesideBytes(bytes: number): Uint8Array {
  return onnxBytes({
    inputs: { x: [1, 8, 9, 9], z: [1] },
    initializers: {
      w: { dims: [8, 8, 3, 3], raw: new Uint8Array(4 * 8 * 8 * 9) },
      t: { dims: [bytes / 4], external: { location: 'm.data', offset: '0', length: String(bytes) } },
    },
    nodes: [
      { op: 'Conv', inputs: ['x', 'w'], outputs: ['y'] },
      { op: 'Add', inputs: ['z', 't'], outputs: ['sum'] },
    ],
    outputs: ['y', 'sum'],
  });
}

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
