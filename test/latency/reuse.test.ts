import { describe, expect, it } from 'vitest';
import { addByDistance, DISTANCES, ReuseClock } from '../../src/latency/reuse.ts';

const MB = 1024 * 1024;

function distanceOf(clock: ReuseClock, address: number, bytes: number): number {
  let weighted = 0;
  clock.touch(address, bytes, bytes, (piece, distance) => {
    weighted += (piece / bytes) * distance;
  });
  clock.advance(bytes);
  return weighted;
}

describe('how far back bytes lie', () => {
  it('is as much as was touched in between', () => {
    const clock = new ReuseClock(8 * MB);
    distanceOf(clock, 0, MB);
    distanceOf(clock, 4 * MB, 2 * MB);
    expect(distanceOf(clock, 0, MB)).toBe(3 * MB);
    expect(distanceOf(clock, 0, MB)).toBe(MB);
  });

  it('has no end for what was never touched', () => {
    expect(distanceOf(new ReuseClock(MB), 0, MB)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('bytes by distance', () => {
  it('count from a distance on, in part up to four times of it', () => {
    const sums = DISTANCES.map(() => 0);
    addByDistance(sums, 1000, 256 * 1024);
    expect(sums).toEqual([1000, 500, 0, 0, 0, 0]);
  });

  it('never count for more when they lie nearer', () => {
    let before = -1;
    for (let distance = 1024; distance < 1e9; distance *= 1.5) {
      const sums = DISTANCES.map(() => 0);
      addByDistance(sums, 1, distance);
      const total = sums.reduce((sum, share) => sum + share, 0);
      expect(total).toBeGreaterThanOrEqual(before);
      before = total;
    }
  });
});
