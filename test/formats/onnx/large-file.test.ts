import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelFile } from '../../../src/formats/model-source.ts';
import { auditOnnx } from '../../support/models.ts';

const LENGTH_DELIMITED = 2;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

const number = (field: number, value: number): number[] => [...varint(field * 8), ...varint(value)];
const head = (field: number, length: number): number[] => [...varint(field * 8 + LENGTH_DELIMITED), ...varint(length)];
const text = (field: number, value: string): number[] => [...head(field, value.length), ...Buffer.from(value)];
const message = (field: number, ...parts: number[][]): number[] => [
  ...head(field, parts.flat().length),
  ...parts.flat(),
];

const WIDTH = 16_384;
const WEIGHT_BYTES = 4 * WIDTH * WIDTH;

/** A chain of matrix products with its weights in the file, of which only the descriptions are written: the rest is a hole. */
function writeSparseModel(path: string, layers: number): number {
  const shape = message(2, message(1, number(1, 1)), message(1, number(1, WIDTH)));
  const input = message(11, text(1, 'h0'), message(2, message(1, number(1, 1), shape)));
  const output = message(12, text(1, `h${layers}`));
  const nodes = Array.from({ length: layers }, (_, index) =>
    message(1, text(1, `h${index}`), text(1, `w${index}`), text(2, `h${index + 1}`), text(4, 'MatMul')),
  );
  const heads = Array.from({ length: layers }, (_, index) => {
    const described = [
      ...number(1, WIDTH),
      ...number(1, WIDTH),
      ...number(2, 1),
      ...text(8, `w${index}`),
      ...head(9, WEIGHT_BYTES),
    ];
    return [...head(5, described.length + WEIGHT_BYTES), ...described];
  });
  const before = [...nodes.flat(), ...input, ...output];
  const graphBytes = before.length + heads.reduce((sum, bytes) => sum + bytes.length + WEIGHT_BYTES, 0);
  const start = [...number(1, 8), ...message(8, number(2, 17)), ...head(7, graphBytes), ...before];
  const file = openSync(path, 'w');
  let at = writeSync(file, Uint8Array.from(start), 0, start.length, 0);
  for (const bytes of heads) {
    writeSync(file, Uint8Array.from(bytes), 0, bytes.length, at);
    at += bytes.length + WEIGHT_BYTES;
  }
  ftruncateSync(file, at);
  closeSync(file);
  return at;
}

describe('a model with its weights in the file', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dsc-audit-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['2 GB', 3],
    ['4 GB', 5],
  ])('of more than %s is audited without reading them', (_, layers) => {
    const path = join(folder, `large-${layers}.onnx`);
    const fileBytes = writeSparseModel(path, layers);
    const report = auditOnnx(modelFile(path));
    expect(report.model.fileBytes).toBe(fileBytes);
    expect(report.totals).toMatchObject({
      macs: layers * WIDTH * WIDTH,
      params: { total: layers * WIDTH * WIDTH },
      weightBytes: layers * WEIGHT_BYTES,
      isLowerBound: false,
    });
  });
});
