import { DscAuditError } from '../ir/errors.ts';

/** What a command may touch of the process it runs in: handed in, so that tests need no process. */
export interface Terminal {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths start from. */
  cwd(): string;
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Calls the listener when the process is asked to end (Ctrl-C, SIGTERM, a terminal that goes); gives what stops listening. */
  readonly onInterrupt?: (listener: () => void) => () => void;
}

export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** `done` hears of it once the text is out, or could not be written. */
  write(text: string, done?: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: (error: Error & { readonly code?: string }) => void): unknown;
}

/**
 * Prints text, and waits until it is out. A reader that has seen enough (`| head`) closes the pipe: that is no error.
 * Throws `cannot-write` for a full disk and the like.
 */
export async function print(stream: OutputStream, text: string): Promise<void> {
  const error = await new Promise<(Error & { code?: string }) | null | undefined>((resolve) => {
    stream.write(text, resolve);
  });
  if (error && error.code !== 'EPIPE') {
    throw new DscAuditError('cannot-write', `The report cannot be written: ${error.message}.`);
  }
}

/** Columns to lay out for; null for a pipe, which has no limit. */
export function widthOf({ isTTY, columns }: OutputStream): number | null {
  return isTTY ? (columns ?? 80) : null;
}

/** Levels of colour: none, 16, 256, millions. */
export type ColourLevel = 0 | 1 | 2 | 3;

/** `--no-color` and NO_COLOR (no-color.org) before FORCE_COLOR before whether it is a terminal at all. */
export function colourLevel(stream: OutputStream, env: Terminal['env'], allowed: boolean): ColourLevel {
  if (!allowed || env.NO_COLOR) return 0;
  const forced = env.FORCE_COLOR;
  if (forced !== undefined) return FORCED[forced] ?? 1;
  if (!stream.isTTY || env.TERM === 'dumb') return 0;
  return env.COLORTERM === 'truecolor' ? 3 : 1;
}

const FORCED: Readonly<Record<string, ColourLevel>> = { '0': 0, false: 0, '1': 1, '2': 2, '3': 3 };
