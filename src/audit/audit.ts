import { type LayerPatterns, MAX_PATTERN_LENGTH } from '../dsc/layer-choice.ts';
import { type LinearAlgebra, loadLinearAlgebra } from '../dsc/linear-algebra.ts';
import { strategyNamed } from '../dsc/strategies/index.ts';
import { type ModelSource, modelBytes, modelFile } from '../formats/model-source.ts';
import { DscAuditError } from '../ir/errors.ts';
import { analyseSource, type InputOptions } from './analyse.ts';
import { auditModel } from './audit-model.ts';
import type { Report } from './report.ts';

/** What an audit may be told. All of it may be left out. */
export interface AuditOptions extends InputOptions {
  /** Globs on layer names: convolutions that are candidates even if a default speaks against it (a stem). */
  readonly include?: readonly string[];
  /** Globs on layer names: convolutions that are left alone, unless `include` names them. */
  readonly exclude?: readonly string[];
  /** How convolutions are replaced: `depthwise-separable` (the default) or `pointwise-depthwise`. */
  readonly strategy?: string;
  /** Read the weights of every candidate, and tell how much of them a replacement holds. Default: no. */
  readonly approximation?: boolean;
  /** What messages and the report call a model that is given as bytes; `-` if left out. */
  readonly path?: string;
}

/**
 * Audits a model: its cost layer by layer, and what each convolution would cost as a depthwise separable one.
 *
 * @param model the path of a model file, or its bytes
 * @throws {DscAuditError} where the model, or an option, cannot be used; the message is one clear sentence
 */
export async function audit(model: string | Uint8Array, options: AuditOptions = {}): Promise<Report> {
  const algebra = options.approximation ? await loadLinearAlgebra() : null;
  if (typeof model === 'string') return auditSource(modelFile(model), options, algebra);
  if (model instanceof Uint8Array) return auditSource(modelBytes(options.path ?? '-', [model]), options, algebra);
  throw new DscAuditError('invalid-option', 'audit() takes the path of a model, or its bytes as a Uint8Array.');
}

/** The same for a source that is already open; it is closed. Weights are factorised where `algebra` is handed in. */
export function auditSource(
  source: ModelSource,
  options: AuditOptions = {},
  algebra: LinearAlgebra | null = null,
): Report {
  const { include = [], exclude = [] } = options;
  checkPatterns({ include, exclude });
  const strategy = strategyNamed(options.strategy);
  const analysis = analyseSource(source, options);
  try {
    return auditModel(analysis, { patterns: { include, exclude }, strategy, algebra });
  } catch (error) {
    if (error instanceof DscAuditError) throw new DscAuditError(error.code, `${source.path}: ${error.message}`);
    throw error;
  } finally {
    analysis.read.close();
  }
}

/** Plain JavaScript hands in what it likes. */
function checkPatterns(options: LayerPatterns): void {
  for (const [option, patterns] of Object.entries(options)) {
    const isList = Array.isArray(patterns) && patterns.every((pattern) => typeof pattern === 'string');
    if (!isList) throw invalid(`${option} takes a list of patterns`);
    if (patterns.some((pattern) => pattern.replace(/^\//, '') === '')) throw invalid(`${option} has an empty pattern`);
    if (patterns.some((pattern) => pattern.length > MAX_PATTERN_LENGTH)) {
      throw invalid(`${option} has a pattern of more than ${MAX_PATTERN_LENGTH} characters`);
    }
  }
}

function invalid(what: string): DscAuditError {
  return new DscAuditError('invalid-option', `${what}.`);
}
