import type { Chance } from '../chance.ts';
import { mutateBytes } from './bytes.ts';
import { mutateJson } from './json.ts';

/** What begins the structures of an HDF5 file. (HDF5 file format specification 3.0) */
const SIGNATURES = ['TREE', 'HEAP', 'SNOD', 'GCOL', 'OHDR', 'OCHK', 'FRHP', 'BTHD', 'BTLF', '\u0089HDF'];

/** Bytes behind a signature that belong to it, about. */
const REACH = 320;

function structuresIn(bytes: Uint8Array): readonly number[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: number[] = [];
  for (const signature of SIGNATURES) {
    for (let at = buffer.indexOf(signature, 0, 'latin1'); at >= 0; at = buffer.indexOf(signature, at + 1, 'latin1'))
      found.push(at);
  }
  return found;
}

/** The text of the model's JSON, which lies in the file as it is. */
function mutateConfig(bytes: Uint8Array, chance: Chance): Uint8Array | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = buffer.indexOf('{"class_name"');
  if (start < 0) return null;
  const end = buffer.indexOf(0, start);
  const mutated = mutateJson(bytes.subarray(start, end), chance);
  if (mutated.length > end - start) return null;
  const changed = new Uint8Array(bytes);
  changed.fill(0x20, start, end);
  changed.set(mutated, start);
  return changed;
}

/** An HDF5 file with its structures damaged rather than its weights, which nobody looks at. */
export function mutateHdf5(bytes: Uint8Array, chance: Chance): Uint8Array {
  if (chance.oneIn(4)) return mutateConfig(bytes, chance) ?? mutateBytes(bytes, chance);
  const places = structuresIn(bytes);
  if (places.length === 0 || chance.oneIn(6)) return mutateBytes(bytes, chance);
  const at = chance.pick(places);
  // Headers of objects have no signature of their own: they stand between the others.
  const reach = chance.oneIn(2) ? REACH : 8 * REACH;
  return mutateBytes(bytes, chance, at, at + reach);
}
