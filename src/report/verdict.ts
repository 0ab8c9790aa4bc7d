import type { ChalkInstance } from 'chalk';
import type { Comparison, FigureUnit, GateCheck, Report } from '../audit/report.ts';
import { plainText, wrap } from './plain-text.ts';
import { bytes, change, quantity } from './units.ts';

interface VerdictOptions {
  readonly width: number | null;
  readonly style: ChalkInstance;
}

/** What the gate says: a line a check, and how many held. Nothing where nothing was asked. */
export function verdictLines({ gate, baseline }: Report, { width, style }: VerdictOptions): readonly string[] {
  const compared = baseline === null ? [] : ['', ...wrap(comparisonSentence(baseline), width)];
  if (gate.checks.length === 0) return compared;
  const nameWidth = Math.max(...gate.checks.map(({ metric }) => metric.length));
  return [
    ...compared,
    '',
    ...gate.checks.flatMap((check) => checkLines(check, nameWidth, width, style)),
    ...tail(gate.checks, style),
  ];
}

/** What changed against the baseline, in one sentence. */
export function comparisonSentence({ before, after, change: changes, counts }: Comparison): string {
  const params = change(before.totals.params.total, after.totals.params.total);
  const macs =
    changes.macs === null && before.totals.macs !== 0 ? 'unknown' : change(before.totals.macs, after.totals.macs);
  const { added, removed, changed, renamed } = counts;
  const layers = [
    [added, 'added'],
    [removed, 'removed'],
    [changed, 'changed'],
    [renamed, 'renamed'],
  ].flatMap(([count, what]) => (count === 0 ? [] : `${count} ${what}`));
  const ofLayers = layers.length === 0 ? 'no layer changed' : `layers: ${layers.join(', ')}`;
  return `Against ${plainText(before.path)}: params ${params}, MACs ${macs}; ${ofLayers}.`;
}

const INDENT = '      ';

function checkLines(
  check: GateCheck,
  nameWidth: number,
  width: number | null,
  style: ChalkInstance,
): readonly string[] {
  const { metric, reason } = check;
  const name = plainText(metric).padEnd(nameWidth);
  const line = `${markOf(check, style)}  ${name}  ${relationOf(check)}`;
  if (reason === null) return [line];
  const room = width === null ? null : width - INDENT.length;
  return [line, ...wrap(plainText(reason), room).map((text) => style.dim(INDENT + text))];
}

function markOf({ status, severity }: GateCheck, style: ChalkInstance): string {
  if (status === 'pass') return style.green('PASS');
  return severity === 'warn' ? style.yellow('WARN') : style.red('FAIL');
}

/** `11.7 M ≤ 12 M`, `≥ 3 M, of at most 5 M`, `unknown, of at most 15 ms`. */
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
  const most = rounded(limit);
  if (actual === null) return ['', most];
  const now = rounded(actual);
  return now === most && actual !== limit ? [exact(actual), exact(limit)] : [now, most];
}

interface Spelt {
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
  count: { rounded: (value) => tidy(quantity(value)), exact: grouped },
  bytes: { rounded: (value) => tidy(bytes(value)), exact: (value) => `${grouped(value)} B` },
  milliseconds: {
    rounded: (value) => `${value.toLocaleString('en-US', { maximumSignificantDigits: 3 }).replace('-', '−')} ms`,
    exact: (value) => `${grouped(value)} ms`,
  },
  share: { rounded: (value) => `${tidy((100 * value).toFixed(1))} %`, exact: (value) => `${grouped(100 * value)} %` },
};

function tail(checks: readonly GateCheck[], style: ChalkInstance): readonly string[] {
  const failed = checks.filter(({ status, severity }) => status === 'fail' && severity === 'error').length;
  const warned = checks.filter(({ status, severity }) => status === 'fail' && severity === 'warn').length;
  const warnings = warned === 0 ? '' : `, ${warned} only ${warned === 1 ? 'warns' : 'warn'}`;
  const budgets = checks.length === 1 ? 'budget' : 'budgets';
  const sentence =
    failed === 0
      ? `${checks.length - warned} of ${checks.length} ${budgets} held${warnings}.`
      : `${failed} of ${checks.length} ${budgets} failed${warnings}.`;
  return ['', failed === 0 ? style.green(sentence) : style.red(sentence)];
}
