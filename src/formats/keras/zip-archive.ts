import { inflateRawSync } from 'node:zlib';
import { DscAuditError } from '../../ir/errors.ts';
import { type ByteSource, bytesSource, readExactly } from '../byte-source.ts';
import { MAX_ARCHIVE_DIRECTORY_BYTES, MAX_ARCHIVE_ENTRIES, MAX_INFLATED_BYTES, MAX_INFLATION } from '../limits.ts';

/** One file of an archive. */
export interface ArchiveEntry {
  /** Bytes of the file, unpacked. */
  readonly size: number;
  /** The file's bytes: read in place where they are stored as they are, else unpacked into memory. */
  open(): ByteSource;
}

/** Sizes and offsets that do not fit their field are told elsewhere (ZIP64). */
const ELSEWHERE = 0xffffffff;

const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const ZIP64_END_BYTES = 56;
const ZIP64_LOCATOR_BYTES = 20;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;

const SIGNATURES = {
  end: 0x06054b50,
  zip64Locator: 0x07064b50,
  zip64End: 0x06064b50,
  entry: 0x02014b50,
  local: 0x04034b50,
};

const STORED = 0;
const DEFLATED = 8;

/** Where a file lies, with its header: it ends there or later. */
interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Where the table of contents lies. */
interface Directory {
  readonly offset: number;
  readonly size: number;
}

/**
 * The files of a zip archive by name: only its table of contents is read. Throws `malformed-model` where the archive is
 * damaged, `limit-exceeded` where it is beyond any real one. (PKWARE, APPNOTE.TXT 6.3.10)
 */
export function readArchive(source: ByteSource): ReadonlyMap<string, ArchiveEntry> {
  const { offset, size } = findDirectory(source);
  if (size > MAX_ARCHIVE_DIRECTORY_BYTES) throw tooLarge(`a table of contents of ${size} bytes`);
  if (offset + size > source.size) throw malformed('its table of contents lies beyond its end');
  const bytes = readExactly(source, offset, size);
  const view = viewOf(bytes);
  const entries = new Map<string, ArchiveEntry>();
  const stretches: Stretch[] = [];
  let at = 0;
  while (at + ENTRY_BYTES <= size && view.getUint32(at, true) === SIGNATURES.entry) {
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const end = at + ENTRY_BYTES + nameLength + extraLength + view.getUint16(at + 32, true);
    if (end > size) throw malformed('its table of contents is cut off');
    const name = new TextDecoder().decode(bytes.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength));
    const extra = bytes.subarray(at + ENTRY_BYTES + nameLength, at + ENTRY_BYTES + nameLength + extraLength);
    if (entries.has(name)) throw malformed(`it holds '${name.slice(0, 80)}' twice`);
    const { stretch, ...entry } = readEntry(source, name.slice(0, 80), view, at, extra);
    entries.set(name, entry);
    stretches.push(stretch);
    if (entries.size > MAX_ARCHIVE_ENTRIES) throw tooLarge(`more than ${MAX_ARCHIVE_ENTRIES} files`);
    at = end;
  }
  checkApart(stretches);
  return entries;
}

/** No two files share bytes: many that share a compressed stream would make any number of bytes of it. */
function checkApart(stretches: readonly Stretch[]): void {
  let end = 0;
  for (const stretch of [...stretches].sort((a, b) => a.start - b.start)) {
    if (stretch.start < end) throw malformed('two of its files share bytes');
    end = stretch.end;
  }
}

/** The record at the end of the file, behind which only a comment may stand. */
function findDirectory(source: ByteSource): Directory {
  const length = Math.min(source.size, END_BYTES + MAX_COMMENT_BYTES);
  const start = source.size - length;
  const view = viewOf(readExactly(source, start, length));
  for (let at = length - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== SIGNATURES.end) continue;
    const directory = { size: view.getUint32(at + 12, true), offset: view.getUint32(at + 16, true) };
    const isElsewhere = directory.size === ELSEWHERE || directory.offset === ELSEWHERE;
    return isElsewhere ? findZip64Directory(source, start + at) : directory;
  }
  throw malformed('it is no zip archive, or cut off: the record at its end is missing');
}

