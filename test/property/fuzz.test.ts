import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelBytes } from '../../src/formats/model-source.ts';
import { DscAuditError } from '../../src/ir/errors.ts';
import { auditOnnx, FIXTURES, modelsIn } from '../support/models.ts';
import { scanFields, type WireField } from '../support/wire-fields.ts';

/** The law of the reader: a report, or an error with one sentence; never anything else. */
function holds(bytes: Uint8Array): void {
  try {
    expect(auditOnnx(modelBytes('mutated.onnx', [bytes])).schemaVersion).toBe('1.0');
  } catch (error) {
    if (!(error instanceof DscAuditError)) throw error;
    expect(error.message.length).toBeGreaterThan(10);
  }
}

const folder = join(FIXTURES, 'edge');
const SEEDS = modelsIn(folder).map((name) => new Uint8Array(readFileSync(join(folder, `${name}.onnx`))));
const FIELDS = SEEDS.map(scanFields);

interface Mutation {
  readonly seed: number;
  readonly at: number;
  readonly byte: number;
  readonly span: number;
}

const mutations = fc.record({
  seed: fc.nat({ max: SEEDS.length - 1 }),
  at: fc.double({ min: 0, max: 0.999999, noNaN: true }),
  byte: fc.integer({ min: 0, max: 255 }),
  span: fc.integer({ min: 1, max: 24 }),
});

type Mutate = (bytes: Uint8Array, mutation: Mutation, fields: readonly WireField[]) => Uint8Array;

const position = (bytes: Uint8Array, { at }: Mutation): number => Math.floor(at * bytes.length);

/** A field that begins where the mutation points, with all that it holds. */
const field = (fields: readonly WireField[], { at }: Mutation): WireField =>
  fields[Math.floor(at * fields.length)] ?? { start: 0, content: 0, end: 0 };

const join2 = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** Plain damage, and damage that keeps the wire format whole so that it reaches the graph. */
const MUTATIONS: Readonly<Record<string, Mutate>> = {
  'a byte is changed': (bytes, mutation) => {
    const changed = bytes.slice();
    changed[position(bytes, mutation)] = mutation.byte;
    return changed;
  },
  'bytes are overwritten': (bytes, mutation) => {
    const start = position(bytes, mutation);
    return bytes.slice().fill(mutation.byte, start, start + mutation.span);
  },
  'the end is cut off': (bytes, mutation) => bytes.slice(0, position(bytes, mutation)),
  'a piece is taken out': (bytes, mutation) => {
    const start = position(bytes, mutation);
    return join2(bytes.subarray(0, start), bytes.subarray(start + mutation.span));
  },
  'a piece is doubled': (bytes, mutation) => {
    const end = position(bytes, mutation) + mutation.span;
    return join2(bytes.subarray(0, end), bytes.subarray(end - mutation.span));
  },
  "a varint's value is changed": (bytes, mutation, fields) => {
    const { content, end } = field(
      fields.filter((one) => one.isVarint),
      mutation,
    );
    const changed = bytes.slice();
    for (let at = content; at < end; at++) changed[at] = ((changed[at] ?? 0) & 0x80) | (mutation.byte & 0x7f);
    return changed;
  },
  'a name, a type or a shape is changed': (bytes, mutation, fields) => {
    const { content, end } = field(
      fields.filter((one) => !one.isVarint),
      mutation,
    );
    if (end === content) return bytes;
    const changed = bytes.slice();
    changed[content + (mutation.span % (end - content))] = mutation.byte;
    return changed;
  },
};

describe('a mutated model gives a report or one clear error', () => {
  it.each(Object.entries(MUTATIONS))('when %s', (_, mutate) => {
    fc.assert(
      fc.property(mutations, (mutation) => {
        const seed = SEEDS[mutation.seed] ?? new Uint8Array(0);
        holds(mutate(seed, mutation, FIELDS[mutation.seed] ?? []));
      }),
      { numRuns: 400, seed: 20_240_517 },
    );
  });

  it('when it is noise', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), holds), { numRuns: 500, seed: 20_240_517 });
  });
});
