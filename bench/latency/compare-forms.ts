/** Forms of the cost model beside each other, on the same samples and the same held-out networks. */
import { RandomForestRegression } from 'ml-random-forest';
import { predictStep } from '../../src/latency/cost-model.ts';
import { fitCostModel, type Sample } from '../../src/latency/fit-cost-model.ts';
import type { Work } from '../../src/latency/program-work.ts';
import { errorsOf, heldOutLayers, type Predict } from '../../src/latency/validate-fit.ts';

const TREES = 20;

/** Fewer samples than this grow no forest. */
const MIN_SAMPLES = 25;

/** A random forest for each group of steps, of logarithms of the amounts of work, for the logarithm of `target`. */
function forests(samples: readonly Sample[], target: (sample: Sample) => number): (work: Work) => number | null {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) groups.set(sample.work.group, [...(groups.get(sample.work.group) ?? []), sample]);
  const grown = new Map(
    [...groups].flatMap(([group, members]) => {
      if (members.length < MIN_SAMPLES) return [];
      const terms = [...new Set(members.flatMap(({ work }) => Object.keys(work.terms)))];
      const row = ({ terms: amounts }: Work): number[] => terms.map((term) => Math.log1p(amounts[term] ?? 0));
      const forest = new RandomForestRegression({
        seed: 1,
        maxFeatures: 0.7,
        replacement: true,
        nEstimators: TREES,
        noOOB: true,
      });
      forest.train(
        members.map(({ work }) => row(work)),
        members.map((sample) => Math.log(target(sample))),
      );
      return [[group, (work: Work): number => Math.exp(forest.predict([row(work)])[0] ?? 0)] as const];
    }),
  );
  return (work) => grown.get(work.group)?.(work) ?? null;
}

function costs(samples: readonly Sample[]): Predict {
  const model = fitCostModel(samples);
  return (work) => predictStep(model, work)?.latencyMs ?? null;
}

function forestAlone(samples: readonly Sample[]): Predict {
  const [predict, otherwise] = [forests(samples, ({ latencyMs }) => latencyMs), costs(samples)];
  return (work) => predict(work) ?? otherwise(work);
}

/** The sum of costs, corrected by a forest that has learned what it is off by. */
function forestOnCosts(samples: readonly Sample[]): Predict {
  const sum = costs(samples);
  const correct = forests(samples, ({ latencyMs, work }) => latencyMs / Math.max(1e-5, sum(work) ?? 0));
  return (work) => {
    const predictedMs = sum(work);
    return predictedMs === null ? null : predictedMs * (correct(work) ?? 1);
  };
}

const FORMS = {
  'sum of costs': costs,
  'random forest': forestAlone,
  'sum of costs, corrected by a forest': forestOnCosts,
};

export function compareForms(samples: readonly Sample[], print: (line: string) => void): void {
  print('form                                  layers: median  within 10 %   networks: median  within 10 %');
  for (const [name, fit] of Object.entries(FORMS)) {
    const error = errorsOf(heldOutLayers(samples, fit));
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
    print(
      [
        name.padEnd(38),
        `${error.medianPercent.toFixed(2)} %`.padStart(14),
        percent(error.within10Percent).padStart(12),
        `${error.networkMedianPercent.toFixed(2)} %`.padStart(18),
        percent(error.networkWithin10Percent).padStart(12),
      ].join(' '),
    );
  }
}
