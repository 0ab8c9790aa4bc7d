import type { GateCheck } from '../audit/report.ts';
import { figureTexts } from '../ir/quantity-text.ts';

/** How a check came out: a failed check of severity `warn` fails nothing. */
export type CheckOutcome = 'pass' | 'warn' | 'fail';

export function outcomeOf({ status, severity }: GateCheck): CheckOutcome {
  return status === 'pass' ? 'pass' : severity === 'warn' ? 'warn' : 'fail';
}

/** What is held against the limit: `params`, or `increase of params`. */
export function subjectOf({ metric, kind }: GateCheck): string {
  return kind === 'increase' ? `increase of ${metric}` : metric;
}

/** `params: 12.4 M > 12 M`, and why where the figure is not known. */
export function checkSentence(check: GateCheck): string {
  const { reason } = check;
  return `${subjectOf(check)}: ${relationOf(check)}${reason === null ? '' : ` (${reason})`}`;
}

/** `4.00 M ≤ 12 M`, `≥ 3 M, of at most 5 M`, `unknown, of at most 15 ms`. */
export function relationOf({ actual, limit, unit, kind, isLowerBound }: GateCheck): string {
  const [now, most] = figureTexts(actual, limit, unit);
  const sign = kind === 'increase' ? '+' : '';
  const signed = kind === 'increase' && actual !== null && actual >= 0 ? `+${now}` : now;
  if (actual === null) return `unknown, of at most ${sign}${most}`;
  if (isLowerBound && actual <= limit) return `at least ${signed}, of at most ${sign}${most}`;
  return `${isLowerBound ? 'at least ' : ''}${signed} ${actual <= limit ? '≤' : '>'} ${sign}${most}`;
}
