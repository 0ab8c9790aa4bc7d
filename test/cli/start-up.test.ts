import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runBinary } from '../support/binary.ts';
import { folderWith } from '../support/folder.ts';

const MODEL = join(import.meta.dirname, '../../fixtures/onnx/digits_cnn.onnx');

/** Files of the bundle that a call loads, and their bytes: what start-up costs, whatever machine it is on. */
async function loaded(args: readonly string[]): Promise<{ readonly files: readonly string[]; readonly bytes: number }> {
  const folder = folderWith();
  const { code } = await runBinary(args, { env: { NODE_V8_COVERAGE: folder } });
  expect(code).toBe(0);
  const scripts = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).result)
    .map(({ url }) => new URL(String(url), 'file:'))
    .filter(({ protocol, pathname }) => protocol === 'file:' && pathname.includes('/dist/'));
  const bytes = scripts.reduce((sum, url) => sum + statSync(url).size, 0);
  return { files: scripts.map(({ pathname }) => pathname.split('/').at(-1) ?? ''), bytes };
}

describe('what a call loads of the bundle', () => {
  it.each([
    ['a version', ['--version'], 200_000],
    ['help', ['--help'], 200_000],
    ['an audit without milliseconds', [MODEL, '--profile', 'none'], 750_000],
    ['an audit', [MODEL, '--profile', 'reference'], 1_000_000],
    ['a comparison', ['diff', MODEL, MODEL, '--profile', 'none'], 750_000],
  ])('%s stays within its bytes', async (_what, args, limit) => {
    const { bytes, files } = await loaded(args);
    expect(files).toContain('cli.js');
    expect(bytes).toBeLessThan(limit);
  });

  it('leaves the charts and the HDF5 library alone until they are asked for', async () => {
    const heavy = /^(charts|hdf5_hl)-/;
    const built = readdirSync(join(import.meta.dirname, '../../dist'));
    expect(built.filter((name) => heavy.test(name))).toHaveLength(2);
    const { files } = await loaded([MODEL]);
    expect(files.filter((name) => heavy.test(name))).toEqual([]);
  });
});
