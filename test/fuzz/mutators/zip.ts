import { bytesSource, readExactly } from '../../../src/formats/byte-source.ts';
import { readArchive } from '../../../src/formats/keras/zip-archive.ts';
import { type ZipEntry, zipBytes } from '../../support/zip.ts';
import type { Chance } from '../chance.ts';
import { mutateBytes } from './bytes.ts';

type MutateFile = (name: string, bytes: Uint8Array, chance: Chance) => Uint8Array;

/** The files of a whole archive. */
function filesOf(archive: Uint8Array): readonly ZipEntry[] {
  return Array.from(readArchive(bytesSource([archive])), ([name, { size, open }]) => ({
    name,
    data: readExactly(open(), 0, size),
  }));
}

const SIZES: readonly number[] = [0, 1, 100, 0xfffe, 0x7fffffff, 0xfffffffe, 0xffffffff];

function lie(entry: ZipEntry, chance: Chance): ZipEntry {
  const size = (): number => chance.pick([...SIZES, entry.data.length + 1, entry.data.length - 1]) >>> 0;
  return {
    ...entry,
    ...chance.pick([
      { deflated: true },
      { told: { size: size() } },
      { told: { packed: size() } },
      { told: { offset: size() } },
      { told: { flags: chance.below(65_536) } },
      { deflated: true, told: { size: size() } },
      { name: chance.pick(['', '../x', 'config.json', '\0', `${entry.name}x`]) },
    ]),
  };
}

/** An archive with one of its files changed, or with what it tells of them. */
export function mutateZip(archive: Uint8Array, chance: Chance, mutateFile: MutateFile): Uint8Array {
  if (chance.oneIn(8)) return mutateBytes(archive, chance);
  const files = [...filesOf(archive)];
  const changed = chance.below(files.length);
  const entries = files.map((file, index) => {
    const data = index === changed ? mutateFile(file.name, file.data, chance) : file.data;
    const entry = { ...file, data, deflated: chance.oneIn(4) };
    return chance.oneIn(10) ? lie(entry, chance) : entry;
  });
  if (chance.oneIn(20)) entries.splice(chance.below(entries.length), 1);
  if (chance.oneIn(20)) entries.push(chance.pick(files) as ZipEntry & { deflated: boolean });
  const bytes = zipBytes(entries);
  // The table of contents lies at the end.
  return chance.oneIn(8) ? mutateBytes(bytes, chance, Math.max(0, bytes.length - 400)) : bytes;
}
