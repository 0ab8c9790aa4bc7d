import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQuantity } from '../../src/ir/quantity.ts';

describe('a quantity', () => {
  it.each([
    ['5M', 'count', 5_000_000],
    ['1.1G', 'count', 1_100_000_000],
    ['600k', 'count', 600_000],
    ['600000', 'count', 600_000],
    ['12 M', 'count', 12_000_000],
    ['20MB', 'bytes', 20_000_000],
    ['20MiB', 'bytes', 20 * 2 ** 20],
    ['512kB', 'bytes', 512_000],
    ['100B', 'bytes', 100],
    ['15ms', 'milliseconds', 15],
    ['1.5s', 'milliseconds', 1500],
    ['800us', 'milliseconds', 0.8],
    ['40%', 'share', 0.4],
    ['0', 'bytes', 0],
    ['0', 'share', 0],
  ] as const)('%s of %s is %d', (text, unit, value) => expect(parseQuantity(text, unit)).toBe(value));

  it.each([
    ['NaN', 'count', 'write it as 5M'],
    ['Infinity', 'count', 'write it as 5M'],
    ['-5M', 'count', 'write it as 5M'],
    ['5m', 'count', 'write it as 5M'],
    ['5e9', 'count', 'write it as 5M'],
    ['', 'count', 'write it as 5M'],
    ['5 000 000', 'count', 'write it as 5M'],
    ['20', 'bytes', 'write it as 20MB'],
    ['20Mb', 'bytes', 'write it as 20MB'],
    ['20M', 'bytes', 'write it as 20MB'],
    ['15', 'milliseconds', 'write it as 15ms'],
    ['0.4', 'share', 'write it as 40%'],
    ['5constructor', 'count', 'write it as 5M'],
  ] as const)('%s of %s is refused, with how to write it', (text, unit, hint) => {
    expect(() => parseQuantity(text, unit)).toThrow(hint);
  });

  it('is exact in powers of ten', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_000_000 }), (thousandths) => {
        expect(parseQuantity(`${(thousandths / 1000).toFixed(3)}G`, 'count')).toBe(thousandths * 1_000_000);
      }),
    );
  });
});
