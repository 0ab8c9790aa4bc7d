import { posix } from 'node:path';
import { DscAuditError } from '../../ir/errors.ts';
import type { ByteSource } from '../byte-source.ts';
import type { ModelSource } from '../model-source.ts';

/** Where a tensor's elements lie outside the model's file. */
export interface ExternalLocation {
  readonly file: string;
  readonly offset: number;
  /** Null: to the end of the file. */
  readonly length: number | null;
}

/** Reads the `external_data` entries of a tensor. */
export function externalLocation(
  tensorName: string,
  entries: readonly { key?: string | null; value?: string | null }[],
): ExternalLocation {
  const values = new Map(entries.map(({ key, value }) => [key ?? '', value ?? '']));
  const file = values.get('location');
  if (!file) {
    throw new DscAuditError('malformed-model', `tensor '${tensorName}' is stored outside the file, but names no file.`);
  }
  const length = values.get('length');
  return {
    file,
    offset: byteCount(tensorName, 'offset', values.get('offset') ?? '0'),
    length: length === undefined ? null : byteCount(tensorName, 'length', length),
  };
}

function byteCount(tensorName: string, key: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new DscAuditError('malformed-model', `tensor '${tensorName}': external ${key} '${text}' is no byte count.`);
  }
  return value;
}

/** The files beside a model that hold its weights: each opened once, when first needed. */
export class ExternalFiles {
  readonly #model: ModelSource;
  readonly #opened = new Map<string, ByteSource | null>();
  readonly #missing = new Map<string, number>();

  constructor(model: ModelSource) {
    this.#model = model;
  }

  /** The file's bytes, or null where it is not there: counted, for the report. */
  open(location: string): ByteSource | null {
    const file = posix.normalize(location);
    const known = this.#opened.get(file);
    const source = known === undefined ? this.#model.openBeside(location) : known;
    this.#opened.set(file, source);
    if (source === null) this.#missing.set(file, (this.#missing.get(file) ?? 0) + 1);
    return source;
  }

  /** Files that are not there, with the number of tensors that each should hold. */
  get missing(): ReadonlyMap<string, number> {
    return this.#missing;
  }

  /** Files that have been opened. */
  get names(): readonly string[] {
    return Array.from(this.#opened).flatMap(([name, source]) => (source ? [name] : []));
  }

  /** Size of all the files, each counted once under whatever names; null where one is missing. */
  get totalBytes(): number | null {
    const sizes = new Map<string, number>();
    for (const [name, source] of this.#opened) {
      if (source === null) return null;
      sizes.set(source.identity ?? name, source.size);
    }
    return [...sizes.values()].reduce((total, size) => total + size, 0);
  }

  close(): void {
    for (const source of this.#opened.values()) source?.close();
  }
}
