import type { Decision } from './decisions.ts';

/** Neighbouring channels that one or more convolutions decided the number of. */
export interface Segment {
  readonly before: number;
  readonly after: number;
  /** Whose widths it follows; none for channels that stay as they are. */
  readonly decisions: readonly Decision[];
}

/** Which axis of an activation holds channels that may change, and what they are made of. */
export interface Channels {
  readonly axis: number;
  readonly segments: readonly Segment[];
}

export const fixed = (extent: number): readonly Segment[] => [{ before: extent, after: extent, decisions: [] }];

export const before = (segments: readonly Segment[]): number =>
  segments.reduce((sum, segment) => sum + segment.before, 0);

export const after = (segments: readonly Segment[]): number =>
  segments.reduce((sum, segment) => sum + segment.after, 0);

/** Each channel `factor` times: what a flattened map holds of it, or a depthwise convolution with a multiplier. */
export function times(segments: readonly Segment[], factor: number): readonly Segment[] {
  return segments.map((segment) => ({
    ...segment,
    before: segment.before * factor,
    after: segment.after * factor,
  }));
}

/** All of them as one, of which a whole share is taken; null where that is no whole number. */
export function share(segments: readonly Segment[], part: number, whole: number): Segment | null {
  const decisions = segments.flatMap((segment) => segment.decisions);
  const [was, is] = [(before(segments) * part) / whole, (after(segments) * part) / whole];
  return Number.isInteger(was) && Number.isInteger(is) ? { before: was, after: is, decisions } : null;
}

/**
 * Cuts channels into consecutive parts of given extents. A cut inside a segment divides it in proportion; null where that
 * is no whole number.
 */
export function cut(segments: readonly Segment[], extents: readonly number[]): readonly (readonly Segment[])[] | null {
  const queue = [...segments];
  const parts: (readonly Segment[])[] = [];
  for (const extent of extents) {
    const part: Segment[] = [];
    let missing = extent;
    while (missing > 0) {
      const next = queue.shift();
      if (next === undefined) return null;
      if (next.before <= missing) {
        part.push(next);
        missing -= next.before;
        continue;
      }
      const first = share([next], missing, next.before);
      if (first === null) return null;
      part.push(first);
      queue.unshift({ ...next, before: next.before - first.before, after: next.after - first.after });
      missing = 0;
    }
    parts.push(part);
  }
  return parts;
}
