import { type LayerPatterns, MAX_PATTERN_LENGTH } from '../dsc/layer-choice.ts';
import { loadLinearAlgebra } from '../dsc/linear-algebra.ts';
import { BETWEEN, type Between } from '../dsc/strategies/strategy.ts';
import { type ModelSource, modelBytes, modelFile } from '../formats/model-source.ts';
import { DscAuditError } from '../ir/errors.ts';
import { type ChosenProfile, chooseProfileHere } from '../latency/choose-profile.ts';
import { type Analysis, analyseSource, type InputOptions } from './analyse.ts';
import { auditModel, type VerdictOptions } from './audit-model.ts';
import { chooseStrategies, type StrategyOptions } from './choose-strategies.ts';
import type { Report, ScalingSection } from './report.ts';
import type { ScalingOptions } from './scale-analysis.ts';

/** What an audit may be told. All of it may be left out. */
export interface AuditOptions extends InputOptions, ScalingOptions, StrategyOptions {
  /** Globs on layer names: convolutions that are candidates even if a default speaks against it (a stem). */
  readonly include?: readonly string[];
  /** Globs on layer names: convolutions that are left alone, unless `include` names them. */
  readonly exclude?: readonly string[];
  /** What stands between the halves of a replacement: `none` (the default), `relu` or `bn-relu`, which MobileNet has. */
  readonly between?: Between;
  /** Read the weights of every candidate, and tell how much of them a replacement holds. Default: no. */
  readonly approximation?: boolean;
  /** Tell what training costs: backward MACs, gradients, optimiser state, activations kept. Default: no. */
  readonly training?: boolean;
  /** Tell what memory other schedules would need. Default: no. */
  readonly memory?: boolean;
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
export async function auditSource(
  source: ModelSource,
  options: AuditOptions = {},
  { profile }: AuditSetting = { profile: null },
): Promise<Report> {
  const {
    include = [],
    exclude = [],
    approximation = false,
    training = false,
    memory = false,
    between = 'none',
  } = options;
  checkPatterns({ include, exclude });
  if (!BETWEEN.includes(between)) throw invalid(`between cannot be ${between}: ${BETWEEN.join(', ')}`);
  const strategies = await chooseStrategies(options);
  const algebra = approximation ? await loadLinearAlgebra() : null;
  const projector = profile && (await import('./project-latency.ts')).latencyProjector(profile);
  const scale = isScaled(options) ? (await import('./scale-analysis.ts')).scaleAnalysis : null;
  return reportOn(
    await analyseSource(source, options),
    { patterns: { include, exclude }, ...strategies, algebra, projector, training, memory, between },
    scale && { ...options, scale },
  );
}

/** How the analysed model is to be scaled, and what does it: loaded only where it is asked for. */
export interface Scaling extends ScalingOptions {
  scale(analysis: Analysis, options: ScalingOptions): Analysis;
}

const isScaled = ({ width, resolution }: ScalingOptions): boolean => width !== undefined || resolution !== undefined;

/** The report on an analysis, whose model is closed. */
export function reportOn(analysis: Analysis, request: VerdictOptions, scaling: Scaling | null = null): Report {
  try {
    const report = auditModel(analysis, request);
    if (scaling === null) return report;
    const scaled = auditModel(scaling.scale(analysis, scaling), request);
    return { ...scaled, scaling: scalingSection(scaling, report) };
  } catch (error) {
    if (error instanceof DscAuditError) throw new DscAuditError(error.code, `${analysis.path}: ${error.message}`);
    throw error;
  } finally {
    analysis.read.close();
  }
}

async function profileOf({ profile }: AuditOptions): Promise<ChosenProfile | null> {
  if (profile !== undefined && typeof profile !== 'string')
    throw invalid('profile takes a path, `reference` or `none`');
  return chooseProfileHere(profile, process.env);
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

function scalingSection(
  { width, resolution, rounding = '8' }: ScalingOptions,
  { dsc, totals }: Report,
): ScalingSection {
  return {
    width: width ?? null,
    rounding: width === undefined ? null : rounding,
    resolution: resolution ?? null,
    original: { ...dsc.projection, peakActivationBytes: totals.peakActivationBytes },
  };
}

function invalid(what: string): DscAuditError {
  return new DscAuditError('invalid-option', `${what}.`);
}
