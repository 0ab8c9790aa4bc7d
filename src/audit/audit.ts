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
  return auditSource(typeof model === 'string' ? modelFile(model) : modelBytes(options.path ?? '-', [model]), options);
}

/** The same for a source that is already open; it is closed. */
export function auditSource(source: ModelSource, options: AuditOptions = {}): Report {
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
    if (error instanceof UnboundDimensions) throw openDimensionsError(source.path, error);
    if (error instanceof DscAuditError) throw new DscAuditError(error.code, `${source.path}: ${error.message}`);
    throw error;
  } finally {
    read.close();
  }
}
