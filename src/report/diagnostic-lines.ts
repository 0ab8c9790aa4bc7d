/** What a table says of its own figures: how much of the model they are of, and warnings and notes. */
import type { ChalkInstance } from 'chalk';
import type { Coverage, ReportedDiagnostic } from '../audit/report.ts';
import { plainText, wrap } from './plain-text.ts';

interface LineOptions {
  readonly width: number | null;
  readonly style: ChalkInstance;
}

export function coverageLines(
  { nodes, counted, uncounted }: Coverage,
  { style, width }: LineOptions,
): readonly string[] {
  if (counted === nodes) return [nodes === 1 ? 'Its one node is counted.' : `All ${nodes} nodes counted.`];
  const unknown = uncounted.map(({ op, layers }) => `${plainText(op)} (${layers.length})`).slice(0, 6);
  const more = uncounted.length > unknown.length ? ` and ${uncounted.length - unknown.length} more` : '';
  const sentence = `${counted} of ${nodes} nodes counted: totals are lower bounds. Not counted: ${unknown.join(', ')}${more}.`;
  return wrap(sentence, width).map((line) => style.yellow(line));
}

/** Diagnostics of one kind that are spelt out before the rest is only counted. */
const MAX_OF_A_KIND = 3;

/** Warnings and notes, a paragraph each, behind an empty line. */
export function diagnosticLines(
  diagnostics: readonly ReportedDiagnostic[],
  { style, width }: LineOptions,
): readonly string[] {
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

const LABELS: Readonly<Record<ReportedDiagnostic['severity'], (style: ChalkInstance) => string>> = {
  warning: (style) => style.yellow('warning'.padEnd(INDENT.length)),
  info: (style) => style.dim('note'.padEnd(INDENT.length)),
};
