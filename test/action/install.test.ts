import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { run } from '../support/binary.ts';
import { folderWith } from '../support/folder.ts';

const ROOT = join(import.meta.dirname, '../..');
const DIGITS = join(ROOT, 'fixtures/onnx/digits_cnn.onnx');

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** The package as `npm publish` would send it. */
function packed(): Buffer {
  const folder = folderWith();
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const shell = process.platform === 'win32';
  const [{ filename }] = JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', shell }));
  return readFileSync(join(folder, filename));
}

/** npm's registry on loopback, with this package and no other. */
async function fakeRegistry(tarball: Buffer) {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    const { host } = request.headers;
    const { name, version } = manifest;
    const dist = {
      tarball: `http://${host}/${name}-${version}.tgz`,
      integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    };
    const document = { name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } };
    if (request.url === `/${name}`) response.end(JSON.stringify(document));
    else if (request.url === `/${name}-${version}.tgz`) response.end(tarball);
    else response.writeHead(404).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

/** npm takes its time on a busy machine. */
const TIMEOUT_MS = 180_000;

describe('the action, where the project has no dsc-audit of its own', { timeout: TIMEOUT_MS }, () => {
  it('installs the version that belongs to it from the registry, and nothing else, and audits with it', async () => {
    const registry = await fakeRegistry(packed());
    const folder = folderWith({ output: '', summary: '', 'event.json': {} });
    copyFileSync(DIGITS, join(folder, 'model.onnx'));
    const env = {
      DSC_AUDIT_MODELS: 'model.onnx',
      DSC_AUDIT_BUDGETS: 'macs=1M',
      RUNNER_TEMP: folder,
      GITHUB_EVENT_PATH: join(folder, 'event.json'),
      GITHUB_OUTPUT: join(folder, 'output'),
      GITHUB_STEP_SUMMARY: join(folder, 'summary'),
      npm_config_registry: registry.url,
      npm_config_cache: join(folder, 'npm-cache'),
    };
    const { code, out, err } = await run(process.execPath, [join(ROOT, 'action/main.js')], { cwd: folder, env });
    expect(code, err).toBe(1);
    expect(out).toContain('::error file=model.onnx');
    expect(out).toContain('4.00 M > 1 M');
    // It asks what its optional peers are, and leaves them there.
    expect(registry.asked.filter((url) => url?.endsWith('.tgz'))).toEqual([`/dsc-audit-${manifest.version}.tgz`]);
    expect(readFileSync(env.GITHUB_STEP_SUMMARY, 'utf8')).toContain('budget');
    const output = readFileSync(env.GITHUB_OUTPUT, 'utf8');
    expect(output).toContain('status=fail\n');
    const [, report = ''] = /^report=(.*)$/m.exec(output) ?? [];
    expect(JSON.parse(readFileSync(report, 'utf8')).tool.version).toBe(manifest.version);
    expect(err).not.toContain('install-scripts');
  });

  it('says so where the registry does not have it', async () => {
    const registry = await fakeRegistry(Buffer.from(''));
    const folder = folderWith();
    const env = {
      DSC_AUDIT_VERSION: '99.0.0',
      RUNNER_TEMP: folder,
      npm_config_registry: registry.url,
      npm_config_cache: join(folder, 'npm-cache'),
    };
    const { code, out } = await run(process.execPath, [join(ROOT, 'action/main.js')], { cwd: folder, env });
    expect(code).toBe(2);
    expect(out).toContain('dsc-audit 99.0.0 cannot be installed');
  });
});
