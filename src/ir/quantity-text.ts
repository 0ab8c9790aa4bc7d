/** Figures as people read them. Decimal units: 1 k = 1,000, 1 MB = 1,000,000 bytes. */
import type { FigureUnit } from './quantity.ts';

const PREFIXES = ['', ' k', ' M', ' G', ' T', ' P'] as const;

/** Three significant digits with a prefix: 11.7 M. A dash where it is not known. */
export function quantity(value: number | null, unit = ''): string {
  if (value === null) return '–';
  const [digits, prefix] = scaled(value);
  const spelt = prefix === '' && unit !== '' ? ' ' : prefix;
  return `${digits}${spelt}${unit}`;
}

export const bytes = (value: number | null): string => quantity(value, 'B');

function scaled(value: number): readonly [digits: string, prefix: string] {
  let rest = value;
  let step = 0;
  // 999.5 already rounds to 1,000.
  while (Math.abs(rest) >= 999.5 && step < PREFIXES.length - 1) {
    rest /= 1000;
    step++;
  }
  const digits = step === 0 ? String(Math.round(rest)) : significant(rest);
  return [digits, PREFIXES[step] ?? ''];
}

function significant(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

/** Three significant digits, of what is small two: 31.2 ms, 0.48 ms, 4.1 µs. A dash where it is not known. */
export function milliseconds(value: number | null): string {
  if (value === null) return '–';
  return inUnit(value, unitOf(value));
}

type TimeUnit = 'ms' | 'µs';

/** Less than this is told in microseconds. */
const MIN_MILLISECONDS = 0.01;

export const unitOf = (valueMs: number): TimeUnit =>
  valueMs !== 0 && Math.abs(valueMs) < MIN_MILLISECONDS ? 'µs' : 'ms';

export function inUnit(valueMs: number, unit: TimeUnit): string {
  const value = unit === 'ms' ? valueMs : 1000 * valueMs;
  if (value === 0) return `0 ${unit}`;
  const hasTwoDigits = Math.abs(value) < (unit === 'ms' ? 1 : 10);
  return `${hasTwoDigits ? value.toPrecision(2) : significant(value)} ${unit}`;
}

/** A figure and a limit, rounded, but where that would hide which is larger. */
export function figureTexts(
  actual: number | null,
  limit: number,
  unit: FigureUnit,
): readonly [now: string, most: string] {
  const { rounded, exact } = SPELT[unit];
  const most = tidy(rounded(limit));
  if (actual === null) return ['', most];
  const now = rounded(actual).replace('-', '−');
  return tidy(now) === most && actual !== limit ? [exact(actual), exact(limit)] : [now, most];
}

/** A figure before and after, rounded, but where that would hide that it moved: 36.9 k → 37.1 k, 36,864 → 36,928. */
export function movedTexts(
  before: number | null,
  after: number | null,
  unit: 'count' | 'bytes',
): readonly [before: string, after: string] {
  const { rounded, exact } = SPELT[unit];
  const isHidden = before !== null && after !== null && before !== after && rounded(before) === rounded(after);
  const text = (value: number | null): string => (value === null ? '–' : isHidden ? exact(value) : rounded(value));
  return [text(before), text(after)];
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
