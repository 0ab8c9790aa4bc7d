import { closeSync, existsSync, lstatSync, openSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkOutput, checkReplaceable } from '../../src/formats/output-file.ts';
import { runBinary } from '../support/binary.ts';
import { folderWith } from '../support/folder.ts';
import { FIXTURES } from '../support/models.ts';

const fixture = (path: string): Uint8Array => readFileSync(join(FIXTURES, path));

describe.skipIf(process.platform === 'win32')('a symbolic link', () => {
  it.each([
    ['an audit', 'out.json', ['m.onnx', '--no-config', '-o', 'out.json']],
    ['a rewrite', 'out.onnx', ['rewrite', 'm.onnx', '--force', '-o', 'out.onnx']],
  ])('under the name of the output of %s is replaced, and not written through', async (_, output, args) => {
    const cwd = folderWith({ 'm.onnx': fixture('onnx/digits_cnn.onnx'), 'elsewhere/kept.json': 'kept' });
    symlinkSync(join(cwd, 'elsewhere/kept.json'), join(cwd, output));
    const done = await runBinary(args, { cwd });
    expect(done.code, done.err).toBe(0);
    expect(readFileSync(join(cwd, 'elsewhere/kept.json'), 'utf8')).toBe('kept');
    expect(lstatSync(join(cwd, output)).isSymbolicLink()).toBe(false);
  });

  it.runIf(existsSync('/proc/self/fd'))('to a stream of a process is refused, though it leads to a file', () => {
    const cwd = folderWith({ 'kept.json': 'kept' });
    const descriptor = openSync(join(cwd, 'kept.json'), 'r+');
    try {
      symlinkSync(`/proc/self/fd/${descriptor}`, join(cwd, 'stream'));
      symlinkSync('stream', join(cwd, 'out.json'));
      for (const name of ['stream', 'out.json']) {
        expect(() => checkOutput(join(cwd, name), [], true)).toThrow(/no file that could be replaced/);
        expect(() => checkReplaceable(join(cwd, name))).toThrow(/no file that could be replaced/);
      }
    } finally {
      closeSync(descriptor);
    }
  });
});
