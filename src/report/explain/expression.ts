/**
 * Arithmetic that shows its work: a formula in symbols, the same with numbers, and what it comes to. All three are made
 * in one step, so that none can say something else than the others.
 */
export interface Expression {
  readonly symbols: string;
  readonly numbers: string;
  readonly value: number;
  /** What holds it together at the outside: a weaker operator gets brackets within a stronger one. */
  readonly binding: Binding;
}

type Binding = 'atom' | 'product' | 'sum';

const FRACTION = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });

/** With thousands separated; whole numbers to the last digit, others to four. */
export const numberText = (value: number): string =>
  Number.isInteger(value) || Math.abs(value) >= 1e4
    ? Math.round(value).toLocaleString('en-US')
    : FRACTION.format(value);

export const named = (symbols: string, value: number): Expression => ({
  symbols,
  numbers: numberText(value),
  value,
  binding: 'atom',
});

/** A number that is the same in every formula: the 2 of 2 × MACs. */
export const literal = (value: number): Expression => named(numberText(value), value);

export function product(...factors: readonly Expression[]): Expression {
  const [only] = factors;
  if (factors.length === 1 && only) return only;
  return joined(factors, ' × ', 'product', (a, b) => a * b, 1);
}

export function sum(...terms: readonly Expression[]): Expression {
  const [only] = terms;
  if (terms.length === 1 && only) return only;
  return joined(terms, ' + ', 'sum', (a, b) => a + b, 0);
}

export function quotient(over: Expression, under: Expression): Expression {
  const [top, bottom] = [bracketed(over, 'product'), bracketed(under, 'atom')];
  return {
    symbols: `${top.symbols} / ${bottom.symbols}`,
    numbers: `${top.numbers} / ${bottom.numbers}`,
    value: over.value / under.value,
    binding: 'product',
  };
}

/** The smaller of two. */
export const least = (one: Expression, other: Expression): Expression => ({
  symbols: `min(${one.symbols}, ${other.symbols})`,
  numbers: `min(${one.numbers}, ${other.numbers})`,
  value: Math.min(one.value, other.value),
  binding: 'atom',
});

/** Several factors under a symbol of their own: k² for 3 × 3. */
export function factorsNamed(symbols: string, factors: readonly number[]): Expression {
  const all = product(...factors.map(literal));
  return { ...all, symbols, binding: factors.length > 1 ? 'product' : 'atom' };
}

function joined(
  parts: readonly Expression[],
  operator: string,
  binding: Binding,
  apply: (a: number, b: number) => number,
  neutral: number,
): Expression {
  const written = parts.map((part) => bracketed(part, binding));
  return {
    symbols: written.map(({ symbols }) => symbols).join(operator),
    numbers: written.map(({ numbers }) => numbers).join(operator),
    value: parts.reduce((result, { value }) => apply(result, value), neutral),
    binding,
  };
}

const STRENGTH: Readonly<Record<Binding, number>> = { sum: 0, product: 1, atom: 2 };

/** In brackets where it binds less than what is around it; what is one word needs none. */
function bracketed(part: Expression, around: Binding): Expression {
  if (STRENGTH[part.binding] >= STRENGTH[around]) return part;
  const inBrackets = (text: string): string => (text.includes(' ') ? `(${text})` : text);
  return { ...part, symbols: inBrackets(part.symbols), numbers: inBrackets(part.numbers), binding: 'atom' };
}
