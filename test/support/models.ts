import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyseRead } from '../../src/audit/analyse.ts';
import { type AuditOptions, reportOn } from '../../src/audit/audit.ts';
import type { ChosenStrategy } from '../../src/audit/dsc-section.ts';
import { latencyProjector } from '../../src/audit/project-latency.ts';
import type { Report } from '../../src/audit/report.ts';
import { scaleAnalysis } from '../../src/audit/scale-analysis.ts';
import { assessBlocks } from '../../src/dsc/assess-blocks.ts';
import { ALL_STRATEGIES, strategyNamed } from '../../src/dsc/strategies/index.ts';
import type { AnyStrategy } from '../../src/dsc/strategies/strategy.ts';
import { type ModelSource, modelBytes, modelFile } from '../../src/formats/model-source.ts';
import { readOnnx } from '../../src/formats/onnx/read.ts';
import type { ChosenProfile } from '../../src/latency/choose-profile.ts';
import { type ModelSpec, onnxBytes } from './onnx-bytes.ts';

/** Models that come with the project. */
export const FIXTURES = join(import.meta.dirname, '../../fixtures');

/** A larger collection of the same kind, looked at where it is there. */
export const CORPUS = process.env.DSC_AUDIT_CORPUS ?? join(import.meta.dirname, '../../../shared/corpus');

export const hasCorpus = existsSync(CORPUS);

/** Audits an ONNX model without waiting. */
export function auditOnnx(
  source: ModelSource,
  options: AuditOptions = {},
  profile: ChosenProfile | null = null,
): Report {
  const { include = [], exclude = [] } = options;
  const chosen = (strategy: AnyStrategy): ChosenStrategy => {
    if (strategy.replaces === 'convolution') return strategy;
    return { strategy, ratio: options[strategy.ratio.option] ?? strategy.ratio.default, assess: assessBlocks };
  };
  const isAll = options.strategy === 'all';
  const wanted = {
    patterns: { include, exclude },
    strategy: chosen(strategyNamed(isAll ? undefined : options.strategy)),
    compared: isAll ? ALL_STRATEGIES.map(chosen) : [],
    algebra: null,
    projector: profile && latencyProjector(profile),
    training: options.training ?? false,
    memory: options.memory ?? false,
    between: options.between ?? 'none',
  };
  const isScaled = options.width !== undefined || options.resolution !== undefined;
  const scaling = isScaled ? { ...options, scale: scaleAnalysis } : null;
  return reportOn(analyseRead(readOnnx(source), source.path, options), wanted, scaling);
}

export const auditFixture = (path: string, options: AuditOptions = {}): Report =>
  auditOnnx(modelFile(join(FIXTURES, path)), options);

export const auditSpec = (spec: ModelSpec, options: AuditOptions = {}): Report =>
  auditOnnx(modelBytes('test.onnx', [onnxBytes(spec)]), options);

/** What running a model told: executed shapes and MACs. */
export interface Truth {
  readonly inputs: Readonly<Record<string, readonly number[]>> | null;
  readonly outputs: Readonly<Record<string, readonly number[]>> | null;
  readonly macs: number | null;
  readonly macNodes: readonly { readonly name: string; readonly op: string; readonly macs: number }[];
  readonly tensorShapes: Readonly<Record<string, readonly number[]>>;
  readonly expected?: { readonly macs?: number };
}

export function truthOf(folder: string, name: string): Truth {
  return JSON.parse(readFileSync(join(folder, `${name}.truth.json`), 'utf8'));
}

/** Names of the models in a folder, without their ending. */
export function modelsIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.onnx'))
    .map((file) => file.slice(0, -'.onnx'.length));
}

/** Audits a model at the input shapes that its truth was measured at. */
export function auditAtTruth(folder: string, name: string, truth: Truth): Report {
  const source = modelFile(join(folder, `${name}.onnx`));
  return auditOnnx(source, { shapes: truth.inputs ?? {} });
}
