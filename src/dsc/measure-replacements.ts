/** How near a model with replacements is to the original. */
import type { ConvReplacement } from '../formats/conv-replacement.ts';
import type { Samples } from '../formats/samples/read-samples.ts';
import { staticExtents } from '../ir/fact.ts';
import type { Model } from '../ir/graph.ts';
import type { Facts } from '../passes/infer-facts.ts';
import type { Runtime } from '../runtime/index.ts';
import { replaceInModel } from './replace-in-model.ts';
import { runSamples, type SettledInputs } from './run-samples.ts';

export interface Closeness {
  readonly count: number;
  /** Mean cosine between the first outputs of both. */
  readonly cosine: number;
  /** Share of items of the same greatest score; null where the output is no row of scores. */
  readonly top1Agreement: number | null;
  readonly accuracyBefore: number | null;
  readonly accuracyAfter: number | null;
  /** By replacement: ‖new − old‖ / ‖old‖ of the layer's output. */
  readonly outputErrors: readonly number[];
}

/** Runs both models over the items. */
export async function measureReplacements(
  runtime: Runtime,
  model: Model,
  facts: Facts,
  settled: SettledInputs,
  items: Samples,
  labels: Int32Array | null,
  replacements: readonly ConvReplacement[],
): Promise<Closeness> {
  const outputs = replacements.map(({ node }) => node.outputs[0] ?? -1);
  const result = model.graph.outputs[0] ?? -1;
  const isScores = isRowOfScores(facts, result);
  const values = [result, ...outputs];
  const wanted = [
    { model, values },
    { model: replaceInModel(model, replacements).model, values },
  ];
  const squares = outputs.map(() => ({ error: 0, size: 0 }));
  const sums = { cosine: 0, agreeing: 0, before: 0, after: 0 };
  await runSamples(runtime, settled, items, wanted, (item, [old = [], fresh = []]) => {
    const [expected, ...expectedLayers] = old;
    const [found, ...foundLayers] = fresh;
    if (!expected || !found) return;
    sums.cosine += cosine(expected, found);
    const [was, is] = [greatest(expected), greatest(found)];
    sums.agreeing += Number(was === is);
    sums.before += Number(was === labels?.[item]);
    sums.after += Number(is === labels?.[item]);
    for (const [index, square] of squares.entries()) {
      const [y, approximated] = [expectedLayers[index] ?? [], foundLayers[index] ?? []];
      for (let at = 0; at < y.length; at++) {
        const value = y[at] ?? 0;
        square.size += value * value;
        square.error += (value - (approximated[at] ?? 0)) ** 2;
      }
    }
  });
  const share = (sum: number): number => sum / items.count;
  return {
    count: items.count,
    cosine: share(sums.cosine),
    top1Agreement: isScores ? share(sums.agreeing) : null,
    accuracyBefore: isScores && labels ? share(sums.before) : null,
    accuracyAfter: isScores && labels ? share(sums.after) : null,
    outputErrors: squares.map(({ error, size }) => (size === 0 ? 0 : Math.sqrt(error / size))),
  };
}

/** One score a class for each item: batch × classes, maybe with axes of 1 behind. */
function isRowOfScores(facts: Facts, id: number): boolean {
  const [, classes = 1, ...rest] = staticExtents(facts.of[id]) ?? [];
  return classes > 1 && rest.every((extent) => extent === 1);
}

const greatest = (scores: Float32Array): number => scores.indexOf(scores.reduce((a, b) => Math.max(a, b), -Infinity));

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, left, right] = [0, 0, 0];
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [a[index] ?? 0, b[index] ?? 0];
    product += x * y;
    left += x * x;
    right += y * y;
  }
  return left === 0 || right === 0 ? Number(left === right) : product / Math.sqrt(left * right);
}
