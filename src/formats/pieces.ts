/**
 * A file as the pieces it is put together from: stretches of other files that are copied, and bytes that are new. Its
 * size is known before a byte is written, and no more than a piece is in memory at a time.
 */
import { type ByteSource, readExactly } from './byte-source.ts';

export type Piece =
  | { readonly kind: 'copy'; readonly source: ByteSource; readonly offset: number; readonly length: number }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'made'; readonly length: number; readonly make: () => Uint8Array };

export const lengthOf = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, piece) => sum + (piece.kind === 'bytes' ? piece.bytes.length : piece.length), 0);

/** Adjacent stretches of one source as one piece. */
export function joined(pieces: readonly Piece[]): readonly Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    const follows =
      piece.kind === 'copy' &&
      last?.kind === 'copy' &&
      last.source === piece.source &&
      last.offset + last.length === piece.offset;
    if (follows) result[result.length - 1] = { ...last, length: last.length + piece.length };
    else result.push(piece);
  }
  return result;
}

/** What is read and written at a time. */
const CHUNK_BYTES = 2 ** 20;

/** The bytes, a chunk after the other. */
export function* chunksOf(pieces: readonly Piece[]): Generator<Uint8Array> {
  for (const piece of pieces) {
    if (piece.kind === 'bytes') yield piece.bytes;
    else if (piece.kind === 'made') yield made(piece);
    else {
      for (let done = 0; done < piece.length; done += CHUNK_BYTES) {
        yield readExactly(piece.source, piece.offset + done, Math.min(CHUNK_BYTES, piece.length - done));
      }
    }
  }
}

function made({ length, make }: Extract<Piece, { kind: 'made' }>): Uint8Array {
  const bytes = make();
  if (bytes.length !== length) throw new Error(`A piece of ${length} bytes has ${bytes.length}.`);
  return bytes;
}
