/** Protobuf's wire format: where the fields of a message lie, and how new ones are written. */
import { DscAuditError } from '../../ir/errors.ts';
import { lengthOf, type Piece } from '../pieces.ts';
import type { PagedReader } from './paged-reader.ts';

export interface WireField {
  readonly number: number;
  /** Where the field begins, where its content does (behind the length of a length-delimited one), and its end. */
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

/** The message that fills a stretch of the file. */
export interface Stretch {
  readonly content: number;
  readonly end: number;
}

/** The fields of a message, in the file's order; messages within are stepped over. */
export function fieldsOf(reader: PagedReader, { content, end }: Stretch): readonly WireField[] {
  const fields: WireField[] = [];
  reader.pos = content;
  while (reader.pos < end) {
    const start = reader.pos;
    const tag = reader.uint32();
    const extent = EXTENTS[tag & 7];
    if (extent === undefined) throw malformed(`a field has wire type ${tag & 7}`);
    const length = (tag & 7) === LENGTH_DELIMITED ? reader.uint32() : extent;
    const at = reader.pos;
    reader.skip(length ?? undefined);
    if (reader.pos > end) throw malformed('a part claims more bytes than the whole has');
    fields.push({ number: tag >>> 3, start, content: at, end: reader.pos });
  }
  return fields;
}

const LENGTH_DELIMITED = 2;

/** Bytes of a field's content by wire type; null where the content itself tells. */
const EXTENTS: Readonly<Record<number, number | null>> = { 0: null, 1: 8, [LENGTH_DELIMITED]: null, 5: 4 };

const malformed = (what: string): DscAuditError => new DscAuditError('malformed-model', `damaged: ${what}.`);

/** A field that holds a message, a string or bytes. */
export function lengthDelimited(number: number, content: readonly Piece[]): readonly Piece[] {
  const head = [...varint(number * 8 + LENGTH_DELIMITED), ...varint(lengthOf(content))];
  return [{ kind: 'bytes', bytes: Uint8Array.from(head) }, ...content];
}

export const bytesField = (number: number, bytes: Uint8Array): readonly Piece[] =>
  lengthDelimited(number, [{ kind: 'bytes', bytes }]);

/** Of any size that is exact: lengths beyond 4 GB have more than 32 bits. */
function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}