function findZip64Directory(source: ByteSource, end: number): Directory {
  const locatorAt = end - ZIP64_LOCATOR_BYTES;
  if (locatorAt < 0) throw malformed('it is cut off');
  const locator = viewOf(readExactly(source, locatorAt, ZIP64_LOCATOR_BYTES));
  const recordAt = wide(locator, 8);
  if (locator.getUint32(0, true) !== SIGNATURES.zip64Locator || recordAt + ZIP64_END_BYTES > source.size) {
    throw malformed('the record at its end is damaged');
  }
  const record = viewOf(readExactly(source, recordAt, ZIP64_END_BYTES));
  if (record.getUint32(0, true) !== SIGNATURES.zip64End) throw malformed('the record at its end is damaged');
  return { size: wide(record, 40), offset: wide(record, 48) };
}

function readEntry(
  source: ByteSource,
  name: string,
  view: DataView,
  at: number,
  extra: Uint8Array,
): ArchiveEntry & { readonly stretch: Stretch } {
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const widened = widen(
    [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)],
    extra,
    name,
  );
  const [size = 0, packed = 0, headerAt = 0] = widened;
  return {
    size,
    stretch: { start: headerAt, end: headerAt + LOCAL_BYTES + packed },
    open() {
      if ((flags & 1) !== 0) throw malformed(`'${name}' is encrypted`);
      const start = dataStart(source, name, headerAt);
      if (start + packed > source.size)
        throw malformed(`'${name}' should have ${packed} bytes, and the file ends before`);
      if (method === STORED) {
        if (size !== packed)
          throw malformed(`'${name}' is stored as it is, and has two sizes: ${size} and ${packed} bytes`);
        return section(source, start, size);
      }
      if (method !== DEFLATED) throw malformed(`'${name}' is compressed in a way (${method}) that is not understood`);
      return bytesSource([inflate(source, name, start, packed, size)]);
    },
  };
}

/** Sizes and offset that did not fit stand in an extra field, in this order. */
function widen(values: readonly number[], extra: Uint8Array, name: string): readonly number[] {
  if (!values.includes(ELSEWHERE)) return values;
  const view = viewOf(extra);
  const ZIP64_EXTRA = 1;
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== ZIP64_EXTRA) continue;
    let next = at + 4;
    return values.map((value) => {
      if (value !== ELSEWHERE) return value;
      next += 8;
      if (next > extra.length) throw malformed(`the sizes of '${name}' are missing`);
      return wide(view, next - 8);
    });
  }
  throw malformed(`the sizes of '${name}' are missing`);
}

/** The file's bytes follow a header of their own, whose length only it tells. */
function dataStart(source: ByteSource, name: string, headerAt: number): number {
  if (headerAt + LOCAL_BYTES > source.size) throw malformed(`'${name}' lies beyond the end of the file`);
  const header = viewOf(readExactly(source, headerAt, LOCAL_BYTES));
  if (header.getUint32(0, true) !== SIGNATURES.local) throw malformed(`'${name}' is not where it should be`);
  return headerAt + LOCAL_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
}

/** Never makes more than the size that was told, nor more than deflate can. */
function inflate(source: ByteSource, name: string, start: number, packed: number, size: number): Uint8Array {
  if (size > MAX_INFLATED_BYTES) throw tooLarge(`'${name}' of ${size} bytes, compressed: store it as it is`);
  if (size > packed * MAX_INFLATION) throw malformed(`'${name}' cannot grow from ${packed} to ${size} bytes`);
  let bytes: Uint8Array;
  try {
    bytes = inflateRawSync(readExactly(source, start, packed), { maxOutputLength: Math.max(1, size) });
  } catch {
    throw malformed(`'${name}' is damaged, or larger than the ${size} bytes that the archive tells`);
  }
  if (bytes.length !== size) throw malformed(`'${name}' has ${bytes.length} bytes, where the archive tells ${size}`);
  return bytes;
}

/** A stretch of a file as a file. Closing is left to the whole. */
function section(source: ByteSource, start: number, size: number): ByteSource {
  return {
    size,
    read(offset, target) {
      const length = Math.max(0, Math.min(target.length, size - offset));
      return length === 0 ? 0 : source.read(start + offset, target.subarray(0, length));
    },
    close() {},
  };
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** 64 bits, as far as numbers are exact: what is beyond lies beyond any file. */
const wide = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));

function malformed(what: string): DscAuditError {
  return new DscAuditError('malformed-model', `${what}.`);
}

function tooLarge(what: string): DscAuditError {
  return new DscAuditError('limit-exceeded', `holds ${what}.`);
}
