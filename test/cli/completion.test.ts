import { describe, expect, it } from 'vitest';
import { SHELLS, type Shell } from '../../src/cli/completion.ts';
import { main } from '../../src/cli/main.ts';
import { run } from '../support/binary.ts';
import { folderWith } from '../support/folder.ts';
import { fakeTerminal } from '../support/terminal.ts';

async function script(shell: string): Promise<string> {
  const terminal = fakeTerminal(['completion', shell]);
  expect(await main(terminal)).toBe(0);
  return terminal.out();
}

/** What bash would offer for the last of these words. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const cwd = folderWith({ 'completion.bash': await script('bash'), 'model.onnx': '' });
  const line = words.map((word) => `'${word}'`).join(' ');
  const program = `. ./completion.bash; COMP_WORDS=(dsc-audit ${line}); COMP_CWORD=${words.length}; _dsc_audit; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { out, err } = await run('bash', ['--norc', '-c', program], { cwd });
  expect(err).toBe('');
  return out.split('\n').filter(Boolean);
}

describe('completion in bash', () => {
  it('offers commands and files', async () => {
    expect(await offered('di')).toEqual(['diff']);
    expect(await offered('mo')).toEqual(['model.onnx']);
    expect(await offered('')).toEqual(expect.arrayContaining(['diff', 'init', 'completion', 'model.onnx']));
  });

  it('offers the options of the command, and their values', async () => {
    expect(await offered('--max-m')).toEqual(['--max-macs']);
    expect(await offered('diff', '--max')).toEqual([]);
    expect(await offered('diff', 'a', '--fo')).toEqual(['--format']);
    expect(await offered('model.onnx', '--sort', 'pa')).toEqual(['params']);
  });
});

describe.each(Object.keys(SHELLS))('the script for %s', (shell) => {
  it('holds every command and option', async () => {
    const text = await script(shell as Shell);
    for (const word of ['diff', 'init', 'max-convertible-macs', 'no-config']) expect(text).toContain(word);
  });
});

it('without a shell names those that there are', async () => {
  const terminal = fakeTerminal(['completion']);
  expect(await main(terminal)).toBe(2);
  expect(terminal.err()).toContain('bash|zsh|fish');
});

it('of a shell that nobody knows is refused', async () => {
  const terminal = fakeTerminal(['completion', 'tcsh']);
  expect(await main(terminal)).toBe(2);
  expect(terminal.err()).toContain('bash, zsh, fish');
});
