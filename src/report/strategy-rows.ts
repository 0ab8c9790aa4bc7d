import type { ComparedPlace, ModelFigures, Report, StrategiesSection } from '../audit/report.ts';
import type { StrategyName } from '../dsc/strategies/strategy.ts';
import { BLOCK_NAMES } from './block-text.ts';
import { type LowerBounds, lowerBounds } from './lower-bounds.ts';
import { nameOf } from './rows.ts';
import { STRATEGY_WORDS } from './strategy-text.ts';
import { bytes, milliseconds, quantity } from './units.ts';

/** One figure under one strategy. */
export interface StrategyCell {
  readonly text: string;
  /** No strategy leaves less. */
  readonly isBest: boolean;
  /** It was counted and turned down: it saves nothing. */
  readonly isRejected: boolean;
}

/** A figure of the model, or of a place, as it is and under each strategy. */
export interface StrategyRow {
  readonly label: string;
  readonly before: string;
  readonly cells: readonly StrategyCell[];
}

export interface PlaceRows {
  readonly name: string;
  readonly what: string;
  readonly macs: number | null;
  readonly rows: readonly StrategyRow[];
}

export interface StrategyTables {
  readonly heads: readonly string[];
  readonly model: readonly StrategyRow[];
  readonly places: readonly PlaceRows[];
}

interface Metric {
  readonly label: string;
  readonly text: (value: number | null) => string;
  /** Which of the model's totals it is. */
  readonly bound: keyof LowerBounds;
}

const METRICS = {
  params: { label: 'Params', text: quantity, bound: 'params' },
  macs: { label: 'MACs', text: quantity, bound: 'macs' },
  weightBytes: { label: 'Weights', text: bytes, bound: 'params' },
  peakActivationBytes: { label: 'Peak memory', text: bytes, bound: 'activations' },
  latencyMs: { label: 'Latency', text: milliseconds, bound: 'latency' },
} as const satisfies Record<string, Metric>;

type MetricName = keyof typeof METRICS;

const OF_MODEL = ['params', 'macs', 'weightBytes', 'peakActivationBytes', 'latencyMs'] as const;
const OF_PLACE = ['params', 'macs', 'latencyMs'] as const;

/** Strategies side by side, as every report of them shows them: places in the order of their MACs. */
export function strategyTables(section: StrategiesSection, report: Report): StrategyTables {
  const { before, model, best, places } = section;
  const { layers } = report;
  const atLeast = lowerBounds(report);
  const isTimed = before.latencyMs !== null;
  const shown = <M extends MetricName>(metrics: readonly M[]): readonly M[] =>
    metrics.filter((metric) => metric !== 'latencyMs' || isTimed);
  return {
    heads: model.map(({ strategy, ratio }) => headOf(strategy, ratio?.value ?? null)),
    model: shown(OF_MODEL).map((metric) => {
      const { label, text, bound } = METRICS[metric];
      const told = (figures: ModelFigures): string => {
        const amount = amountOf(figures[metric]);
        return amount === null ? text(amount) : atLeast[bound] + text(amount);
      };
      return {
        label,
        before: told(before),
        cells: model.map(({ strategy, after }) => ({
          text: told(after),
          isBest: best[metric] === strategy,
          isRejected: false,
        })),
      };
    }),
    places: [...places]
      .sort((a, b) => (b.before.macs ?? 0) - (a.before.macs ?? 0))
      .map((place) => ({
        name: placeName(place, layers),
        what: place.kind === null ? 'convolution' : BLOCK_NAMES[place.kind][0],
        macs: place.before.macs,
        rows: shown(OF_PLACE).map((metric) => placeRow(place, metric)),
      })),
  };
}

const headOf = (strategy: StrategyName, ratio: number | null): string =>
  ratio === null ? STRATEGY_WORDS[strategy].short : `${STRATEGY_WORDS[strategy].short} ${ratio}`;

const placeName = ({ name, kind, layers: own }: ComparedPlace, layers: Report['layers']): string => {
  const conv = own.map((index) => layers[index]).find((layer) => layer?.conv);
  return kind === null && conv ? nameOf(conv) : name;
};

function placeRow({ before, after, best }: ComparedPlace, metric: (typeof OF_PLACE)[number]): StrategyRow {
  const { label, text } = METRICS[metric];
  return {
    label,
    before: text(amountOf(before[metric])),
    cells: after.map(({ strategy, figures, candidates }) => ({
      text: figures === null ? '' : text(amountOf(figures[metric])),
      isBest: best[metric] === strategy,
      isRejected: figures !== null && candidates === 0,
    })),
  };
}

const amountOf = (figure: number | { readonly value: number } | null): number | null =>
  typeof figure === 'number' || figure === null ? figure : figure.value;
