import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { fakeTerminal } from '../support/terminal.ts';

const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

describe('the README', () => {
  it('shows what the command prints', async () => {
    const fixture = 'fixtures/onnx/digits_cnn.onnx';
    const shown = /```\n(fixtures[\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const terminal = fakeTerminal([join(root, fixture), '--profile', 'reference']);
    await main(terminal);
    const printed = terminal.out().replace(join(root, fixture), fixture);
    // The milliseconds change with the reference profile: `npm run golden` shows the new ones.
    if (process.env.REWRITE_GOLDEN === '1')
      writeFileSync(
        join(root, 'README.md'),
        readme.replace(shown, () => printed),
      );
    else expect(printed).toBe(shown);
  });

  it('names only options that there are', async () => {
    const helps = ['audit', 'calibrate', 'bench', 'rewrite', 'diff'].map(async (command) => {
      const terminal = fakeTerminal([...(command === 'audit' ? [] : [command]), '--help'], { columns: 100 });
      await main(terminal);
      return terminal.out();
    });
    const known = new Set((await Promise.all(helps)).join('\n').match(/--[a-z-]+/g));
    const used = [...readme.matchAll(/(?:dsc-audit [^\n`]*?|`)(--[a-z-]+)/g)].map(([, option]) => option);
    expect(used.filter((option) => option && !known.has(option))).toEqual([]);
  });

  it('links to pages that there are', () => {
    for (const [, target] of readme.matchAll(/\]\(([^)#]+)\)/g)) {
      if (target?.endsWith('.md')) expect(() => readFileSync(join(root, target))).not.toThrow();
    }
  });
});
