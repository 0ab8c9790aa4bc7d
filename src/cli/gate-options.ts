import { type Command, Option } from 'commander';
import { type Limit, metricNamed, parseIncrease, parseLimit } from '../gate/budgets.ts';
import { METRIC_NAMES, METRICS, type MetricName } from '../gate/metrics.ts';
import { DscAuditError } from '../ir/errors.ts';
import { asArgument } from './option-values.ts';

/** `weight-bytes` as commander names the option `--max-weight-bytes`. */
type Pascal<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Capitalize<Head>}${Pascal<Tail>}`
  : Capitalize<S>;
type LimitKey<N extends MetricName> = `max${Pascal<N>}`;

const LIMIT_KEYS: { readonly [N in MetricName]: LimitKey<N> } = {
  params: 'maxParams',
  macs: 'maxMacs',
  flops: 'maxFlops',
  size: 'maxSize',
  'weight-bytes': 'maxWeightBytes',
  'peak-memory': 'maxPeakMemory',
  latency: 'maxLatency',
  'convertible-macs': 'maxConvertibleMacs',
};

/** What a command line says of budgets and where more of them are written. */
export type GateOptions = { readonly [N in MetricName as LimitKey<N>]?: Limit } & {
  readonly maxIncrease?: ReadonlyMap<MetricName, Limit>;
  readonly baseline?: string;
  readonly allowReferenceProfile?: boolean;
  /** A file's path; false for `--no-config`. */
  readonly config?: string | false;
};

export function gateOptions(command: Command): Command {
  command.optionsGroup('Budgets (exit code 1 where one is not held, or cannot be determined):');
  for (const metric of METRIC_NAMES) {
    const { description, example } = METRICS[metric];
    const parse = (text: string) => asArgument(() => parseLimit(metric, text, 'error'));
    command.addOption(new Option(`--max-${metric} <${example}>`, description).argParser(parse));
  }
  return command
    .option('--baseline <report.json>', 'compare with this JSON report, or list of reports')
    .option('--max-increase <macs=2%>', 'limit on growth over the baseline (repeatable)', collectIncrease)
    .option('--allow-reference-profile', "hold --max-latency against another machine's profile too")
    .optionsGroup('Configuration:')
    .option('--config <file>', 'a configuration, instead of the nearest dsc-audit.config.json')
    .option('--no-config', 'without any configuration file');
}

/** Limits that the command line sets, by metric. */
export function limitsOf(options: GateOptions): ReadonlyMap<MetricName, Limit> {
  return new Map(
    METRIC_NAMES.flatMap((metric) => {
      const limit = options[LIMIT_KEYS[metric]];
      return limit === undefined ? [] : [[metric, limit]];
    }),
  );
}

/** Adds `macs=2%` to what was given before. */
function collectIncrease(
  text: string,
  before: ReadonlyMap<MetricName, Limit> = new Map(),
): ReadonlyMap<MetricName, Limit> {
  return asArgument(() => {
    const at = text.indexOf('=');
    if (at < 1) throw new DscAuditError('invalid-option', 'Write it as METRIC=AMOUNT, for example macs=2%.');
    const metric = metricNamed(text.slice(0, at));
    return new Map(before).set(metric, parseIncrease(metric, text.slice(at + 1), 'error'));
  });
}
