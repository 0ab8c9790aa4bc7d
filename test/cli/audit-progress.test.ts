import { describe, expect, it } from 'vitest';
import { auditProgress } from '../../src/cli/audit-progress.ts';
import { fakeTerminal } from '../support/terminal.ts';

const CLEAR_LINE = '\r\u001b[2K';

describe('progress over several models', () => {
  const shown = (paths: readonly string[], times: readonly number[], columns?: number): string => {
    const terminal = fakeTerminal([], columns === undefined ? {} : { columns });
    const clock = [...times];
    const progress = auditProgress(terminal.stderr, paths, () => clock.shift() ?? times.at(-1) ?? 0);
    progress.show(1);
    progress.clear();
    return terminal.err();
  };

  it('is a line of a terminal that goes away again, once it takes over a second', () => {
    const text = shown(['a.onnx', 'b\u001b[2J.onnx', 'c.onnx'], [0, 1001], 80);
    expect(text).toBe(`${CLEAR_LINE}1 of 3 models audited, next b\uFFFD[2J.onnx${CLEAR_LINE}`);
  });

  it('says nothing sooner, nor for one model, nor where there is no terminal', () => {
    expect(shown(['a.onnx', 'b.onnx'], [0, 500], 80)).toBe('');
    expect(shown(['a.onnx'], [0, 5000], 80)).toBe('');
    expect(shown(['a.onnx', 'b.onnx'], [0, 5000])).toBe('');
  });
});
