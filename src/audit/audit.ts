import { type LayerPatterns, MAX_PATTERN_LENGTH } from '../dsc/layer-choice.ts';
import { type ModelSource, modelBytes, modelFile } from '../formats/model-source.ts';
import { DscAuditError } from '../ir/errors.ts';
import { type ChosenProfile, chooseProfile } from '../latency/choose-profile.ts';
import { thisMachine } from '../latency/machine.ts';
import { analyseSource, type InputOptions } from './analyse.ts';
import { auditModel } from './audit-model.ts';
import type { Report } from './report.ts';

/** What an audit may be told. All of it may be left out. */
export interface AuditOptions extends InputOptions {
  /** Globs on layer names: convolutions that are candidates even if a default speaks against it (a stem). */
  readonly include?: readonly string[];
  /** Globs on layer names: convolutions that are left alone, unless `include` names them. */
  readonly exclude?: readonly string[];
  /** What messages and the report call a model that is given as bytes; `-` if left out. */
  readonly path?: string;
  /**
   * The cost model behind the milliseconds: a profile's path, `reference` for the one that comes with the package, `none` for
   * no milliseconds. Left out, it is what `dsc-audit calibrate` stored for this machine, else the reference.
   */
  readonly profile?: string;
}

/** What an audit is told beside what its options say. */
export interface AuditSetting {
  readonly profile: ChosenProfile | null;
}

/**
 * Audits a model: its cost layer by layer, and what each convolution would cost as a depthwise separable one.
 *
 * @param model the path of a model file, or its bytes
 * @throws {DscAuditError} where the model, or an option, cannot be used; the message is one clear sentence
 */
export async function audit(model: string | Uint8Array, options: AuditOptions = {}): Promise<Report> {
  const setting = { profile: await profileOf(options) };
  if (typeof model === 'string') return auditSource(modelFile(model), options, setting);
  if (model instanceof Uint8Array) return auditSource(modelBytes(options.path ?? '-', [model]), options, setting);
  throw new DscAuditError('invalid-option', 'audit() takes the path of a model, or its bytes as a Uint8Array.');
}

/** The same for a source that is already open; it is closed. */
export function auditSource(
  source: ModelSource,
  options: AuditOptions = {},
  { profile }: AuditSetting = { profile: null },
): Report {
  const { include = [], exclude = [] } = options;
  checkPatterns({ include, exclude });
  const analysis = analyseSource(source, options);
  try {
    return auditModel(analysis, { include, exclude }, profile);
  } catch (error) {
    if (error instanceof DscAuditError) throw new DscAuditError(error.code, `${source.path}: ${error.message}`);
    throw error;
  } finally {
    analysis.read.close();
  }
}

async function profileOf({ profile }: AuditOptions): Promise<ChosenProfile | null> {
  if (profile !== undefined && typeof profile !== 'string')
    throw invalid('profile takes a path, `reference` or `none`');
  return chooseProfile(profile ?? null, thisMachine(), { env: process.env, platform: process.platform });
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
