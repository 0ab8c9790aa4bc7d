import type { GateCheck } from '../audit/report.ts';
import type { FigureUnit } from '../ir/quantity.ts';
import { bytes, milliseconds, quantity } from './units.ts';

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

/** Rounded, but where that would hide which is larger. */
function figureTexts(actual: number | null, limit: number, unit: FigureUnit): readonly [now: string, most: string] {
  const { rounded, exact } = SPELT[unit];
  const most = tidy(rounded(limit));
  if (actual === null) return ['', most];
  const now = rounded(actual).replace('-', '−');
  return tidy(now) === most && actual !== limit ? [exact(actual), exact(limit)] : [now, most];
}

interface Spelt {
  /** As the tables have it. */
  rounded(value: number): string;
  exact(value: number): string;
}

/** 12 M rather than 12.0 M: limits are round numbers. */
const tidy = (text: string): string =>
  text
    .replace('-', '−')
    .replace(/(\.\d*?)0+(?=\D|$)/, '$1')
    .replace(/\.(?=\D|$)/, '');
const grouped = (value: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: 6 }).replace('-', '−');

const SPELT: Readonly<Record<FigureUnit, Spelt>> = {
  count: { rounded: quantity, exact: grouped },
  bytes: { rounded: bytes, exact: (value) => `${grouped(value)} B` },
  milliseconds: { rounded: milliseconds, exact: (value) => `${grouped(value)} ms` },
  share: { rounded: (value) => `${(100 * value).toFixed(1)} %`, exact: (value) => `${grouped(100 * value)} %` },
};
