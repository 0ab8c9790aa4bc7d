import { MAX_PATTERN_LENGTH } from '../dsc/layer-choice.ts';
import { type ModelSource, modelBytes, modelFile } from '../formats/model-source.ts';
import { readModel } from '../formats/read-model.ts';
import { DscAuditError } from '../ir/errors.ts';
import { UnboundDimensions } from '../passes/bind-inputs.ts';
import { auditModel } from './audit-model.ts';
import { openDimensionsError } from './open-dimensions.ts';
import type { Report } from './report.ts';

/** What an audit may be told. All of it may be left out. */
export interface AuditOptions {
  /** Values of open dimensions by name; the batch alone defaults to 1. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Shapes of inputs by name; under the empty name that of the only input. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Globs on layer names: convolutions that are candidates even if a default speaks against it (a stem). */
  readonly include?: readonly string[];
  /** Globs on layer names: convolutions that are left alone, unless `include` names them. */
  readonly exclude?: readonly string[];
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
  if (typeof model === 'string') return auditSource(modelFile(model), options);
  if (model instanceof Uint8Array) return auditSource(modelBytes(options.path ?? '-', [model]), options);
  throw new DscAuditError('invalid-option', 'audit() takes the path of a model, or its bytes as a Uint8Array.');
}

/** The same for a source that is already open; it is closed. */
export function auditSource(source: ModelSource, options: AuditOptions = {}): Report {
  checkOptions(options);
  const read = readModel(source);
  try {
    return auditModel(read, {
      path: source.path,
      dims: new Map(Object.entries(options.dims ?? {})),
      shapes: new Map(Object.entries(options.shapes ?? {})),
      include: options.include ?? [],
      exclude: options.exclude ?? [],
    });
  } catch (error) {
    if (error instanceof UnboundDimensions) throw openDimensionsError(source.path, error, options);
    if (error instanceof DscAuditError) throw new DscAuditError(error.code, `${source.path}: ${error.message}`);
    throw error;
  } finally {
    read.close();
  }
}

const isExtent = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;

/** Plain JavaScript hands in what it likes. */
function checkOptions({ dims = {}, shapes = {}, include = [], exclude = [] }: AuditOptions): void {
  for (const [name, extent] of Object.entries(dims)) {
    if (!isExtent(extent))
      throw invalid(`the dimension '${name}' cannot be ${extent}: a whole number above 0 is needed`);
  }
  for (const [name, shape] of Object.entries(shapes)) {
    if (!Array.isArray(shape) || !shape.every(isExtent)) {
      throw invalid(`the shape of '${name}' cannot be ${shape}: a list of whole numbers above 0 is needed`);
    }
  }
  for (const [option, patterns] of Object.entries({ include, exclude })) {
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
