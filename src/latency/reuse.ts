/**
 * How far back in time the bytes lie that a step touches: bytes that were touched since they were touched last. What lies
 * further back than a cache is large has left it, so that a cost by distance is a cost by cache level, whatever the sizes of
 * the caches are.
 */

import { DscAuditError } from '../ir/errors.ts';

/** Distances at which bytes begin to cost more. In between, and up to four times the last, they count in part. */
export const DISTANCES = [32, 128, 512, 2048, 8192, 32768].map((kilobytes) => kilobytes * 1024);

/** Adds to each sum of bytes by distance d: nothing where they lie nearer than d, all from 4 d on, by logarithm in between. */
export function addByDistance(sums: number[], bytes: number, distance: number): void {
  const logarithm = Math.log2(distance);
  for (let index = 0; index < LOGARITHMS.length; index++) {
    const beyond = logarithm - (LOGARITHMS[index] ?? 0);
    if (beyond <= 0) return;
    sums[index] = (sums[index] ?? 0) + (beyond < 2 ? (bytes * beyond) / 2 : bytes);
  }
}

const LOGARITHMS = DISTANCES.map(Math.log2);

/** Hears of bytes, and how far back they lay. */
type Visit = (bytes: number, distance: number) => void;

const CHUNK_BYTES = 32 * 1024;

/** Chunks that are touched in all: 1.5 TiB. The largest networks for images touch a hundredth of it. */
const MAX_VISITS = 50_000_000;

/** The memory of a program in chunks, each with the time it was touched last; time is counted in bytes touched. */
export class ReuseClock {
  private readonly last: Float64Array;
  private time = 0;
  private visits = 0;

  constructor(totalBytes: number) {
    this.last = new Float64Array(Math.ceil(totalBytes / CHUNK_BYTES) + 1).fill(Number.NEGATIVE_INFINITY);
  }

  /** Touches a run of memory while the clock goes on by all that the step touches; tells of each piece how far back it lay. */
  touch(address: number, bytes: number, stepBytes: number, visit: Visit | null): void {
    const first = Math.floor(address / CHUNK_BYTES);
    const end = Math.floor((address + Math.max(1, bytes) - 1) / CHUNK_BYTES) + 1;
    const each = bytes / (end - first);
    this.visits += end - first;
    if (this.visits > MAX_VISITS) {
      throw new DscAuditError('cannot-run', 'its layers together touch too much memory to follow');
    }
    for (let chunk = first; chunk < end; chunk++) {
      const now = this.time + (stepBytes * (chunk - first)) / (end - first);
      visit?.(each, now - (this.last[chunk] ?? Number.NEGATIVE_INFINITY));
      this.last[chunk] = now;
    }
  }

  advance(bytes: number): void {
    this.time += bytes;
  }
}
