import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-web';
import { expect } from 'vitest';
import type { PrepareFitting } from '../../src/audit/fit-to-samples.ts';
import type { LatencyProjector } from '../../src/audit/latency-figures.ts';
import { type RewriteOptions, type RewrittenModel, rewriteModel } from '../../src/audit/rewrite-model.ts';
import type { RewriteReport } from '../../src/audit/rewrite-report.ts';
import { type LinearAlgebra, loadLinearAlgebra } from '../../src/dsc/linear-algebra.ts';
import { DEFAULT_STRATEGY } from '../../src/dsc/strategies/index.ts';
import { type FileKind, fileKind } from '../../src/formats/keras/file-kind.ts';
import { type ModelSource, modelBytes, modelFile } from '../../src/formats/model-source.ts';
import { writeFiles } from '../../src/formats/output-file.ts';
import { randomFloats } from '../runtime/random.ts';
import { auditOnnx } from './models.ts';

/** Every candidate at rank 1, the weights alone. */
const PLAIN_WISH: RewriteOptions['wish'] = {
  strategy: DEFAULT_STRATEGY,
  between: 'none',
  rank: 1,
  minEnergy: 0,
  target: null,
  fitted: false,
};

export interface Rewriting {
  readonly report: RewriteReport;
  readonly path: string;
  readonly bytes: Uint8Array;
}

let algebra: Promise<LinearAlgebra> | null = null;

export const sharedAlgebra = (): Promise<LinearAlgebra> => {
  algebra ??= loadLinearAlgebra();
  return algebra;
};

/** A folder that is there as long as the test runs. */
export async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'dsc-audit-rewrite-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How the names of Keras's files end. */
const ENDINGS: Readonly<Record<FileKind, string>> = { archive: '.keras', h5: '.h5', json: '.json' };

/** Keras writes JSON, or what its first bytes tell. */
function outputName({ bytes }: ModelSource): string {
  const head = new Uint8Array(1);
  bytes.read(0, head);
  const kind = fileKind(bytes);
  return `light${kind === 'json' && head[0] !== 0x7b ? '.onnx' : ENDINGS[kind]}`;
}

/** Rewrites a model, given by its path or its bytes, into a folder. */
export async function rewriteInto(
  folder: string,
  model: string | Uint8Array,
  wish: Partial<RewriteOptions['wish']> = {},
  patterns: { readonly include?: readonly string[]; readonly exclude?: readonly string[] } = {},
  fitting: PrepareFitting | null = null,
  projector: LatencyProjector | null = null,
): Promise<Rewriting> {
  const source = typeof model === 'string' ? modelFile(model) : modelBytes('model', [model]);
  const path = join(folder, outputName(source));
  const options = { include: [], exclude: [], ...patterns, wish: { ...PLAIN_WISH, ...wish }, output: path };
  const rewritten: RewrittenModel = await rewriteModel(source, options, {
    algebra: await sharedAlgebra(),
    prepareFitting: fitting,
    projector,
  });
  try {
    writeFiles(rewritten.files);
  } finally {
    rewritten.close();
  }
  return { report: rewritten.report, path, bytes: readFileSync(path) };
}

/** All outputs of a model on seeded random inputs, one after the other. */
export async function outputsOf(
  bytes: Uint8Array,
  shapes: Readonly<Record<string, readonly number[]>>,
  externalData: readonly { readonly path: string; readonly data: Uint8Array }[] = [],
): Promise<Float32Array> {
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'basic',
    externalData: [...externalData],
  });
  const feeds = Object.entries(shapes).map(([name, shape], index) => {
    const count = shape.reduce((product, extent) => product * extent, 1);
    return [name, new ort.Tensor('float32', randomFloats(index + 1, count), [...shape])];
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  const floats = session.outputNames.flatMap((name) => {
    const data = results[name]?.data;
    return data instanceof Float32Array ? Array.from(data) : [];
  });
  return Float32Array.from(floats);
}

/** Greatest difference, relative to the greatest value. */
export function greatestDifference(found: Float32Array, expected: Float32Array): number {
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
  if (found.length !== expected.length || found.length === 0) return Number.POSITIVE_INFINITY;
  return found.reduce((most, value, index) => Math.max(most, Math.abs(value - (expected[index] ?? 0))), 0) / scale;
}

/** The written model audited again tells what was foretold. */
export function expectAsForetold({ before, after }: RewriteReport, path: string): void {
  const { totals, model } = auditOnnx(modelFile(path));
  expect({ ...after, latencyMs: null }).toEqual({
    params: totals.params.total,
    macs: totals.macs,
    flops: totals.flops,
    weightBytes: totals.weightBytes,
    fileBytes: model.fileBytes,
    latencyMs: null,
    isLatencyLowerBound: false,
    isLowerBound: totals.isLowerBound,
  });
  expect(before.macs).toBeGreaterThan(0);
}
