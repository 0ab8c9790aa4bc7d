import type { Expression } from './expression.ts';

/** What a step comes to. */
export type StepUnit = 'count' | 'bytes' | 'FLOPs/byte' | 'FLOP/s' | 'ms' | 'share';

/**
 * Where a step's value comes from:
 * - `formula`: the formula gives it, and where the audit has the figure, both are equal;
 * - `read-off`: one factor of the formula is not in the report, and was read off the audit's figure;
 * - `audit`: the audit's figure alone, which no formula here reproduces.
 */
export type Basis = 'formula' | 'read-off' | 'audit';

/** One figure, worked out. Plain data. */
export interface Step {
  readonly name: string;
  readonly symbols: string | null;
  /** The formula with the layer's own numbers; null where it cannot be filled in. */
  readonly substituted: string | null;
  /** Null where the audit does not know it. */
  readonly value: number | null;
  readonly unit: StepUnit;
  readonly basis: Basis;
  readonly note: string | null;
}

/** Some sentences, and the steps that they are about. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly sentences: readonly string[];
  readonly steps: readonly Step[];
}

export interface Explanation {
  readonly title: string;
  readonly sections: readonly Section[];
}

/** A step that nothing is held against. */
export const step = (
  name: string,
  formula: Expression,
  unit: StepUnit = 'count',
  note: string | null = null,
): Step => ({
  name,
  symbols: formula.symbols,
  substituted: formula.numbers,
  value: formula.value,
  unit,
  basis: 'formula',
  note,
});

/** A formula that may give a figure, with what is to be said of it. */
export interface Attempt {
  readonly formula: Expression;
  readonly note?: string | null;
  /** One factor was read off the figure. */
  readonly isReadOff?: boolean;
}

/** The formulas that a layer of some kind may be counted by; which of them it is, the audit's figure decides. */
export interface FigureRules {
  /** None of them: the kind has no multiply-accumulates. */
  readonly macs: readonly Attempt[];
  readonly params: readonly Attempt[];
  /** FLOPs of what is no multiply-accumulate. */
  readonly otherFlops: readonly Attempt[];
}

const NOT_KNOWN = 'The audit does not know it: the operator, or an extent, is not known.';

/**
 * The step for a figure of the audit: the first formula that gives exactly that figure. Where none does, the figure is
 * told as it is, and that it was not worked out.
 */
export function provenStep(
  name: string,
  figure: number | null,
  attempts: readonly Attempt[],
  { unit = 'count', otherwise }: { readonly unit?: StepUnit; readonly otherwise: string },
): Step {
  const plain = { name, unit, symbols: null, substituted: null, value: figure, basis: 'audit' } as const;
  if (figure === null) return { ...plain, note: NOT_KNOWN };
  const right = attempts.find(({ formula }) => formula.value === figure);
  if (right === undefined) return { ...plain, note: otherwise };
  const { symbols, numbers } = right.formula;
  return {
    ...plain,
    symbols,
    substituted: numbers,
    basis: right.isReadOff ? 'read-off' : 'formula',
    note: right.note ?? null,
  };
}
