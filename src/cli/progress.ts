import { plainText, shorten } from '../report/plain-text.ts';
import type { OutputStream } from './terminal.ts';

/** A line that says how far a long call is; it goes before anything else is printed. */
export interface Progress {
  show(done: number): void;
  clear(): void;
}

/** What is over sooner needs no progress. */
const PATIENCE_MS = 1000;

const CLEAR_LINE = '\r\u001b[2K';

/** Shown on a terminal only, where there are several models. */
export function auditProgress(
  stream: OutputStream,
  paths: readonly string[],
  now: () => number = () => performance.now(),
): Progress {
  const started = now();
  const { isTTY, columns = 80 } = stream;
  let shown = false;
  return {
    show(done) {
      const next = paths[done];
      if (!isTTY || paths.length < 2 || next === undefined || now() - started < PATIENCE_MS) return;
      const text = `${done} of ${paths.length} models audited, next ${plainText(next)}`;
      stream.write(`${CLEAR_LINE}${shorten(text, columns - 1)}`);
      shown = true;
    },
    clear() {
      if (shown) stream.write(CLEAR_LINE);
      shown = false;
    },
  };
}
