import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run } from '../support/binary.ts';
import { folderWith } from '../support/folder.ts';

const FUZZER = join(import.meta.dirname, '../../scripts/fuzz.js');

/** A few of what `npm run fuzz` tries for hours; it watches each reader from outside, so that what hangs is found too. */
it('a damaged file of any kind gives a result or one clear error, in time', { timeout: 600_000 }, async () => {
  const folder = folderWith();
  const done = await run(process.execPath, [FUZZER, '--inputs', '60', '--seed', '20240517', '--folder', folder]);
  expect(done.out).toMatch(/onnx: 60 inputs/);
  expect(done.code, done.out + done.err).toBe(0);
});
