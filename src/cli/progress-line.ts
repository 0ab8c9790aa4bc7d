import { shorten } from '../report/plain-text.ts';
import type { OutputStream } from './terminal.ts';

/** A line that says how far a long call is; it goes before anything else is printed. */
export interface ProgressLine {
  show(text: string): void;
  clear(): void;
}

/** What is over sooner needs no progress. */
const PATIENCE_MS = 1000;

/** More often nobody can read. */
const INTERVAL_MS = 100;

const CLEAR_LINE = '\r\u001b[2K';

/** Shown on a terminal only. */
export function progressLine(stream: OutputStream, now: () => number): ProgressLine {
  const { isTTY, columns = 80 } = stream;
  let next = now() + PATIENCE_MS;
  let shown = false;
  return {
    show(text) {
      if (!isTTY || now() < next) return;
      stream.write(`${CLEAR_LINE}${shorten(text, columns - 1)}`);
      next = now() + INTERVAL_MS;
      shown = true;
    },
    clear() {
      if (shown) stream.write(CLEAR_LINE);
      shown = false;
    },
  };
}
