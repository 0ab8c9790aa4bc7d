import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LAYERS, OPERATIONS } from '../../src/formats/keras/layers/index.ts';
import { OPERATORS } from '../../src/formats/onnx/operators/index.ts';

const SOURCES = join(import.meta.dirname, '../../src/formats');

type Named = Readonly<Record<string, unknown>>;

/** Tables of rows of each family, by the name of the family's file. */
type Families = ReadonlyMap<string, readonly Named[]>;

async function familiesIn(folder: string): Promise<Families> {
  const files = readdirSync(join(SOURCES, folder)).filter((file) => file !== 'index.ts');
  const families = await Promise.all(
    files.sort().map(async (file) => {
      const exported: Readonly<Record<string, Named>> = await import(join(SOURCES, folder, file));
      const tables = Object.entries(exported).flatMap(([name, table]) => (name.endsWith('Rows') ? [table] : []));
      return [basename(file, '.ts'), tables] as const;
    }),
  );
  return new Map(families);
}

/** What of `known` comes from which family: a row of a table each, in the order of the alphabet. */
function familyTable(known: Named, families: Families): string {
  const rows = [...families].flatMap(([family, tables]) => {
    const names = tables.flatMap((own) => Object.keys(own).filter((name) => known[name] === own[name]));
    return names.length === 0 ? [] : [`| ${family.replaceAll('-', ' ')} | ${names.sort().map(code).join(', ')} |`];
  });
  return ['| family | |', '|---|---|', ...rows].join('\n');
}

const code = (name: string): string => `\`${name}\``;

const countOf = (known: Named): string => Object.keys(known).length.toLocaleString('en-US');

/** What is said of each domain of ONNX operators. */
const DOMAINS: Readonly<Record<string, string>> = {
  '': 'ONNX: every operator of opsets 1 to 28',
  'ai.onnx.ml': '`ai.onnx.ml`: classical machine learning. Shapes are known, costs are `null`',
  'ai.onnx.preview.training': '`ai.onnx.preview.training`: gradients and optimisers',
  'com.microsoft': "`com.microsoft`: what onnxruntime's optimiser and quantiser write",
  'com.microsoft.nchwc': "`com.microsoft.nchwc`: onnxruntime's layout for one machine, channels in blocks",
};

export async function operatorsPage(): Promise<string> {
  const families = await familiesIn('onnx/operators');
  const sections = Object.entries(OPERATORS).map(
    ([domain, known]) => `## ${DOMAINS[domain] ?? code(domain)} (${countOf(known)})\n\n${familyTable(known, families)}`,
  );
  return `# ONNX operators

Written by \`npm run golden\` from the tables in \`src/formats/onnx/operators\`; do not edit.

These operators have a shape rule and a cost ([how it is counted](counting.md)); a local function is read as if it were written out. Any other operator is reported by name, its figures are \`null\`, and totals are lower bounds. [Adding one](adding-an-operator.md).

${sections.join('\n\n')}
`;
}

export async function kerasPage(): Promise<string> {
  const families = await familiesIn('keras/layers');
  return `# Keras layers

Written by \`npm run golden\` from the tables in \`src/formats/keras/layers\`; do not edit.

Keras 2 and 3, as \`.keras\`, \`.h5\`, a graph as JSON, or a TensorFlow.js \`model.json\`. A layer that is not listed, such as one of your own, is reported by name, its figures are \`null\`, and totals are lower bounds. [Adding one](adding-a-keras-layer.md).

## Layers (${countOf(LAYERS)})

${familyTable(LAYERS, families)}

## Operations of \`keras.ops\` in a functional model (${countOf(OPERATIONS)})

${Object.keys(OPERATIONS).sort().map(code).join(', ')}
`;
}
