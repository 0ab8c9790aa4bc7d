import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addDims,
  bindDim,
  type Dim,
  dimKey,
  divideExactly,
  floorDivideDims,
  maxDims,
  minDims,
  multiplyDims,
  sameDim,
  staticDifference,
  subtractDims,
  symbolicDim,
} from '../../src/ir/dim.ts';

const n = symbolicDim('n');
const m = symbolicDim('m');

type Expression = { readonly symbolic: Dim; readonly concrete: (values: ReadonlyMap<string, number>) => number };

/** Random expressions, built both ways at once. */
const expressions: fc.Arbitrary<Expression> = fc.letrec<{ expression: Expression }>((tie) => {
  const leaf = fc.oneof(
    fc.integer({ min: 0, max: 9 }).map((value) => ({ symbolic: value as Dim, concrete: () => value })),
    fc.constantFrom('n', 'm').map((name) => ({
      symbolic: symbolicDim(name) as Dim,
      concrete: (values: ReadonlyMap<string, number>) => values.get(name) ?? 0,
    })),
  );
  const binary = (combine: (a: Dim, b: Dim) => Dim, compute: (a: number, b: number) => number) =>
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => ({
      symbolic: combine(a.symbolic, b.symbolic),
      concrete: (values: ReadonlyMap<string, number>) => compute(a.concrete(values), b.concrete(values)),
    }));
  return {
    expression: fc.oneof(
      { maxDepth: 4 },
      leaf,
      binary(addDims, (a, b) => a + b),
      binary(subtractDims, (a, b) => a - b),
      binary(multiplyDims, (a, b) => a * b + 0),
      binary(maxDims, Math.max),
      binary(minDims, Math.min),
      binary(
        (a, b) => floorDivideDims(a, 3) ?? addDims(b, 0),
        (a) => Math.floor(a / 3),
      ),
    ),
  };
}).expression;

describe('symbolic dimensions', () => {
  it('compute what numbers compute, once they are bound', () => {
    const values = fc.record({ n: fc.integer({ min: 0, max: 20 }), m: fc.integer({ min: 0, max: 20 }) });
    fc.assert(
      fc.property(expressions, values, ({ symbolic, concrete }, bound) => {
        const bindings = new Map(Object.entries(bound));
        expect(bindDim(symbolic, bindings)).toBe(concrete(bindings));
      }),
    );
  });

  it('are equal when they are the same expression, however it was built', () => {
    expect(sameDim(multiplyDims(addDims(n, 1), 2), addDims(2, addDims(n, n)))).toBe(true);
    expect(dimKey(multiplyDims(addDims(n, m), subtractDims(n, m)))).toBe('-m*m + n*n');
    expect(staticDifference(addDims(n, 7), n)).toBe(7);
    expect(staticDifference(n, m)).toBeNull();
  });

  it('divide exactly where the symbols cancel', () => {
    expect(divideExactly(multiplyDims(n, 12544), 12544)).toEqual(n);
    expect(divideExactly(multiplyDims(n, m), m)).toEqual(n);
    expect(divideExactly(addDims(n, 1), 2)).toBeNull();
    expect(floorDivideDims(n, 0)).toBeNull();
  });

  it('do not grow without end', () => {
    let dim: Dim = n;
    for (let round = 0; round < 60; round++) dim = maxDims(multiplyDims(dim, addDims(m, round)), addDims(dim, m));
    expect(dimKey(dim).length).toBeLessThan(2000);
  });
});
