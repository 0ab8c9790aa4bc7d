import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { AuditOptions } from '../audit/audit.ts';
import type { StrategyOptions } from '../audit/choose-strategies.ts';
import type { Between } from '../dsc/strategies/strategy.ts';
import type { Budgets, Limit, Limits } from '../gate/budgets.ts';
import type { Configuration, ModelEntry, Settings } from '../gate/configuration.ts';
import { METRIC_NAMES, type MetricName } from '../gate/metrics.ts';
import type { DiagnosticArgs } from '../ir/diagnostic.ts';
import { DscAuditError } from '../ir/errors.ts';
import { NO_PROFILE, REFERENCE_PROFILE } from '../latency/choose-profile.ts';
import { type FoundConfiguration, findConfiguration } from './find-configuration.ts';
import { filesMatching, isGlob, leavesFolder, matchesFile, pathFrom, typedGlob } from './find-models.ts';
import { type GateOptions, limitsOf } from './gate-options.ts';
import { bindingsOf, type ModelOptions } from './model-options.ts';
import { strategiesOf } from './strategy-options.ts';
import { scalingOf, type WhatIfOptions } from './what-if-options.ts';

export interface PlanOptions extends ModelOptions, GateOptions, WhatIfOptions, StrategyOptions {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly between: Between;
  readonly approximation?: boolean;
  readonly profile?: string;
}

/** One model of a call, with everything that the command line and the configuration say of it. */
export interface PlannedModel {
  /** As the report names it; `-` is standard input. */
  readonly path: string;
  readonly audit: AuditOptions;
  /** A profile's path, `reference` or `none`; null for this machine's own. */
  readonly profile: string | null;
  readonly budgets: Budgets;
  /** The path of the report to compare with; null for none. */
  readonly baseline: string | null;
  /** Where the configuration holds other models to budgets, and nothing holds this one; null otherwise. */
  readonly noBudgets: DiagnosticArgs['no-budgets'] | null;
}

/** Standard input, as an argument. */
const STDIN = '-';

/**
 * What a call audits: the models of the command line, or else those of the configuration. Where both say something of a
 * model, the command line counts.
 *
 * @throws {DscAuditError} where there is nothing to audit: a gate that holds nothing would pass whatever happens
 */
export async function planAudit(
  paths: readonly string[],
  options: PlanOptions,
  cwd: string,
): Promise<readonly PlannedModel[]> {
  const configuration = options.config === false ? null : await findConfiguration(cwd, options.config);
  const chosen = paths.length > 0 ? await namedModels(paths, configuration, cwd) : await ownModels(configuration, cwd);
  return chosen.map(({ path, entry }) => planned(path, entry, configuration, options, cwd));
}

interface ChosenModel {
  readonly path: string;
  readonly entry: ModelEntry | null;
}

/** Models of the command line; a glob that no shell has expanded is. */
async function namedModels(
  paths: readonly string[],
  configuration: FoundConfiguration | null,
  cwd: string,
): Promise<readonly ChosenModel[]> {
  const entries = configuration?.settings.models ?? [];
  const entryOf = async (path: string): Promise<ModelEntry | null> => {
    if (path === STDIN || configuration === null) return null;
    const file = resolve(cwd, path);
    for (const entry of entries) {
      if (await matchesFile(globsOf(entry), configuration.folder, file)) return entry;
    }
    return null;
  };
  const expanded = await Promise.all(paths.map((path) => expand(path, cwd)));
  return Promise.all(expanded.flat().map(async (path) => ({ path, entry: await entryOf(path) })));
}

async function expand(path: string, cwd: string): Promise<readonly string[]> {
  // A name may hold brackets: what is there is no glob.
  const glob = typedGlob(path);
  if (path === STDIN || existsSync(resolve(cwd, path)) || !(await isGlob(glob))) return [path];
  const files = await filesMatching([glob], cwd);
  if (files.length > 0) return files;
  throw new DscAuditError('cannot-read', `${path}: matches no file (from ${cwd}).`);
}

