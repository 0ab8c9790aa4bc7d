import type { GateCheck } from '../audit/report.ts';
import { figure } from './units.ts';

/** How a check came out: a failed check of severity `warn` fails nothing. */
export type CheckOutcome = 'pass' | 'warn' | 'fail';

export function outcomeOf({ status, severity }: GateCheck): CheckOutcome {
  return status === 'pass' ? 'pass' : severity === 'warn' ? 'warn' : 'fail';
}

/** What is held against the limit: `params`, or `increase of params`. */
export function subjectOf({ metric, kind }: GateCheck): string {
  return kind === 'increase' ? `increase of ${metric}` : metric;
}

export function actualText({ actual, unit, isLowerBound, limit }: GateCheck): string {
  return `${isLowerBound ? '≥ ' : ''}${apart(actual, limit, unit)}`;
}

export function limitText({ limit, unit, actual }: GateCheck): string {
  return actual === null ? figure(limit, unit) : apart(limit, actual, unit);
}

/** Two figures that differ must not read the same: then all digits are shown. */
function apart(value: number | null, other: number, unit: GateCheck['unit']): string {
  const text = figure(value, unit);
  if (value === null || value === other || text !== figure(other, unit)) return text;
  return value.toLocaleString('en-US', { maximumFractionDigits: 6 });
}

/** `params: 12.4 M, limit 12 M`, and why where the figure is not known. */
export function checkSentence(check: GateCheck): string {
  const { actual, reason } = check;
  const known = actual === null ? 'not known' : actualText(check);
  return `${subjectOf(check)}: ${known}, limit ${limitText(check)}${reason === null ? '' : ` (${reason})`}`;
}
