import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Expression, literal, named, product, quotient, sum } from '../../../src/report/explain/expression.ts';
import { evaluate } from '../../support/arithmetic.ts';

const { expressions } = fc.letrec<{ expressions: Expression }>((tie) => ({
  expressions: fc.oneof(
    { maxDepth: 4 },
    fc.integer({ min: 1, max: 40 }).map(literal),
    fc.array(tie('expressions'), { minLength: 1, maxLength: 3 }).map((parts) => sum(...parts)),
    fc.array(tie('expressions'), { minLength: 1, maxLength: 3 }).map((parts) => product(...parts)),
    fc.tuple(tie('expressions'), tie('expressions')).map(([over, under]) => quotient(over, under)),
  ),
}));

describe('an expression', () => {
  it('is written so that whoever computes it gets its value', () => {
    fc.assert(
      fc.property(expressions, ({ numbers, value }) => {
        expect(evaluate(numbers) / value).toBeCloseTo(1, 9);
      }),
    );
  });

  it('has brackets only where they are needed', () => {
    const [a, b, c] = [named('a', 1), named('b', 2), named('c', 3)];
    expect(product(a, sum(b, c)).symbols).toBe('a × (b + c)');
    expect(sum(a, product(b, c)).symbols).toBe('a + b × c');
    expect(quotient(a, product(b, c)).symbols).toBe('a / (b × c)');
    expect(quotient(sum(a, b), c)).toMatchObject({ symbols: '(a + b) / c', numbers: '(1 + 2) / 3', value: 1 });
  });
});
