import { posix, win32 } from 'node:path';
import { describe, expect, it } from 'vitest';
import { matchesFile, pathFrom, typedGlob } from '../../src/cli/find-models.ts';
import { baselineOf } from '../../src/gate/baseline-of.ts';
import { shellQuote } from '../../src/ir/shell-quote.ts';
import { auditFixture } from '../support/models.ts';

describe('on Windows', () => {
  it('globs of a configuration match files, whichever way their paths are spelt', async () => {
    const file = win32.resolve('C:\\work\\app', '.\\nets\\detector.onnx');
    const matches = (...globs: readonly string[]) => matchesFile(globs, 'C:\\work', file, win32);
    expect(await matches('app/nets/*.onnx')).toBe(true);
    expect(await matches('app/nets/detector.onnx')).toBe(true);
    expect(await matches('**/*.onnx', '!app/nets/**')).toBe(false);
    expect(await matches('nets/*.onnx')).toBe(false);
    expect(await matchesFile(['**/*.onnx'], 'D:\\work', file, win32)).toBe(false);
  });

  it('a path in a report has slashes; one on another drive stays as it is', () => {
    expect(pathFrom('C:\\work', 'C:\\work\\nets\\m.onnx', win32)).toBe('nets/m.onnx');
    expect(pathFrom('C:\\work\\sub', 'C:\\work\\m.onnx', win32)).toBe('../m.onnx');
    expect(pathFrom('C:\\work', 'D:\\m.onnx', win32)).toBe('D:\\m.onnx');
  });

  it('a glob may be typed with backslashes', () => {
    expect(typedGlob('nets\\*.onnx', win32)).toBe('nets/*.onnx');
    expect(typedGlob('nets\\*.onnx', posix)).toBe('nets\\*.onnx');
  });

  it('a baseline that was made elsewhere is found by path', () => {
    const report = auditFixture('onnx/digits_cnn.onnx');
    const named = (path: string) => ({ ...report, model: { ...report.model, path } });
    const reports = [named('a/m.onnx'), named('b/m.onnx')];
    expect(baselineOf('.\\b\\m.onnx', false, reports.concat(named('c/n.onnx')))).toBe(reports[1]);
  });

  it('a path in a hint is not quoted for its backslashes, a name that a shell reads is', () => {
    expect(shellQuote('nets\\m.onnx', true)).toBe('nets\\m.onnx');
    expect(shellQuote('%PATH%', true)).toBe("'%PATH%'");
    expect(shellQuote('nets\\m.onnx', false)).toBe("'nets\\m.onnx'");
  });
});
