import type { Chance } from '../chance.ts';

/** Numbers at which readers go wrong, as little-endian bytes of several widths. */
const EDGES: readonly Uint8Array[] = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0xffffffffn,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
].flatMap((value) =>
  [1, 2, 4, 8].map((width) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return new Uint8Array(bytes.subarray(0, width));
  }),
);

type Mutation = (bytes: Uint8Array, at: number, chance: Chance) => Uint8Array;

const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

function overwritten(bytes: Uint8Array, at: number, patch: Uint8Array): Uint8Array {
  const changed = new Uint8Array(bytes);
  changed.set(patch.subarray(0, changed.length - at), at);
  return changed;
}

/** Damage that knows nothing of a format. */
const MUTATIONS: readonly Mutation[] = [
  (bytes, at, chance) => overwritten(bytes, at, Uint8Array.of((bytes[at] ?? 0) ^ (1 << chance.below(8)))),
  (bytes, at, chance) => overwritten(bytes, at, Uint8Array.of(chance.below(256))),
  (bytes, at, chance) => overwritten(bytes, at, chance.pick(EDGES)),
  (bytes, at, chance) => overwritten(bytes, at - (at % 8), chance.pick(EDGES)),
  (bytes, at, chance) => new Uint8Array(bytes).fill(chance.below(256), at, at + 1 + chance.below(24)),
  (bytes, at, chance) => joined(bytes.subarray(0, at), bytes.subarray(at + 1 + chance.below(24))),
  (bytes, at, chance) => joined(bytes.subarray(0, at), chance.pick(EDGES), bytes.subarray(at)),
  (bytes, at, chance) => joined(bytes.subarray(0, at), bytes.subarray(Math.max(0, at - chance.below(64)))),
  (bytes, at, chance) =>
    overwritten(bytes, at, bytes.subarray(chance.below(bytes.length)).subarray(0, 1 + chance.below(64))),
  (bytes, at, chance) => (chance.oneIn(4) ? bytes.subarray(0, at) : bytes),
];

/** Bytes with a few places damaged, within a stretch where one is told. */
export function mutateBytes(bytes: Uint8Array, chance: Chance, from = 0, end = bytes.length): Uint8Array {
  let mutated = bytes;
  for (let left = 1 + chance.below(3); left > 0 && mutated.length > 0; left--) {
    const last = Math.min(end, mutated.length);
    const at = Math.min(mutated.length - 1, from + chance.below(Math.max(1, last - from)));
    mutated = chance.pick(MUTATIONS)(mutated, at, chance);
  }
  return mutated;
}
