import * as v from 'valibot';
import { type LimitName, parseRaised, RAISABLE_LIMITS, spelt } from '../formats/raisable-limits.ts';
import { DscAuditError } from '../ir/errors.ts';
import { type Limit, parseIncrease, parseLimit } from './budgets.ts';
import { METRICS, type MetricName } from './metrics.ts';
import { issueText } from './schema-issues.ts';

const severity = v.picklist(['error', 'warn', 'off'], 'is no severity: write "error", "warn" or "off"');

/** Keys that are known, and no others. To JavaScript a list is an object too, and an empty one holds no unknown key. */
function keyed<const Entries extends v.ObjectEntries>(entries: Entries): v.StrictObjectSchema<Entries, undefined> {
  const schema = v.strictObject(entries);
  return {
    ...schema,
    '~run': (dataset, config) =>
      schema['~run'](Array.isArray(dataset.value) ? { ...dataset, value: 'a list' } : dataset, config),
  };
}

type ParseLimit = (metric: MetricName, text: string, severity: Limit['severity']) => Limit;

/** A limit as `"5M"`, or with a severity of its own. */
function limitOf(metric: MetricName, parse: ParseLimit, description: string) {
  const amount = v.union([v.string(), v.number()]);
  const { example } = METRICS[metric];
  return v.optional(
    v.pipe(
      v.union(
        [amount, keyed({ max: amount, severity: v.optional(severity) })],
        `is no limit: write "${example}", or { "max": "${example}", "severity": "warn" }`,
      ),
      v.description(description),
      v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
        const { max, severity: own = null } = typeof value === 'object' ? value : { max: value };
        try {
          return parse(metric, String(max), own);
        } catch (error) {
          addIssue({ message: error instanceof Error ? error.message : String(error) });
          return NEVER;
        }
      }),
    ),
  );
}

const totalOf = (metric: MetricName) =>
  limitOf(
    metric,
    parseLimit,
    `At most so much: ${METRICS[metric].description}. For example "${METRICS[metric].example}".`,
  );

const increaseOf = (metric: MetricName) =>
  limitOf(metric, parseIncrease, 'At most so much more than in the baseline: "2%", or an amount, or "0".');

/** One key a metric: a missing one does not compile. */
const totals = keyed({
  params: totalOf('params'),
  macs: totalOf('macs'),
  flops: totalOf('flops'),
  size: totalOf('size'),
  'weight-bytes': totalOf('weight-bytes'),
  'peak-memory': totalOf('peak-memory'),
  latency: totalOf('latency'),
  'convertible-macs': totalOf('convertible-macs'),
} satisfies Record<MetricName, unknown>);

const increases = keyed({
  params: increaseOf('params'),
  macs: increaseOf('macs'),
  flops: increaseOf('flops'),
  size: increaseOf('size'),
  'weight-bytes': increaseOf('weight-bytes'),
  'peak-memory': increaseOf('peak-memory'),
  latency: increaseOf('latency'),
  'convertible-macs': increaseOf('convertible-macs'),
} satisfies Record<MetricName, unknown>);

/** A limit on what a file may ask for, as `"8M"`. */
const raised = (name: LimitName) => {
  const { what, least, most, unit } = RAISABLE_LIMITS[name];
  return v.optional(
    v.pipe(
      v.union([v.string(), v.number()]),
      v.description(`Of a model that is trusted: ${what}, from ${spelt(least, unit)} to ${spelt(most, unit)}.`),
      v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
        try {
          return parseRaised(name, String(value));
        } catch (error) {
          addIssue({ message: error instanceof Error ? error.message : String(error) });
          return NEVER;
        }
      }),
    ),
  );
};

const limits = keyed({
  messages: raised('messages'),
  expansion: raised('expansion'),
  folding: raised('folding'),
  'json-size': raised('json-size'),
  'hdf5-objects': raised('hdf5-objects'),
  'hdf5-time': raised('hdf5-time'),
  'hdf5-memory': raised('hdf5-memory'),
} satisfies Record<LimitName, unknown>);

const NO_EXTENT = 'is no extent: a whole number above 0 is needed';
const extent = v.pipe(v.number(NO_EXTENT), v.safeInteger(NO_EXTENT), v.minValue(1, NO_EXTENT));
const shape = v.array(extent);
const NO_PATTERNS = 'is no list of globs: write ["layer1/**"], say';
const patterns = v.array(v.string(NO_PATTERNS), NO_PATTERNS);
const NO_PATH = 'is no path of a file';
const file = v.pipe(v.string(NO_PATH), v.nonEmpty(NO_PATH));

/** What may be set for every model, and again for some. */
const SETTINGS = {
  budgets: v.optional(v.pipe(totals, v.description('Limits on a model. What is not known fails.'))),
  'max-increase': v.optional(v.pipe(increases, v.description('Limits on growth over the baseline.'))),
  severity: v.optional(
    v.pipe(severity, v.description('What a limit does that is not held: fail, warn, or nothing. "error" if left out.')),
  ),
  baseline: v.optional(v.pipe(file, v.description('A JSON report, or a list of them, to compare with.'))),
  'allow-reference-profile': v.optional(
    v.pipe(v.boolean(), v.description('Take milliseconds of the reference profile, which is another machine’s.')),
  ),
  shapes: v.optional(
    v.pipe(
      v.union(
        [shape, v.record(v.string(), shape)],
        'is no shape: write [1, 3, 224, 224], or { "input": [1, 3, 224, 224] }',
      ),
      v.description('Shapes of inputs by name, or the shape of the only input.'),
    ),
  ),
  dims: v.optional(v.pipe(v.record(v.string(), extent), v.description('Values of open dimensions by name.'))),
  limits: v.optional(v.pipe(limits, v.description('Limits on what a file may ask for: see docs/hostile-input.md.'))),
  include: v.optional(
    v.pipe(patterns, v.description('Globs of convolutions to consider even if a default speaks against it.')),
  ),
  exclude: v.optional(v.pipe(patterns, v.description('Globs of convolutions to leave alone.'))),
  profile: v.optional(v.pipe(file, v.description('A calibrated cost model: the file that dsc-audit calibrate wrote.'))),
};

const entry = keyed({
  path: v.pipe(
    v.union([file, v.pipe(patterns, v.minLength(1))], 'is no glob, nor a list of globs'),
    v.description(
      'A model file or a glob, from the folder of this file; "!" in front leaves out. It must match something.',
    ),
  ),
  ...SETTINGS,
});

/** The configuration file. `schema/config.schema.json` is written from it. */
export const CONFIGURATION = keyed({
  $schema: v.optional(v.string()),
  models: v.optional(
    v.pipe(v.array(entry), v.description('What dsc-audit audits. Of several that match a model, the first counts.')),
  ),
  ...SETTINGS,
});

export type Configuration = v.InferOutput<typeof CONFIGURATION>;
export type ModelEntry = v.InferOutput<typeof entry>;
export type Settings = Omit<ModelEntry, 'path'>;

/**
 * Checks what a configuration file holds.
 *
 * @param file its name, for messages
 * @throws {DscAuditError} `invalid-configuration` with the key's path, and what was most likely meant
 */
export function checkConfiguration(content: unknown, file: string): Configuration {
  const result = v.safeParse(CONFIGURATION, content, { abortEarly: true });
  if (result.success) return result.output;
  throw new DscAuditError('invalid-configuration', `${file}: ${issueText(CONFIGURATION, result.issues[0])}`);
}
