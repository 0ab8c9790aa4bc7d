/** Shares, changes, intervals and shapes as people read them. */
import type { Latency } from '../audit/report.ts';
import { inUnit, movedTexts, unitOf } from '../ir/quantity-text.ts';

export { bytes, milliseconds, movedTexts, quantity } from '../ir/quantity-text.ts';

/** A share of a whole; never 0.0 % for what is there, nor 100 % for what is not all. */
export function percent(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0 %';
  const share = (100 * part) / whole;
  if (share < 0.05) return '<0.1 %';
  if (share > 99.95 && part < whole) return '>99.9 %';
  return `${share >= 99.95 ? share.toFixed(0) : share.toFixed(1)} %`;
}

/** A signed change: −76.8 %; never ±0 % for what moved. */
export function change(before: number, after: number): string {
  if (before === after) return '±0 %';
  if (before === 0) return 'new';
  const sign = after < before ? '−' : '+';
  const percents = (100 * Math.abs(after - before)) / before;
  return percents < 0.05 ? `${sign}<0.1 %` : `${sign}${percents.toFixed(1)} %`;
}

/** The change between two stages of a model. `bound` stands before figures that lack something: what both lack makes it smaller. */
export function changeBetween(before: number, after: number, bound: string): string {
  const text = change(before, after);
  return bound === '' || before === after ? text : `${after < before ? '≥' : '≤'} ${text}`;
}
/** `36.9 k → 4.74 k`, with as many digits as it takes to tell them apart. */
export const moved = (before: number | null, after: number | null): string =>
  movedTexts(before, after, 'count').join(' → ');

export function shapeText(shape: readonly (number | string)[] | null, times = '×'): string {
  return shape === null ? '?' : shape.length === 0 ? 'scalar' : shape.join(times);
}

/** A round figure without the digits that say nothing: 10 MB for 10.0 MB. */
export const round = (text: string): string => text.replace(/\.0+(?= |$)/, '');

/** With the interval that holds it, in the same unit: 31.2 ms (29.8 to 32.9). */
export function latency(value: Latency | null): string {
  if (value === null) return '–';
  const unit = unitOf(value.value);
  const bound = (end: number) => inUnit(end, unit).replace(` ${unit}`, '');
  return `${inUnit(value.value, unit)} (${bound(value.low)} to ${bound(value.high)})`;
}

/** A fraction as a percentage: 0.4 is 40 %. */
export const share = (fraction: number): string => `${Number((100 * fraction).toPrecision(3))} %`;
