import type { Report } from '../audit/report.ts';
import { checkSentence, outcomeOf } from './check-text.ts';
import type { Document, Format } from './format.ts';
import { lowerBounds } from './lower-bounds.ts';
import { plainText } from './plain-text.ts';
import { couldBecome } from './strategy-text.ts';
import { bytes, changeBetween, quantity } from './units.ts';

/** Annotations of a GitHub workflow. Where it prints them, the command also writes the step's summary. */
export const github: Format = {
  section: (report) => annotationsOf(report).map(command).join(''),
  document: annotationsDocument,
};

const LEVELS = ['error', 'warning', 'notice'] as const;

interface Annotation {
  readonly level: (typeof LEVELS)[number];
  readonly file: string;
  readonly message: string;
}

function annotationsOf(report: Report): readonly Annotation[] {
  const { model, gate, diagnostics } = report;
  const file = model.path;
  return [
    ...gate.checks.flatMap((check): Annotation[] => {
      const outcome = outcomeOf(check);
      if (outcome === 'pass') return [];
      return [{ level: outcome === 'fail' ? 'error' : 'warning', file, message: checkSentence(check) }];
    }),
    ...diagnostics
      .filter(({ severity }) => severity === 'warning')
      .map(({ message, layer }): Annotation => {
        return { level: 'warning', file, message: layer === null ? message : `${layer}: ${message}` };
      }),
    { level: 'notice', file, message: figuresSentence(report) },
  ];
}

function figuresSentence(report: Report): string {
  const { totals, dsc } = report;
  const { before, after } = dsc.projection;
  const atLeast = lowerBounds(report);
  const figures = [
    `${atLeast.params}${quantity(totals.params.total)} params`,
    `${atLeast.macs}${quantity(totals.macs)} MACs`,
    `${atLeast.params}${bytes(totals.weightBytes)} of weights`,
    ...(totals.peakActivationBytes === null ? [] : [`${bytes(totals.peakActivationBytes)} of activations at the peak`]),
  ].join(', ');
  if (dsc.candidates.length === 0 || before.macs === null || after.macs === null) return `${figures}.`;
  const saved = `MACs ${changeBetween(before.macs, after.macs, atLeast.macs)}`;
  return `${figures}. ${couldBecome(report)}: ${saved}.`;
}

/** One line, as the runner reads it. */
function command({ level, file, message }: Annotation): string {
  return `::${level} file=${property(file)},title=dsc-audit::${data(shortened(plainText(message)))}\n`;
}

const MAX_MESSAGE_LENGTH = 1000;

const shortened = (text: string): string =>
  text.length <= MAX_MESSAGE_LENGTH ? text : `${text.slice(0, MAX_MESSAGE_LENGTH)}…`;

/** The escapes of the runner's own toolkit (actions/toolkit, packages/core/src/command.ts). */
const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(plainText(text)).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** GitHub shows that many of each level for a step, and drops the rest without a word. */
const MAX_OF_A_LEVEL = 10;

/** The first of each level; the last place of a level tells how many more there are. */
function annotationsDocument(): Document {
  const tenth = new Map<string, string>();
  const counts = new Map<string, number>();
  const add = (line: string): string => {
    const level = levelOf(line);
    const count = (counts.get(level) ?? 0) + 1;
    counts.set(level, count);
    if (count < MAX_OF_A_LEVEL) return line;
    if (count === MAX_OF_A_LEVEL) tenth.set(level, line);
    return '';
  };
  return {
    add({ model, section }) {
      const text =
        section ?? command({ level: 'error', file: model.path, message: model.failure ?? 'It could not be audited.' });
      return text
        .split(/(?<=\n)/)
        .map(add)
        .join('');
    },
    *end() {
      for (const level of LEVELS) {
        const more = (counts.get(level) ?? 0) - (MAX_OF_A_LEVEL - 1);
        if (more === 1) yield tenth.get(level) ?? '';
        else if (more > 1)
          yield `::${level} title=dsc-audit::and ${more} more of this kind: the step's summary has all.\n`;
      }
    },
  };
}

const levelOf = (line: string): string => LEVELS.find((level) => line.startsWith(`::${level} `)) ?? 'notice';
