import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { AuditTask } from '../../src/cli/audit-one.ts';
import { startAuditThreads } from '../../src/cli/audit-threads.ts';
import type { AuditJob } from '../../src/cli/judge-reports.ts';
import { DscAuditError } from '../../src/ir/errors.ts';
import { FIXTURES } from '../support/models.ts';

const root = join(import.meta.dirname, '../..');
const program = join(root, 'dist/audit-thread.js');
const fixture = (name: string): string => join(FIXTURES, 'onnx', `${name}.onnx`);

const layout = { width: null, colour: 0, sort: 'order', grouping: 'layers', all: false, models: 2 } as const;
const task: AuditTask = { renderings: [{ format: 'json', layout }], commands: [] };

const job = (path: string): AuditJob => ({
  path,
  audit: {},
  profile: null,
  budgets: { totals: new Map(), increases: new Map(), severity: 'error', allowReferenceProfile: false },
  baseline: null,
  baselineReport: null,
  noBudgets: null,
  chosenProfile: null,
});

describe.skipIf(!existsSync(program))('threads, from the bundle', () => {
  it('audit what they are asked for, and pass on what cannot be used', async () => {
    const threads = startAuditThreads(pathToFileURL(program), task, 2);
    const names = ['resnet18', 'nope', 'vgg16', 'digits_cnn', 'mobilenet_v2'];
    const outcomes = await Promise.all(names.map((name) => threads.audit(job(fixture(name)))));
    await threads.stop();
    const told = outcomes.map((outcome) => (outcome instanceof DscAuditError ? outcome.code : outcome.model.path));
    expect(told).toEqual(names.map((name) => (name === 'nope' ? 'cannot-read' : fixture(name))));
  });

  it('tell of a bug, and of an end that nobody asked for', async () => {
    const broken: AuditTask = JSON.parse(JSON.stringify(task).replace('json', 'nonsense'));
    const threads = startAuditThreads(pathToFileURL(program), broken, 1);
    await expect(threads.audit(job(fixture('resnet18')))).rejects.toThrow(TypeError);
    await threads.stop();
    const gone = startAuditThreads(new URL('data:text/javascript,process.exit(3)'), task, 1);
    await expect(gone.audit(job(fixture('resnet18')))).rejects.toThrow('ended unexpectedly');
    await gone.stop();
  });

  it('need hardly more memory for two hundred models than for fifty', { timeout: 300_000 }, () => {
    const peakBytes = (count: number): number => {
      const told = 'process.on("exit", () => process.stderr.write("\\n" + process.resourceUsage().maxRSS))';
      const args = ['--import', `data:text/javascript,${encodeURIComponent(told)}`, join(root, 'bin/dsc-audit.js')];
      const models = new Array<string>(count).fill(fixture('digits_cnn'));
      const done = spawnSync(process.execPath, [...args, '--format', 'html', '--no-config', ...models], {
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      });
      expect(done.status, done.stderr).toBe(0);
      return Number(done.stderr.split('\n').at(-1));
    };
    expect(peakBytes(200)).toBeLessThan(1.6 * peakBytes(50));
  });

  it('keep the order of the arguments', () => {
    const names = ['resnet50', 'digits_cnn', 'vgg16', 'resnet18', 'mobilenet_v2'];
    const models = Array.from({ length: 40 }, (_, index) => fixture(names[index % names.length] ?? ''));
    const args = [join(root, 'bin/dsc-audit.js'), '--format', 'json', ...models];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 2 ** 27 });
    expect(status).toBe(0);
    expect(JSON.parse(stdout).map(({ model }: { model: { path: string } }) => model.path)).toEqual(models);
  });
});
