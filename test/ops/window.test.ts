import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bindDim, symbolicDim } from '../../src/ir/dim.ts';
import type { Padding, WindowAttrs } from '../../src/ir/operators.ts';
import { settledPads, windowExtent } from '../../src/ops/window.ts';

interface Case {
  readonly input: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly begin: number;
  readonly end: number;
}

const cases: fc.Arbitrary<Case> = fc.record({
  input: fc.integer({ min: 1, max: 40 }),
  kernel: fc.integer({ min: 1, max: 7 }),
  stride: fc.integer({ min: 1, max: 5 }),
  dilation: fc.integer({ min: 1, max: 3 }),
  begin: fc.integer({ min: 0, max: 4 }),
  end: fc.integer({ min: 0, max: 4 }),
});

function attrsOf({ kernel, stride, dilation }: Case, padding: Padding): WindowAttrs {
  return { kernel: [kernel], strides: [stride], dilations: [dilation], padding };
}

/** Places the window wherever it fits and counts. */
function bruteForce({ input, kernel, stride, dilation, begin, end }: Case): number {
  let positions = 0;
  for (let start = -begin; start + (kernel - 1) * dilation < input + end; start += stride) positions++;
  return positions;
}

/** The same, letting the last window hang over the end as long as it starts before it. */
function bruteForceCeil({ input, kernel, stride, dilation, begin, end }: Case): number {
  let positions = 0;
  let start = -begin;
  for (; start + (kernel - 1) * dilation < input + end; start += stride) positions++;
  const covered = start - stride + (kernel - 1) * dilation + 1 >= input + end;
  return !covered && start < input ? positions + 1 : positions;
}

const fits = (c: Case): boolean => (c.kernel - 1) * c.dilation + 1 <= c.input + c.begin + c.end;

describe('window arithmetic', () => {
  it('counts the positions of a window, padded explicitly', () => {
    fc.assert(
      fc.property(cases.filter(fits), (c) => {
        const attrs = attrsOf(c, { mode: 'explicit', pads: [c.begin, c.end] });
        expect(windowExtent(c.input, 0, c.kernel, attrs)).toBe(bruteForce(c));
      }),
    );
  });

  it('counts those that hang over the end in ceil mode', () => {
    fc.assert(
      fc.property(
        cases.filter((c) => fits(c) && c.end <= (c.kernel - 1) * c.dilation),
        (c) => {
          const attrs = attrsOf(c, { mode: 'explicit', pads: [c.begin, c.end] });
          expect(windowExtent(c.input, 0, c.kernel, attrs, true)).toBe(bruteForceCeil(c));
        },
      ),
    );
  });

  it('pads SAME so that the windows cover the input, and VALID not at all', () => {
    fc.assert(
      fc.property(cases, fc.constantFrom('same-upper' as const, 'same-lower' as const), (c, mode) => {
        const attrs = attrsOf(c, { mode });
        const [begin, end] = settledPads(c.input, 0, c.kernel, attrs);
        expect(bruteForce({ ...c, begin, end })).toBe(windowExtent(c.input, 0, c.kernel, attrs));
        expect(Math.abs(begin - end)).toBeLessThanOrEqual(1);
        expect(mode === 'same-upper' ? end >= begin : begin >= end).toBe(true);
      }),
    );
    fc.assert(
      fc.property(
        cases.filter((c) => fits({ ...c, begin: 0, end: 0 })),
        (c) => {
          const extent = windowExtent(c.input, 0, c.kernel, attrsOf(c, { mode: 'valid' }));
          expect(extent).toBe(bruteForce({ ...c, begin: 0, end: 0 }));
        },
      ),
    );
  });

  it('gives the same with a symbol that is bound later', () => {
    fc.assert(
      fc.property(cases.filter(fits), (c) => {
        const attrs = attrsOf(c, { mode: 'explicit', pads: [c.begin, c.end] });
        const symbolic = windowExtent(symbolicDim('h'), 0, c.kernel, attrs);
        expect(bindDim(symbolic, new Map([['h', c.input]]))).toBe(bruteForce(c));
      }),
    );
  });
});
