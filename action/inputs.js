// Inputs of the action, from the environment, and what they come to on the command line.

const lines = (text = '') =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

const isTrue = (text) => text === 'true';

export function readInputs(env) {
  return {
    models: lines(env.DSC_AUDIT_MODELS),
    config: (env.DSC_AUDIT_CONFIG ?? '').trim(),
    budgets: lines(env.DSC_AUDIT_BUDGETS),
    maxIncrease: lines(env.DSC_AUDIT_MAX_INCREASE),
    baseline: (env.DSC_AUDIT_BASELINE ?? '').trim(),
    compareWithBase: isTrue(env.DSC_AUDIT_COMPARE_WITH_BASE),
    comment: isTrue(env.DSC_AUDIT_COMMENT),
    commentKey: (env.DSC_AUDIT_COMMENT_KEY ?? 'default').replace(/[^\w.-]/g, '-'),
    version: (env.DSC_AUDIT_VERSION ?? '').trim(),
    workingDirectory: env.DSC_AUDIT_WORKING_DIRECTORY || '.',
    token: env.DSC_AUDIT_TOKEN ?? '',
  };
}

/** Each value is one argument with its option, or stands behind `--`: none can become an option of its own. */
export function auditArguments({ models, config, budgets, maxIncrease, baseline }, output) {
  return [
    ...output,
    ...(config === '' ? [] : [`--config=${config}`]),
    ...(baseline === '' ? [] : [`--baseline=${baseline}`]),
    ...budgets.map(budgetOption),
    ...maxIncrease.map((limit) => `--max-increase=${limit}`),
    '--',
    ...models,
  ];
}

/** `macs=600M` is `--max-macs=600M`; a metric that there is none of is told by the command. */
function budgetOption(text) {
  const [, metric, limit] = /^([a-z-]+)\s*[=:]\s*(.*)$/.exec(text) ?? [];
  if (metric === undefined || metric === 'increase')
    throw new Error(`The budget '${text}' is no METRIC=LIMIT; write macs=600M.`);
  return `--max-${metric}=${limit}`;
}
