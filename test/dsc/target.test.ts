import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../src/dsc/target.ts';

describe('a target', () => {
  it.each([
    ['macs=-50%', { metric: 'macs', reduction: 0.5, limit: null }],
    ['macs=−12.5%', { metric: 'macs', reduction: 0.125, limit: null }],
    ['params=5M', { metric: 'params', reduction: null, limit: 5e6 }],
    ['params=600000', { metric: 'params', reduction: null, limit: 6e5 }],
    ['size=20MiB', { metric: 'size', reduction: null, limit: 20 * 2 ** 20 }],
    ['latency=15ms', { metric: 'latency', reduction: null, limit: 15 }],
  ])('%s', (text, target) => {
    expect(parseTarget(text)).toEqual({ text, ...target });
  });

  it.each([
    ['macs', 'is no target'],
    ['=5', 'is no target'],
    ['toString=5', 'is no target'],
    ['macs=50%', 'as in macs=-50%'],
    ['macs=-5M', 'as in macs=-50%'],
    ['macs=-100%', 'between 0 % and 100 %'],
    ['params=5MB', 'is no count; write it as 5M'],
    ['params=5m', 'is no count; write it as 5M'],
    ['size=20', 'write it as 20MB'],
    ['size=0', 'larger than 0'],
  ])('is not spelt %s', (text, hint) => {
    expect(() => parseTarget(text)).toThrow(hint);
  });
});
