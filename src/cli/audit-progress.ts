import { plainText } from '../report/plain-text.ts';
import { progressLine } from './progress-line.ts';
import type { OutputStream } from './terminal.ts';

/** How far a call over several models is. */
export interface AuditProgress {
  show(done: number): void;
  clear(): void;
}

export function auditProgress(
  stream: OutputStream,
  paths: readonly string[],
  now: () => number = () => performance.now(),
): AuditProgress {
  const line = progressLine(stream, now);
  return {
    show(done) {
      const next = paths[done];
      if (paths.length > 1 && next !== undefined) {
        line.show(`${done} of ${paths.length} models audited, next ${plainText(next)}`);
      }
    },
    clear: line.clear,
  };
}
