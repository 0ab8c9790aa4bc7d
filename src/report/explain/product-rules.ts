import type { Layer } from '../../audit/report.ts';
import type { Attempt, FigureRules } from './explanation.ts';
import { literal, named, product, sum } from './expression.ts';
import { axes, elementsOf } from './shapes.ts';

/** Rows × M × N; M is the input's last axis, or its first where the file has it transposed. */
export function denseRules(layer: Layer): FigureRules {
  const output = axes(layer.outputShapes[0]);
  const input = axes(layer.inputShapes[0]);
  const outputs = elementsOf(layer.outputShapes[0]);
  if (output === null || input === null || outputs === null) return { macs: [], params: [], otherFlops: [] };
  const outFeatures = output.at(-1) ?? 1;
  const widths = [...new Set([input.at(-1), input.at(-2), input[0]])].filter((width) => width !== undefined);
  const columns = named('N', outFeatures);
  const rows = named('rows', outFeatures === 0 ? 0 : outputs / outFeatures);
  const elements = named('output elements', outputs);
  return {
    macs: widths.map((width) => ({ formula: product(rows, named('M', width), columns) })),
    params: widths.flatMap((width) => {
      const weights = product(named('M', width), columns);
      return [{ formula: sum(weights, columns), note: 'The last N is the bias.' }, { formula: weights }];
    }),
    otherFlops: [
      { formula: literal(0) },
      { formula: elements, note: 'The bias is 1 for each output element.' },
      { formula: product(literal(2), elements), note: 'The bias and what is fused to it are 1 each.' },
    ],
  };
}

/** Output elements × the axis that is summed over. */
export function matmulMacs({ inputShapes, outputShapes }: Layer): readonly Attempt[] {
  const output = axes(outputShapes[0]);
  const input = axes(inputShapes[0]);
  const outputs = elementsOf(outputShapes[0]);
  if (output === null || input === null || outputs === null) return [];
  const widths = [...new Set([input.at(-1), input.at(-2)])].filter((width) => width !== undefined);
  return widths.map((width) => ({
    formula: product(named('output elements', outputs), named('k', width)),
    note: 'k is the axis that is summed over.',
  }));
}

/** Gates, and elementwise steps of the state's update, by cell. */
const CELLS = [
  { op: /lstm/i, gates: 4, updates: 5 },
  { op: /gru/i, gates: 3, updates: 5 },
  { op: /rnn/i, gates: 1, updates: 0 },
] as const;

/** Steps × batch × directions × gates × hidden × (input + hidden). */
export function recurrentRules({ op, inputShapes, outputShapes }: Layer): FigureRules {
  const cell = CELLS.find(({ op: pattern }) => pattern.test(op));
  const input = axes(inputShapes[0]);
  const output = axes(outputShapes.find((shape) => shape !== null));
  if (!cell || input?.length !== 3 || !output) return { macs: [], params: [], otherFlops: [] };
  const [first = 1, second = 1, width = 1] = input;
  const gates = named('gates', cell.gates);
  const forms = [1, 2].flatMap((directions) =>
    [output.at(-1) ?? 0, (output.at(-1) ?? 0) / directions].map((hidden) => {
      const units = [named('directions', directions), named('hidden', hidden)];
      const fan = sum(named('input', width), named('hidden', hidden));
      const runs = [named('steps × batch', first * second), ...units];
      return { units, fan, runs, hidden };
    }),
  );
  return {
    macs: forms.map(({ runs, fan }) => ({ formula: product(...runs, gates, fan) })),
    params: forms.flatMap(({ units, fan, hidden }) => {
      const weights = product(...units, gates, fan);
      return [0, 1, 2].map((biases) => {
        if (biases === 0) return { formula: weights };
        const bias = product(...units, literal(biases), gates);
        const note = biases === 2 ? 'Each gate has two biases a unit.' : 'Each gate has a bias a unit.';
        return { formula: sum(weights, bias), note: hidden === 0 ? null : note };
      });
    }),
    otherFlops: forms.flatMap(({ runs }) =>
      [1, 2].map((steps) => {
        const gated = product(literal(steps), gates);
        const a = cell.updates === 0 ? gated : sum(gated, literal(cell.updates));
        const bias = steps === 2 ? 'activation and bias' : 'activation';
        return { formula: product(...runs, a), note: `For each unit: ${bias} of every gate, and the state's update.` };
      }),
    ),
  };
}

const SUMMED = 'Summed are the score products Q·Kᵀ and the value products';

/** Queries × keys × (head size + value size) for each head, and the layer's own projections where it holds them. */
export function attentionMacs({ inputShapes }: Layer): readonly Attempt[] {
  const [query, key, value] = inputShapes.map(axes);
  const attempts: Attempt[] = [];
  if (query?.length === 4 && key?.length === 4 && value?.length === 4) {
    const [batch = 1, heads = 1, queries = 1, size = 1] = query;
    const formula = product(
      ...[named('B', batch), named('heads', heads), named('queries', queries), named('keys', key[2] ?? 1)],
      sum(named('head size', size), named('value size', value[3] ?? 1)),
    );
    attempts.push({ formula, note: `${SUMMED}.` });
  }
  if (query?.length === 3) {
    const [batch = 1, queries = 1, width = 1] = query;
    const source = key ?? query;
    const keys = source[1] ?? 1;
    const all = [named('B', batch), named('queries', queries)];
    const products = product(...all, named('keys', keys), sum(named('D', width), named('D_v', value?.[2] ?? width)));
    attempts.push({ formula: products, note: `${SUMMED}, over all heads together.` });
    for (const projections of [3, 4]) {
      const projected = product(...all, literal(projections), named('D', width), named('D', width));
      attempts.push({
        formula: sum(projected, products),
        note: `${SUMMED}, and before them ${projections} projections of the layer's own.`,
      });
    }
  }
  return attempts;
}
