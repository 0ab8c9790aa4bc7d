import type { ChalkInstance } from 'chalk';
import type { Report } from '../audit/report.ts';
import { plainText, wrap } from './plain-text.ts';
import { bytes, change, percent, quantity } from './units.ts';

interface SummaryOptions {
  readonly width: number | null;
  readonly style: ChalkInstance;
}

/** Totals before and after, what the verdicts come to, coverage, and what else is to be said. */
export function summaryLines(report: Report, { style, width }: SummaryOptions): readonly string[] {
  return [
    ...totalsLines(report, style),
    '',
    ...verdictLines(report, style, width),
    ...coverageLines(report, style, width),
    ...diagnosticLines(report, style, width),
  ];
}

function totalsLines({ totals, dsc, model, diagnostics, coverage }: Report, style: ChalkInstance): readonly string[] {
  const { before, after } = dsc.projection;
  const atLeast = coverage.counted < coverage.nodes ? '≥ ' : '';
  const atLeastBytes = totals.isLowerBound ? '≥ ' : '';
  // Parameters are known as long as every operator is: they do not depend on extents.
  const atLeastParams = diagnostics.some(({ code }) => code === 'unknown-operator') ? '≥ ' : '';
  const converts = dsc.candidates.length > 0;
  const line = (label: string, now: string, then: string, difference: string) =>
    [label.padEnd(11), now.padStart(10), ...(converts ? [then.padStart(11), difference.padStart(9)] : [])]
      .join('  ')
      .trimEnd();
  const compared = (
    label: string,
    figure: (value: number | null) => string,
    now: number | null,
    then: number | null,
    bound = atLeast,
  ) =>
    line(
      label,
      bound + figure(now),
      bound + figure(then),
      now === null || then === null ? '' : style.green(change(now, then).padStart(9)),
    );
  return [
    style.dim(line('', 'now', 'all as DSC', 'change')),
    compared('Params', quantity, before.params, after.params, atLeastParams),
    compared('MACs', quantity, before.macs, after.macs),
    compared('FLOPs', quantity, before.flops, after.flops),
    compared('Weights', bytes, before.weightBytes, after.weightBytes, atLeastParams),
    line('Activations', `${atLeastBytes}${bytes(totals.activationBytes)}`, '', ''),
    line('Peak memory', bytes(totals.peakActivationBytes), '', ''),
    ...(model.fileBytes === null ? [] : [line('File', bytes(model.fileBytes), '', '')]),
  ];
}

function verdictLines({ dsc, totals }: Report, style: ChalkInstance, width: number | null): readonly string[] {
  const { candidates, rejected, projection } = dsc;
  const convolutions = candidates.length + rejected.length;
  if (convolutions === 0) return ['It has no convolutions.'];
  const reasons = new Map<string, number>();
  for (const { reason } of rejected) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const kept = Array.from(reasons, ([reason, amount]) => `${amount} ${reason}`).join(', ');
  const share = percent(projection.convertibleMacs, totals.macs);
  const replacements = new Set(candidates.flatMap(({ replacement }) => replacement ?? []));
  const spelt = replacements.size === 0 ? '' : ` (${[...replacements].join(', ')})`;
  const first =
    candidates.length === 0
      ? `No candidates among ${convolutions} ${convolutions === 1 ? 'convolution' : 'convolutions'}.`
      : `${candidates.length} of ${convolutions} convolutions could become depthwise separable${spelt}: ${share} of the MACs.`;
  return [
    ...wrap(first, width).map((line) => style.bold(line)),
    ...(kept === '' ? [] : wrap(`Left as they are: ${kept}.`, width)),
  ];
}

function coverageLines({ coverage }: Report, style: ChalkInstance, width: number | null): readonly string[] {
  const { nodes, counted, uncounted } = coverage;
  if (counted === nodes) return [nodes === 1 ? 'Its one node is counted.' : `All ${nodes} nodes counted.`];
  const unknown = uncounted.map(({ op, layers }) => `${plainText(op)} (${layers.length})`).slice(0, 6);
  const more = uncounted.length > unknown.length ? ` and ${uncounted.length - unknown.length} more` : '';
  const sentence = `${counted} of ${nodes} nodes counted: totals are lower bounds. Not counted: ${unknown.join(', ')}${more}.`;
  return wrap(sentence, width).map((line) => style.yellow(line));
}

/** Diagnostics of one kind that are spelt out before the rest is only counted. */
const MAX_OF_A_KIND = 3;

function diagnosticLines({ diagnostics }: Report, style: ChalkInstance, width: number | null): readonly string[] {
  const seen = new Map<string, number>();
  const lines: string[] = [];
  for (const { code, severity, message, layer } of diagnostics) {
    const count = (seen.get(code) ?? 0) + 1;
    seen.set(code, count);
    if (count > MAX_OF_A_KIND) continue;
    const label = LABELS[severity](style);
    const [first = '', ...rest] = wrap(
      plainText(layer === null ? message : `${layer}: ${message}`),
      width === null ? null : width - INDENT.length,
    );
    lines.push(label + first, ...rest.map((line) => INDENT + line));
  }
  for (const [code, count] of seen) {
    const more = count - MAX_OF_A_KIND;
    if (more > 0) lines.push(style.dim(`${INDENT}and ${more} more (${code}): --format json lists them`));
  }
  return lines.length === 0 ? [] : ['', ...lines];
}

const INDENT = '         ';

const LABELS: Readonly<Record<Report['diagnostics'][number]['severity'], (style: ChalkInstance) => string>> = {
  warning: (style) => style.yellow('warning'.padEnd(INDENT.length)),
  info: (style) => style.dim('note'.padEnd(INDENT.length)),
};
