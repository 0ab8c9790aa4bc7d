import type { Latency } from '../audit/report.ts';

/** Numbers as people read them. Decimal units: 1 k = 1,000, 1 MB = 1,000,000 bytes. */
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

/** A share of a whole; never 0.0 % for what is there, nor 100 % for what is not all. */
export function percent(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0 %';
  const share = (100 * part) / whole;
  if (share < 0.05) return '<0.1 %';
  if (share > 99.95 && part < whole) return '>99.9 %';
  return `${share >= 99.95 ? share.toFixed(0) : share.toFixed(1)} %`;
}

/** A signed change: −76.8 %. */
export function change(before: number, after: number): string {
  if (before === after) return '±0 %';
  if (before === 0) return 'new';
  const sign = after < before ? '−' : '+';
  return `${sign}${((100 * Math.abs(after - before)) / before).toFixed(1)} %`;
}

export function shapeText(shape: readonly (number | string)[] | null, times = '×'): string {
  return shape === null ? '?' : shape.length === 0 ? 'scalar' : shape.join(times);
}

/** A round figure without the digits that say nothing: 10 MB for 10.0 MB. */
export const round = (text: string): string => text.replace(/\.0+(?= |$)/, '');

/** Three significant digits, of what is small two: 31.2 ms, 0.48 ms, 4.1 µs. A dash where it is not known. */
export function milliseconds(value: number | null): string {
  if (value === null) return '–';
  return inUnit(value, unitOf(value));
}

/** With the interval that holds it, in the same unit: 31.2 ms (29.8 to 32.9). */
export function latency(value: Latency | null): string {
  if (value === null) return '–';
  const unit = unitOf(value.value);
  const bound = (end: number) => inUnit(end, unit).replace(` ${unit}`, '');
  return `${inUnit(value.value, unit)} (${bound(value.low)} to ${bound(value.high)})`;
}

type TimeUnit = 'ms' | 'µs';

/** Less than this is told in microseconds. */
const MIN_MILLISECONDS = 0.01;

const unitOf = (valueMs: number): TimeUnit => (valueMs !== 0 && Math.abs(valueMs) < MIN_MILLISECONDS ? 'µs' : 'ms');

function inUnit(valueMs: number, unit: TimeUnit): string {
  const value = unit === 'ms' ? valueMs : 1000 * valueMs;
  if (value === 0) return `0 ${unit}`;
  const hasTwoDigits = Math.abs(value) < (unit === 'ms' ? 1 : 10);
  return `${hasTwoDigits ? value.toPrecision(2) : significant(value)} ${unit}`;
}

/** A fraction as a percentage: 0.4 is 40 %. */
export const share = (fraction: number): string => `${Number((100 * fraction).toPrecision(3))} %`;
