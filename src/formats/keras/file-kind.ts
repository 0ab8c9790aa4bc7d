import type { ByteSource } from '../byte-source.ts';

/** Every kind of file that Keras writes, by its first bytes. */
const KINDS = [
  { kind: 'archive', begins: [0x50, 0x4b, 0x03, 0x04] },
  { kind: 'h5', begins: [0x89, 0x48, 0x44, 0x46] },
] as const;

export type FileKind = (typeof KINDS)[number]['kind'] | 'json';

export function fileKind(source: ByteSource): FileKind {
  const head = new Uint8Array(4);
  source.read(0, head);
  return KINDS.find(({ begins }) => begins.every((byte, index) => head[index] === byte))?.kind ?? 'json';
}
