/** Moves a model's external tensors into one new file, wherever in the model they are. */
import { posix } from 'node:path';
import { DscAuditError } from '../../ir/errors.ts';
import type { ByteSource } from '../byte-source.ts';
import type { Piece } from '../pieces.ts';
import { type ExternalFiles, externalLocation } from './external-data.ts';
import type { PagedReader } from './paged-reader.ts';
import { decodeEntry, encodeEntry } from './proto.ts';
import { bytesField, fieldsOf, lengthDelimited, type WireField } from './wire.ts';

/** Messages that hold tensors, by the number of the field that holds them (onnx.proto). */
const HOLDERS = {
  graph: { 1: 'node', 5: 'tensor', 15: 'sparseTensor' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparseTensor', 23: 'sparseTensor' },
  sparseTensor: { 1: 'tensor', 2: 'tensor' },
  function: { 7: 'node', 11: 'attribute' },
  training: { 1: 'graph', 2: 'graph' },
  tensor: {},
} as const satisfies Record<string, Readonly<Record<number, string>>>;

export type Holder = keyof typeof HOLDERS;

const DATA_LOCATION = 14;
const EXTERNAL_DATA = 13;
const EXTERNAL = 1;

/** Where a tensor's bytes are in the new file. */
const ENTRY_KEYS: ReadonlySet<string> = new Set(['location', 'offset', 'length']);

/** Offsets in the new file are multiples of this: runtimes that map it want elements aligned. */
const ALIGNMENT = 64;

/** The file that a rewritten model's external tensors lie in. */
export class DataFile {
  readonly name: string;
  readonly pieces: Piece[] = [];
  readonly #externals: ExternalFiles;
  readonly #offsets = new Map<string, number>();
  #length = 0;

  constructor(name: string, externals: ExternalFiles) {
    this.name = name;
    this.#externals = externals;
  }

  /** Adds bytes, and gives the entries that say where they are. */
  add(piece: Piece): readonly { readonly key: string; readonly value: string }[] {
    const length = piece.kind === 'bytes' ? piece.bytes.length : piece.length;
    const padding = (ALIGNMENT - (this.#length % ALIGNMENT)) % ALIGNMENT;
    if (padding > 0) this.pieces.push({ kind: 'bytes', bytes: new Uint8Array(padding) });
    this.pieces.push(piece);
    const offset = this.#length + padding;
    this.#length = offset + length;
    return this.#entries(offset, length);
  }

  /** Moves a stretch of an old file, once for all tensors that share it. */
  move(tensor: string, entries: readonly { key?: string | null; value?: string | null }[]) {
    const { file, offset, length } = externalLocation(tensor, entries);
    const source = this.#open(tensor, file);
    const extent = length ?? source.size - offset;
    const key = `${posix.normalize(file)}\0${offset}\0${extent}`;
    const known = this.#offsets.get(key);
    if (known !== undefined) return this.#entries(known, extent);
    const moved = this.add({ kind: 'copy', source, offset, length: extent });
    this.#offsets.set(key, this.#length - extent);
    return moved;
  }

  #open(tensor: string, file: string): ByteSource {
    const source = this.#externals.open(file);
    if (source) return source;
    throw new DscAuditError('cannot-read', `${file} is not there, which holds '${tensor}': nothing can be written.`);
  }

  #entries(offset: number, length: number) {
    return [
      { key: 'location', value: this.name },
      { key: 'offset', value: String(offset) },
      { key: 'length', value: String(length) },
    ];
  }
}

/** A field's pieces with every external tensor in it moved; null where there is none. */
export function relocated(
  reader: PagedReader,
  file: ByteSource,
  field: WireField,
  holder: Holder,
  data: DataFile,
): readonly Piece[] | null {
  const copy = ({ start, end }: WireField): Piece => ({
    kind: 'copy',
    source: file,
    offset: start,
    length: end - start,
  });
  const fields = fieldsOf(reader, field);
  if (holder === 'tensor') {
    const moved = movedEntries(reader, fields, data);
    if (moved === null) return null;
    const kept = fields.filter(({ number }) => number !== EXTERNAL_DATA).map(copy);
    return lengthDelimited(field.number, [...kept, ...moved]);
  }
  const held: Readonly<Record<number, Holder>> = HOLDERS[holder];
  let isChanged = false;
  const pieces = fields.flatMap((inner) => {
    const kind = held[inner.number];
    const changed = kind === undefined ? null : relocated(reader, file, inner, kind, data);
    isChanged ||= changed !== null;
    return changed ?? [copy(inner)];
  });
  return isChanged ? lengthDelimited(field.number, pieces) : null;
}

/** The tensor's `external_data` anew; null where its elements are in the model itself. */
function movedEntries(reader: PagedReader, fields: readonly WireField[], data: DataFile): readonly Piece[] | null {
  const location = fields.findLast(({ number }) => number === DATA_LOCATION);
  if (location === undefined) return null;
  reader.pos = location.content;
  if (reader.uint32() !== EXTERNAL) return null;
  const entries = fields
    .filter(({ number }) => number === EXTERNAL_DATA)
    .map(({ content, end }) => {
      reader.pos = content;
      return decodeEntry(reader, end - content);
    });
  const others = entries.filter(({ key }) => !ENTRY_KEYS.has(key ?? ''));
  return [...data.move('a tensor', entries), ...others].flatMap((entry) =>
    bytesField(EXTERNAL_DATA, encodeEntry(entry)),
  );
}
