import { platform } from 'node:process';

/** What no shell acts upon. On Windows a backslash parts folders; elsewhere a shell would take it away. */
const PLAIN = /^[\w./:=@%+-]+$/;
const PLAIN_ON_WINDOWS = /^[\w./:=@+\\-]+$/;

/** Names come from files: none may do anything in a shell. */
export function shellQuote(text: string, isWindows = platform === 'win32'): string {
  const plain = isWindows ? PLAIN_ON_WINDOWS : PLAIN;
  return plain.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
