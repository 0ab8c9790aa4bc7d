/** Indices of two things that belong together. */
export type Pair = readonly [before: number, after: number];

/** Cells of a table that the exact method may fill, in one stretch and in all of them together. */
const MAX_CELLS = 1_000_000;
const MAX_ALL_CELLS = 30_000_000;

/** Visits of an element while stretches are split, on average: hostile sequences split badly. */
const MAX_VISITS = 60;

interface Stretch {
  readonly fromBefore: number;
  readonly toBefore: number;
  readonly fromAfter: number;
  readonly toAfter: number;
}

/**
 * Pairs equal keys of two sequences without crossings, as many as it can in bounded time: stretches are trimmed at
 * both ends and split at keys that occur once on either side (patience diff), and what is left is matched by longest
 * common subsequence where it is small. The pairs are in order.
 */
export function align(before: readonly string[], after: readonly string[]): readonly Pair[] {
  const pairs: Pair[] = [];
  const stretches: Stretch[] = [{ fromBefore: 0, toBefore: before.length, fromAfter: 0, toAfter: after.length }];
  let visits = MAX_VISITS * (before.length + after.length);
  let cells = MAX_ALL_CELLS;
  for (let stretch = stretches.pop(); stretch !== undefined && visits > 0; stretch = stretches.pop()) {
    const rest = trimmed(before, after, stretch, pairs);
    const [rows, columns] = [rest.toBefore - rest.fromBefore, rest.toAfter - rest.fromAfter];
    if (rows === 0 || columns === 0) continue;
    visits -= rows + columns;
    const anchors = increasing(uniquePairs(before, after, rest));
    if (anchors.length > 0) {
      pairs.push(...anchors);
      stretches.push(...between(anchors, rest));
    } else if (rows * columns <= Math.min(MAX_CELLS, cells)) {
      cells -= rows * columns;
      pairs.push(...commonSubsequence(before, after, rest));
    }
  }
  return pairs.sort(([a], [b]) => a - b);
}

/** What is left between equal ends, which are paired. */
function trimmed(before: readonly string[], after: readonly string[], stretch: Stretch, pairs: Pair[]): Stretch {
  let { fromBefore, toBefore, fromAfter, toAfter } = stretch;
  while (fromBefore < toBefore && fromAfter < toAfter && before[fromBefore] === after[fromAfter]) {
    pairs.push([fromBefore++, fromAfter++]);
  }
  while (fromBefore < toBefore && fromAfter < toAfter && before[toBefore - 1] === after[toAfter - 1]) {
    pairs.push([--toBefore, --toAfter]);
  }
  return { fromBefore, toBefore, fromAfter, toAfter };
}

/** Keys that occur once on either side, in the order of the first. */
function uniquePairs(before: readonly string[], after: readonly string[], stretch: Stretch): readonly Pair[] {
  const places = onlyPlaces(after, stretch.fromAfter, stretch.toAfter);
  const pairs: Pair[] = [];
  for (const [key, index] of onlyPlaces(before, stretch.fromBefore, stretch.toBefore)) {
    const place = places.get(key);
    if (index !== null && place !== undefined && place !== null) pairs.push([index, place]);
  }
  return pairs.sort(([a], [b]) => a - b);
}

/** Where each key stands; null where it stands more than once. */
function onlyPlaces(keys: readonly string[], from: number, to: number): ReadonlyMap<string, number | null> {
  const places = new Map<string, number | null>();
  for (let index = from; index < to; index++) {
    const key = keys[index] ?? '';
    places.set(key, places.has(key) ? null : index);
  }
  return places;
}

/** The longest part in which the second index rises too (patience sorting, n log n). */
function increasing(pairs: readonly Pair[]): readonly Pair[] {
  const tails: number[] = [];
  const previous: number[] = [];
  for (const [at, [, after]] of pairs.entries()) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const tail = pairs[tails[middle] ?? 0];
      if (tail !== undefined && tail[1] < after) low = middle + 1;
      else high = middle;
    }
    previous.push(tails[low - 1] ?? -1);
    tails[low] = at;
  }
  const chain: Pair[] = [];
  for (let at = tails.at(-1) ?? -1; at >= 0; at = previous[at] ?? -1) {
    const pair = pairs[at];
    if (pair !== undefined) chain.push(pair);
  }
  return chain.reverse();
}

function between(anchors: readonly Pair[], { fromBefore, toBefore, fromAfter, toAfter }: Stretch): readonly Stretch[] {
  const ends: readonly Pair[] = [...anchors, [toBefore, toAfter]];
  let [before, after] = [fromBefore, fromAfter];
  return ends.map(([nextBefore, nextAfter]) => {
    const stretch = { fromBefore: before, toBefore: nextBefore, fromAfter: after, toAfter: nextAfter };
    [before, after] = [nextBefore + 1, nextAfter + 1];
    return stretch;
  });
}

/** The textbook table: lengths of common subsequences of the tails. */
function commonSubsequence(before: readonly string[], after: readonly string[], stretch: Stretch): readonly Pair[] {
  const { fromBefore, toBefore, fromAfter, toAfter } = stretch;
  const [rows, columns] = [toBefore - fromBefore, toAfter - fromAfter];
  const lengths = new Uint32Array((rows + 1) * (columns + 1));
  const lengthAt = (row: number, column: number): number => lengths[row * (columns + 1) + column] ?? 0;
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      lengths[row * (columns + 1) + column] =
        before[fromBefore + row] === after[fromAfter + column]
          ? lengthAt(row + 1, column + 1) + 1
          : Math.max(lengthAt(row + 1, column), lengthAt(row, column + 1));
    }
  }
  const pairs: Pair[] = [];
  for (let [row, column] = [0, 0]; row < rows && column < columns; ) {
    if (before[fromBefore + row] === after[fromAfter + column]) {
      pairs.push([fromBefore + row++, fromAfter + column++]);
    } else if (lengthAt(row + 1, column) >= lengthAt(row, column + 1)) row++;
    else column++;
  }
  return pairs;
}
