import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { folderWith } from '../support/folder.ts';
import { fakeTerminal } from '../support/terminal.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILE = join(ROOT, 'README.md');

/** Blocks that begin with `$` and a command show what it prints. */
const RUN = /^```\n\$ dsc-audit (.*)\n([\s\S]*?)^```$/gm;

/** What `dsc-audit …`, or `dsc-audit … | tail -4`, prints in this repository, with no profile of this machine. */
async function printed(call: string): Promise<string> {
  const scratch = folderWith();
  const [command = '', lines] = call.split(' | tail -');
  const [fixtures, written] = [join(ROOT, 'fixtures/'), join(scratch, 'light.onnx')];
  const words = command.split(' ').map((word) => word.replace('fixtures/', fixtures).replace('light.onnx', written));
  const terminal = fakeTerminal(words, { env: { XDG_CACHE_HOME: scratch } });
  await main(terminal);
  const text = terminal.out().replaceAll(fixtures, 'fixtures/').replaceAll(written, 'light.onnx');
  return lines === undefined
    ? text
    : text
        .split('\n')
        .slice(-Number(lines) - 1)
        .join('\n');
}

it('the README shows what the commands print', async () => {
  const readme = readFileSync(FILE, 'utf8');
  const runs = [...readme.matchAll(RUN)];
  expect(runs.length).toBeGreaterThan(2);
  let today = readme;
  for (const [block, call = ''] of runs) {
    const shown = `\`\`\`\n$ dsc-audit ${call}\n${await printed(call)}\`\`\``;
    today = today.replace(block, () => shown);
  }
  // The milliseconds change with the reference profile: `npm run golden` shows the new ones.
  if (process.env.REWRITE_GOLDEN === '1') writeFileSync(FILE, today);
  else expect(readme).toBe(today);
});
