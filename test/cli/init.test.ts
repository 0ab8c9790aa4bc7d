import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startingBudgets } from '../../src/gate/starting-budgets.ts';
import { runBinary } from '../support/binary.ts';
import { folderWith } from '../support/folder.ts';
import { auditFixture, FIXTURES } from '../support/models.ts';

const digits = readFileSync(join(FIXTURES, 'onnx/digits_cnn.onnx'));

describe('dsc-audit init', () => {
  it('in a fresh repository: budgets that hold today, and fail once the model has grown', async () => {
    const cwd = folderWith({ 'nets/digits (v1).onnx': digits, 'notes.onnx': 'no model' });
    const begun = await runBinary(['init'], { cwd });
    expect(begun.code, begun.err).toBe(0);
    expect(begun.out).toMatch(/left out {4}notes\.onnx: is text/);
    expect(begun.out).toMatch(/wrote {7}dsc-audit\.config\.json/);
    expect((await runBinary([], { cwd })).code).toBe(0);
    writeFileSync(join(cwd, 'nets/digits (v1).onnx'), readFileSync(join(FIXTURES, 'onnx/table3_conv.onnx')));
    const grown = await runBinary([], { cwd });
    expect(grown.out).toContain('FAIL  macs         462 M > 4.1 M');
    expect(grown.code).toBe(1);
  });

  it('overwrites nothing', async () => {
    const workflow = '.github/workflows/dsc-audit.yml';
    const cwd = folderWith({ 'm.onnx': digits, '.dsc-audit.json': '{}', [workflow]: 'mine' });
    const { out, code } = await runBinary(['init'], { cwd });
    expect(code).toBe(0);
    expect(out).toMatch(/left alone {2}.*\.dsc-audit\.json\n.*left alone {2}\.github/s);
    expect(readFileSync(join(cwd, '.dsc-audit.json'), 'utf8')).toBe('{}');
    expect(readFileSync(join(cwd, workflow), 'utf8')).toBe('mine');
  });

  it('finds Keras models of either kind', async () => {
    const [h5, keras] = ['keras/seq_mix.h5', 'keras/parts.keras'].map((path) => readFileSync(join(FIXTURES, path)));
    const cwd = folderWith({ 'a.h5': h5 ?? '', 'b.keras': keras ?? '' });
    expect((await runBinary(['init'], { cwd })).code).toBe(0);
    const { models } = JSON.parse(readFileSync(join(cwd, 'dsc-audit.config.json'), 'utf8'));
    expect(models.map(({ path }: { path: string }) => path)).toEqual(['a.h5', 'b.keras']);
  });

  it('says so where there is no model', async () => {
    const { code, err } = await runBinary(['init'], { cwd: folderWith() });
    expect(code).toBe(2);
    expect(err).toContain('there is no model in this folder');
  });

  it('writes a workflow that fetches what Git LFS keeps', async () => {
    const cwd = folderWith({ 'm.onnx': digits, '.gitattributes': '*.onnx filter=lfs diff=lfs merge=lfs -text' });
    await runBinary(['init'], { cwd });
    expect(readFileSync(join(cwd, '.github/workflows/dsc-audit.yml'), 'utf8')).toContain('lfs: true');
  });
});

describe('the budgets to begin with', () => {
  it('lie just above the figures, in round numbers', () => {
    expect(startingBudgets(auditFixture('onnx/resnet18.onnx'))).toEqual({
      params: '12M',
      macs: '1.9G',
      'peak-memory': '6.5MB',
    });
  });

  it('are not set on what is not known', () => {
    expect(startingBudgets(auditFixture('edge/custom_op_unknown.onnx'))).not.toHaveProperty('macs');
  });
});
