import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GateCheck, Report } from '../../src/audit/report.ts';
import { runBinary } from '../support/binary.ts';
import { folderWith } from '../support/folder.ts';
import { auditFixture, FIXTURES } from '../support/models.ts';

const digits = readFileSync(join(FIXTURES, 'onnx/digits_cnn.onnx'));
const open = readFileSync(join(FIXTURES, 'onnx/dyn_squeezenet1_1_dynhw.onnx'));

async function reports(cwd: string, ...args: readonly string[]): Promise<readonly Report[]> {
  const { out, err } = await runBinary([...args, '--format', 'json'], { cwd });
  if (out === '') throw new Error(err);
  const parsed: Report | readonly Report[] = JSON.parse(out);
  return Array.isArray(parsed) ? parsed : [parsed as Report];
}

const limits = ({ gate }: Report) =>
  Object.fromEntries(gate.checks.map(({ metric, limit }: GateCheck) => [metric, limit]));

describe('a configuration', () => {
  it('names the models, each with its own shapes and budgets', async () => {
    const cwd = folderWith({
      'nets/digits.onnx': digits,
      'nets/squeeze.onnx': open,
      'dsc-audit.config.json': {
        budgets: { params: '2M' },
        models: [
          { path: 'nets/squeeze.onnx', dims: { h: 64, w: 64 }, budgets: { macs: '1G' } },
          { path: 'nets/*.onnx', budgets: { params: '200k' } },
        ],
      },
    });
    const [squeeze, small] = await reports(cwd);
    expect([squeeze?.model.path, small?.model.path]).toEqual([
      join('nets', 'squeeze.onnx'),
      join('nets', 'digits.onnx'),
    ]);
    expect(squeeze && limits(squeeze)).toEqual({ params: 2_000_000, macs: 1_000_000_000 });
    expect(small && limits(small)).toEqual({ params: 200_000 });
  });

  it('counts for a model of the command line too, which the command line overrules', async () => {
    const cwd = folderWith({
      'm.onnx': digits,
      '.dsc-audit.json': { models: [{ path: 'm.onnx', budgets: { params: '1k', macs: '5M' }, exclude: ['layer1*'] }] },
    });
    const [report] = await reports(cwd, 'm.onnx', '--max-params', '200k');
    expect(report && limits(report)).toEqual({ params: 200_000, macs: 5_000_000 });
    expect(report?.dsc.rejected.filter(({ reason }) => reason === 'excluded')).toHaveLength(1);
    const [included] = await reports(cwd, 'm.onnx', '--exclude', 'layer*');
    expect(included?.dsc.candidates).toHaveLength(0);
    const [without] = await reports(cwd, 'm.onnx', '--no-config');
    expect(without && limits(without)).toEqual({});
  });

  it('is found upwards, up to the root of the repository', async () => {
    const cwd = folderWith({ 'a/b/m.onnx': digits, 'package.json': { 'dsc-audit': { budgets: { params: '1M' } } } });
    const [found] = await reports(join(cwd, 'a/b'), 'm.onnx');
    expect(found && limits(found)).toEqual({ params: 1_000_000 });
    mkdirSync(join(cwd, 'a/.git'));
    const [hidden] = await reports(join(cwd, 'a/b'), 'm.onnx');
    expect(hidden && limits(hidden)).toEqual({});
  });

  it('has paths that start from its folder', async () => {
    const cwd = folderWith({
      'ci/gate.json': { models: [{ path: '../m.onnx' }], baseline: 'base.json', 'max-increase': { macs: '0' } },
      'ci/base.json': auditFixture('onnx/digits_cnn.onnx'),
      'm.onnx': digits,
    });
    const [report] = await reports(cwd, '--config', 'ci/gate.json');
    expect(report?.model.path).toBe('m.onnx');
    expect(report?.gate.checks).toMatchObject([{ metric: 'macs', kind: 'increase', status: 'pass', actual: 0 }]);
    expect(report?.baseline?.counts.unchanged).toBe(report?.layers.length);
  });

  it('leaves out what a glob with ! names', async () => {
    const cwd = folderWith({
      'a.onnx': digits,
      'b.onnx': digits,
      'dsc-audit.config.json': { models: [{ path: ['*.onnx', '!b.onnx'], budgets: { params: '1M' } }] },
    });
    expect((await reports(cwd)).map(({ model }) => model.path)).toEqual(['a.onnx']);
    const [named] = await reports(cwd, 'b.onnx');
    expect(named?.gate.checks).toEqual([]);
  });
});

describe('the baseline', () => {
  it('of several models is found by path, or by the name of the file', async () => {
    const report = auditFixture('onnx/digits_cnn.onnx');
    const other = auditFixture('onnx/table3_conv.onnx');
    const at = (given: Report, path: string): Report => ({ ...given, model: { ...given.model, path } });
    const cwd = folderWith({
      'a/m.onnx': digits,
      'b/n.onnx': digits,
      'base.json': [at(other, 'b/m.onnx'), at(report, './a/m.onnx'), at(report, 'elsewhere/n.onnx')],
    });
    const judged = await reports(cwd, 'a/m.onnx', 'b/n.onnx', '--baseline', 'base.json');
    expect(judged.map(({ baseline }) => baseline?.before.path)).toEqual(['./a/m.onnx', 'elsewhere/n.onnx']);
  });
});
