import { describe, expect, it } from 'vitest';
import { median, undisturbed } from '../../src/latency/undisturbed.ts';

describe('what a run takes undisturbed', () => {
  it('is the least of a few', () => {
    expect(undisturbed([9, 3, 30, 4])).toBe(3);
  });

  it('is what a quarter of many lie below, however slow the others are', () => {
    const times = [...Array.from({ length: 10 }, (_, index) => 10 + index), ...new Array<number>(11).fill(1000)];
    expect(undisturbed(times)).toBe(15);
  });

  it('is not known of none', () => {
    expect(undisturbed([])).toBeNull();
  });
});

describe('the median', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
  ])('of %j is %d', (values, middle) => {
    expect(median(values)).toBe(middle);
  });

  it('is not known of none', () => {
    expect(median([])).toBeNull();
  });
});
