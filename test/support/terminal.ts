import type { OutputStream, Terminal } from '../../src/cli/terminal.ts';

export interface FakeTerminal extends Terminal {
  readonly out: () => string;
  readonly err: () => string;
}

/** A process that is none: arguments in, text out. */
export function fakeTerminal(
  args: readonly string[],
  given: { columns?: number; cwd?: string; env?: Record<string, string>; stdin?: readonly Uint8Array[] } = {},
): FakeTerminal {
  const written = { out: '', err: '' };
  const stream = (to: keyof typeof written): OutputStream => ({
    ...(given.columns === undefined ? {} : { isTTY: true, columns: given.columns }),
    write: (text, done) => {
      written[to] += text;
      done?.();
    },
    on: () => undefined,
  });
  return {
    argv: ['node', 'dsc-audit', ...args],
    env: given.env ?? {},
    cwd: () => given.cwd ?? process.cwd(),
    stdin: (async function* () {
      yield* given.stdin ?? [];
    })(),
    stdout: stream('out'),
    stderr: stream('err'),
    out: () => written.out,
    err: () => written.err,
  };
}
