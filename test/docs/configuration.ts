import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRIC_NAMES, METRICS } from '../../src/gate/metrics.ts';

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
}

const SCHEMA: Schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../schema/config.schema.json'), 'utf8'));

/** `string`, `list of strings`, `"error" or "warn"`. */
function typeText({ anyOf, items, type, enum: values, additionalProperties }: Schema): string {
  if (values) return values.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  if (anyOf) return [...new Set(anyOf.map(typeText))].join(', or ');
  if (items) return `list of ${typeText(items)}s`;
  if (typeof additionalProperties === 'object') return `${typeText(additionalProperties)} by name`;
  return type === 'integer' ? 'whole number' : (type ?? '');
}

function keyTable(properties: Readonly<Record<string, Schema>>): string {
  const rows = Object.entries(properties).map(
    ([key, schema]) => `| \`${key}\` | ${typeText(schema)} | ${schema.description ?? ''} |`,
  );
  return ['| key | value | what it is |', '|---|---|---|', ...rows].join('\n');
}

export function configurationPage(): string {
  const { models = {}, $schema: _editor, ...common } = SCHEMA.properties ?? {};
  const { path = {} } = models.items?.properties ?? {};
  const metrics = METRIC_NAMES.map((name) => {
    const { description, example } = METRICS[name];
    return `| \`${name}\` | \`"${example}"\` | ${description} |`;
  });
  return `# The configuration's keys

Written by \`npm run golden\` from the schema that configurations are checked with; do not edit. [What it is for, and an example](ci.md#the-configuration).

At the top, for every model:

${keyTable({ models, ...common })}

In an entry of \`models\`, for the models that its \`path\` matches, over what stands at the top: all of these but \`models\`, and

${keyTable({ path })}

\`budgets\` and \`max-increase\` take these metrics, each as \`"5M"\`, or as \`{ "max": "5M", "severity": "warn" }\`:

| metric | written as | what is held against the limit |
|---|---|---|
${metrics.join('\n')}
`;
}
