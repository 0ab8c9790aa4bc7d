import type { ChalkInstance } from 'chalk';
import { plainText, shorten, wrap } from '../plain-text.ts';
import { milliseconds } from '../units.ts';
import type { Explanation, Section, Step, StepUnit } from './explanation.ts';
import { numberText } from './expression.ts';

interface TextOptions {
  readonly width: number;
  readonly style: ChalkInstance;
}

/** An explanation for a person at a terminal: no line is wider than `width`. */
export function renderExplanation({ title, sections }: Explanation, { width, style }: TextOptions): string {
  const lines = [
    style.bold(shorten(plainText(title), width)),
    ...sections.flatMap((section) => ['', ...sectionLines(section, { width, style })]),
  ];
  return `${lines.join('\n')}\n`;
}

function sectionLines({ title, sentences, steps }: Section, { width, style }: TextOptions): readonly string[] {
  const nameWidth = Math.max(0, ...steps.map(({ name }) => name.length));
  return [
    style.bold(shorten(plainText(title), width)),
    ...sentences.flatMap((sentence) => indented(sentence, '  ', width)),
    ...(steps.length > 0 ? [''] : []),
    ...steps.flatMap((step) => stepLines(step, nameWidth, { width, style })),
  ];
}

/** `MACs  H × W × M = 56 × 56 × 64`, over as many lines as it takes. */
function stepLines(step: Step, nameWidth: number, { width, style }: TextOptions): readonly string[] {
  const margin = ' '.repeat(nameWidth + 4);
  const result = `= ${valueText(step.value, step.unit)}`;
  const formula = saysTheResult(step) ? null : step.substituted;
  const parts = [
    ...(step.symbols === null || isPlain(step) ? [] : [step.symbols]),
    ...(formula === null || isPlain(step) ? [] : [`= ${formula}`]),
    result,
  ];
  const whole = parts.join(' ');
  const shown = whole.length <= width - margin.length ? [whole] : parts;
  const lines = shown.flatMap((part) => indented(part, margin, width));
  const notes = [...(step.note === null ? [] : indented(step.note, margin, width))];
  const [first = margin, ...rest] = lines;
  return [
    `  ${step.name.padEnd(nameWidth)}  ${first.slice(margin.length)}`,
    ...rest,
    ...notes.map((note) => style.dim(note)),
  ];
}

/** A formula of one number. */
const saysTheResult = ({ substituted, value }: Step): boolean => value !== null && substituted === numberText(value);

/** The formula is its value and says nothing more: 0. */
const isPlain = ({ symbols, value }: Step): boolean => symbols === String(value);

function indented(sentence: string, margin: string, width: number): readonly string[] {
  const room = width - margin.length;
  const words = plainText(sentence).split(' ');
  return wrap(words.map((word) => shorten(word, room)).join(' '), room).map((line) => margin + line);
}

const VALUES: Readonly<Record<StepUnit, (value: number) => string>> = {
  count: numberText,
  bytes: (value) => `${numberText(value)} bytes`,
  'FLOPs/byte': (value) => `${value.toPrecision(3)} FLOPs/byte`,
  'FLOP/s': (value) => `${(value / 1e9).toPrecision(3)} GFLOP/s`,
  ms: milliseconds,
  share: (value) => `${(100 * value).toPrecision(3)} %`,
};

const valueText = (value: number | null, unit: StepUnit): string =>
  value === null ? 'not known' : VALUES[unit](value);
