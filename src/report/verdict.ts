import type { ChalkInstance } from 'chalk';
import type { Comparison, GateCheck, Report } from '../audit/report.ts';
import { relationOf } from './check-text.ts';
import { layerCounts } from './layer-counts.ts';
import { plainText, wrap } from './plain-text.ts';
import { change } from './units.ts';

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
function comparisonSentence({ before, after, change: changes, counts }: Comparison): string {
  const told = (relative: number | null, was: number, is: number): string =>
    relative === null && was !== 0 ? 'unknown' : change(was, is);
  const params = told(changes.params, before.totals.params.total, after.totals.params.total);
  const macs = told(changes.macs, before.totals.macs, after.totals.macs);
  const layers = layerCounts(counts, ['added', 'removed', 'changed', 'renamed']);
  const ofLayers = layers === '' ? 'no layer changed' : `layers: ${layers}`;
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
