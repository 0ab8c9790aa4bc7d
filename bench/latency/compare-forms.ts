/** Forms of the cost model beside each other, on the same samples and the same held-out networks. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { RandomForestRegression } from 'ml-random-forest';
import { builtin } from '../../src/latency/backends/builtin.ts';
import { predictStep } from '../../src/latency/cost-model.ts';
import { fitCostModel, type Sample } from '../../src/latency/fit-cost-model.ts';
import type { Work } from '../../src/latency/program-work.ts';
import { samplesOf, timeSweep } from '../../src/latency/time-sweep.ts';
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

/** Prints the errors of each form on a sweep that is timed first, or on samples that were kept from one. */
export async function main(
  args: readonly string[],
  print: (text: string) => void,
  progress: (line: string) => void,
): Promise<void> {
  const { values: options } = parseArgs({
    args: [...args],
    options: {
      samples: { type: 'string' },
      keep: { type: 'string' },
      seconds: { type: 'string', default: '120' },
    },
  });
  const samples: readonly Sample[] =
    options.samples === undefined
      ? await timedSamples(1000 * Number(options.seconds), progress)
      : JSON.parse(readFileSync(options.samples, 'utf8'));
  if (options.keep !== undefined) writeFileSync(options.keep, JSON.stringify(samples));
  compareForms(samples, print);
}

/** The sweep of a calibration on one thread. */
async function timedSamples(budgetMs: number, progress: (line: string) => void): Promise<readonly Sample[]> {
  const now = (): number => performance.now();
  const networks = builtin.effort.networks.full;
  const swept = await timeSweep(
    builtin,
    await builtin.open(now),
    { seed: 1, networks, threads: 1, untilMs: now() + budgetMs },
    { now, progress: () => {}, signal: new AbortController().signal },
  );
  const samples = samplesOf(swept);
  progress(`${new Set(samples.map(({ network }) => network)).size} of ${networks} networks timed undisturbed`);
  return samples;
}

function compareForms(samples: readonly Sample[], print: (text: string) => void): void {
  const line = (text: string): void => print(`${text}\n`);
  line('form                                  layers: median  within 10 %   networks: median  within 10 %');
  for (const [name, fit] of Object.entries(FORMS)) {
    const error = errorsOf(heldOutLayers(samples, fit));
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
    line(
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
