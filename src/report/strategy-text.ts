import type { Report, StrategyRatio } from '../audit/report.ts';
import type { StrategyName } from '../dsc/strategies/strategy.ts';

interface StrategyWords {
  /** Over a column of what is left. */
  readonly head: string;
  /** Behind a figure: `left as DSC`. */
  readonly as: string;
  /** The model with every candidate replaced. */
  readonly all: string;
  /** Behind a number of candidates: the model with these replaced. */
  readonly some: string;
  /** Over a column where strategies stand side by side. */
  readonly short: string;
  readonly replaces: 'convolution' | 'block';
  /** What candidates could become, one and many. */
  readonly one: string;
  readonly many: string;
  /** What that is, in a sentence. */
  readonly sentence: string;
}

const AS_DSC = {
  head: 'As DSC',
  as: 'as DSC',
  all: 'all as DSC',
  some: 'as DSC',
  replaces: 'convolution',
  one: 'depthwise separable',
  many: 'depthwise separable',
} as const;

/** What a report calls each strategy and what comes of it. */
export const STRATEGY_WORDS: Readonly<Record<StrategyName, StrategyWords>> = {
  'depthwise-separable': {
    ...AS_DSC,
    short: 'DSC',
    sentence: 'As DSC: depthwise separable, one depthwise and one pointwise convolution in place of one.',
  },
  'pointwise-depthwise': {
    ...AS_DSC,
    short: 'PW-DW',
    sentence: 'As DSC: depthwise separable, one pointwise and one depthwise convolution in place of one.',
  },
  'inverted-residual': {
    head: 'Inverted',
    as: 'as inverted residual',
    all: 'inverted',
    some: 'inverted',
    short: 'Inverted',
    replaces: 'block',
    one: 'an inverted residual',
    many: 'inverted residuals',
    sentence:
      'Inverted residual: a pointwise convolution to more channels, a depthwise one, and a linear pointwise one in place of the convolutions of a block.',
  },
  bottleneck: {
    head: 'Bottleneck',
    as: 'as bottleneck',
    all: 'bottlenecks',
    some: 'bottlenecks',
    short: 'Bottleneck',
    replaces: 'block',
    one: 'a bottleneck',
    many: 'bottlenecks',
    sentence:
      'Bottleneck: a pointwise convolution to fewer channels, the k×k one among these, and a pointwise one back in place of one or two convolutions.',
  },
};

/** How many convolutions there are, and how many of them would be replaced. */
export function convolutionsOf({ dsc, layers }: Pick<Report, 'dsc' | 'layers'>): { all: number; replaced: number } {
  const isConv = (index: number): boolean => (layers[index]?.conv ?? null) !== null;
  const replaced = dsc.candidates.reduce((sum, candidate) => sum + candidate.layers.filter(isConv).length, 0);
  return { all: replaced + dsc.rejected.length, replaced };
}

const ratioText = (ratio: StrategyRatio | null): string => (ratio === null ? '' : ` of ${ratio.option} ${ratio.value}`);

/** `16 of 20 convolutions could become depthwise separable`, without a full stop. */
export function couldBecome(report: Pick<Report, 'dsc' | 'layers'>): string {
  const { strategy, ratio, candidates } = report.dsc;
  const { one, many, replaces } = STRATEGY_WORDS[strategy];
  const { all, replaced } = convolutionsOf(report);
  if (replaces === 'convolution') return `${replaced} of ${all} convolutions could become ${many}`;
  const places = candidates.length === 1 ? '1 place' : `${candidates.length} places`;
  const what = candidates.length === 1 ? one : many;
  return `${places} (${replaced} of ${all} convolutions) could become ${what}${ratioText(ratio)}`;
}

/** The same where there is no candidate. */
export function couldNotBecome({ dsc: { strategy, ratio } }: Pick<Report, 'dsc'>): string {
  return `No convolution could become ${STRATEGY_WORDS[strategy].one}${ratioText(ratio)}`;
}