/** Every model that the configuration names. */
async function ownModels(configuration: FoundConfiguration | null, cwd: string): Promise<readonly ChosenModel[]> {
  if (configuration === null) {
    const what = 'Give the path of a model, or let dsc-audit init write a configuration that names your models.';
    throw new DscAuditError('invalid-option', what);
  }
  const { file, folder, settings } = configuration;
  const chosen = new Map<string, ChosenModel>();
  for (const [index, entry] of (settings.models ?? []).entries()) {
    const outside = await firstOutside(globsOf(entry));
    if (outside !== undefined) {
      const what = `models[${index}].path looks outside of ${folder}: '${outside}'. Put the configuration into a folder around the models, or give the paths of files.`;
      throw new DscAuditError('invalid-configuration', `${file}: ${what}`);
    }
    const found = await filesMatching(globsOf(entry), folder);
    if (found.length === 0) {
      const what = `models[${index}].path matches no file: ${globsOf(entry).join(', ')} (from ${folder}).`;
      throw new DscAuditError('invalid-configuration', `${file}: ${what}`);
    }
    for (const path of found) {
      const absolute = resolve(folder, path);
      if (!chosen.has(absolute)) chosen.set(absolute, { path: pathFrom(cwd, absolute), entry });
    }
  }
  if (chosen.size > 0) return [...chosen.values()];
  const what = 'names no models: add "models": [{ "path": "model.onnx" }], or give the path of one.';
  throw new DscAuditError('invalid-configuration', `${file}: ${what}`);
}

async function firstOutside(globs: readonly string[]): Promise<string | undefined> {
  for (const glob of globs) if (await leavesFolder(glob)) return glob;
  return undefined;
}

const globsOf = ({ path }: ModelEntry): readonly string[] => (typeof path === 'string' ? [path] : path);

function planned(
  path: string,
  entry: ModelEntry | null,
  configuration: FoundConfiguration | null,
  options: PlanOptions,
  cwd: string,
): PlannedModel {
  const common: Settings = configuration?.settings ?? {};
  const own: Settings = entry ?? {};
  const inFolder = (file: string | undefined) =>
    file === undefined ? null : resolve(configuration?.folder ?? '', file);
  const increases = merged(limitsIn(common['max-increase']), limitsIn(own['max-increase']), options.maxIncrease);
  const baseline =
    options.baseline === undefined ? inFolder(own.baseline ?? common.baseline) : resolve(cwd, options.baseline);
  if (increases.size > 0 && baseline === null) {
    const what = `A limit on the increase of ${[...increases.keys()].join(', ')} needs something to compare with: give --baseline report.json.`;
    throw new DscAuditError('invalid-option', what);
  }
  const totals = merged(limitsIn(common.budgets), limitsIn(own.budgets), limitsOf(options));
  const isHeld = totals.size + increases.size > 0;
  const { dims, shapes, limits } = bindingsOf(options);
  return {
    path,
    audit: {
      ...scalingOf(options),
      ...strategiesOf(options),
      between: options.between,
      approximation: options.approximation ?? false,
      training: options.training ?? false,
      memory: options.memory ?? false,
      dims: { ...common.dims, ...own.dims, ...dims },
      shapes: { ...shapesIn(common), ...shapesIn(own), ...shapes },
      limits: { ...common.limits, ...own.limits, ...limits },
      include: options.include ?? own.include ?? common.include ?? [],
      exclude: options.exclude ?? own.exclude ?? common.exclude ?? [],
    },
    profile: options.profile ?? profileIn(own.profile ?? common.profile, inFolder),
    budgets: {
      totals,
      increases,
      severity: own.severity ?? common.severity ?? 'error',
      allowReferenceProfile:
        options.allowReferenceProfile ?? own['allow-reference-profile'] ?? common['allow-reference-profile'] ?? false,
    },
    baseline,
    noBudgets:
      configuration !== null && !isHeld && speaksOfBudgets(configuration.settings)
        ? {
            configuration: pathFrom(cwd, configuration.file),
            isNamed: entry !== null || (configuration.settings.models ?? []).length === 0,
          }
        : null,
  };
}

/** Whether a configuration speaks of budgets anywhere, if only to leave them empty. */
function speaksOfBudgets({ models = [], ...common }: Configuration): boolean {
  return [common, ...models].some(
    (settings) => settings.budgets !== undefined || settings['max-increase'] !== undefined,
  );
}

/** Names of profiles are no files. */
function profileIn(name: string | undefined, inFolder: (file: string | undefined) => string | null): string | null {
  return name === NO_PROFILE || name === REFERENCE_PROFILE ? name : inFolder(name);
}

/** Later ones win. */
function merged(...limits: readonly (Limits | undefined)[]): Limits {
  return new Map(limits.flatMap((some) => [...(some ?? [])]));
}

type LimitsByName = { readonly [N in MetricName]?: Limit | undefined };

function limitsIn(limits: LimitsByName = {}): Limits {
  return new Map(
    METRIC_NAMES.flatMap((metric) => {
      const limit = limits[metric];
      return limit === undefined ? [] : [[metric, limit]];
    }),
  );
}

function shapesIn({ shapes = {} }: Settings): Readonly<Record<string, readonly number[]>> {
  return Array.isArray(shapes) ? { '': shapes } : shapes;
}
