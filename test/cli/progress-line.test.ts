import { describe, expect, it } from 'vitest';
import { progressLine } from '../../src/cli/progress-line.ts';
import type { OutputStream } from '../../src/cli/terminal.ts';

/** What is written, on a clock that the test turns. */
function recorded(isTTY: boolean) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const stream: OutputStream = { isTTY, columns: 20, write: (text) => written.push(text), on: () => undefined };
  return { written, clock, line: progressLine(stream, () => clock.ms) };
}

describe('a line of progress', () => {
  it('comes after a second, a few times a second at most, and is gone at the end', () => {
    const { written, clock, line } = recorded(true);
    for (const ms of [0, 999, 1000, 1010, 1500]) {
      clock.ms = ms;
      line.show(`at ${ms} ms, in the middle of a long story`);
    }
    expect(written).toHaveLength(2);
    expect(written[0]).toMatch(/at 10/);
    line.clear();
    expect(written.at(-1)).toMatch(/\[2K$/);
  });

  it('is not written where nobody watches, and leaves nothing to clear', () => {
    const { written, clock, line } = recorded(false);
    clock.ms = 5000;
    line.show('timing');
    line.clear();
    expect(written).toEqual([]);
  });
});
