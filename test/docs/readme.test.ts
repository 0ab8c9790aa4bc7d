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
});
