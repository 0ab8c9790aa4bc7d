import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
export const BINARY = join(ROOT, 'bin/dsc-audit.js');

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command as a user's shell would: a process of its own, from what `npm run build` wrote. */
export async function runBinary(
  args: readonly string[],
  given: { cwd?: string; env?: Readonly<Record<string, string>>; stdin?: Uint8Array } = {},
): Promise<Finished> {
  if (!existsSync(join(ROOT, 'dist/cli.js'))) throw new Error('dist/ is missing: run npm run build');
  return run(process.execPath, [BINARY, ...args], given);
}

export function run(
  command: string,
  args: readonly string[],
  given: { cwd?: string; env?: Readonly<Record<string, string>>; stdin?: Uint8Array } = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: given.cwd, env: { ...process.env, ...given.env } });
    const written = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      written.out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      written.err += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...written }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(given.stdin);
  });
}
