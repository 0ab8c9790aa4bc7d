import type { Candidate, Layer, NewConvSection, Report } from '../../audit/report.ts';
import { STRATEGY_WORDS } from '../strategy-text.ts';
import { provenStep, type Section, type Step, step } from './explanation.ts';
import { type Expression, named, product, sum } from './expression.ts';
import { kernelPositions, positionsOf } from './shapes.ts';

/** A place with what would come instead. */
type Place = Pick<Candidate, 'layers' | 'becomes' | 'before' | 'after'>;

/** The place that a layer is replaced in, or was turned down with; null where there is none. */
export function placeOf({ dsc }: Pick<Report, 'dsc'>, layer: Layer): Place | null {
  if (STRATEGY_WORDS[dsc.strategy].replaces !== 'block') return null;
  const places = [...dsc.candidates, ...dsc.rejected.flatMap(({ block }) => block ?? [])];
  return places.find(({ layers }) => layers.includes(layer.index)) ?? null;
}

const PARTS: Readonly<Record<NewConvSection['part'], string>> = {
  depthwise: 'Depthwise',
  pointwise: 'Pointwise',
  expand: 'Expand',
  project: 'Project',
  reduce: 'Reduce',
  spatial: 'Convolve',
  restore: 'Restore',
};

const OTHERWISE = 'The figure of the audit, with norms and weights that the sum above leaves out.';

/** What the block of a layer would become, convolution by convolution. */
export function replacedBlockSection(report: Report, layer: Layer): Section | null {
  const place = placeOf(report, layer);
  if (place === null) return null;
  const { strategy, ratio } = report.dsc;
  const { sentence, one } = STRATEGY_WORDS[strategy];
  const asked = ratio === null ? '' : ` Here the ${ratio.option} is ${ratio.value}.`;
  return {
    id: 'replaced-block',
    title: `Its place as ${one}`,
    sentences: [
      `${sentence}${asked}`,
      `It takes the place of the layers ${place.layers.map((index) => `#${index}`).join(', ')}.`,
    ],
    steps: stepsOf(place, report),
  };
}

function stepsOf({ layers: own, becomes, after }: Place, { layers, dsc }: Report): readonly Step[] {
  const convs = own.flatMap((index) => (layers[index]?.conv ? [layers[index]] : []));
  const [first, last] = [convs[0], convs.at(-1)];
  const input = positionsOf(first?.inputShapes[0], first?.conv?.inChannels ?? 0);
  const output = positionsOf(last?.outputShapes[0], last?.conv?.outChannels ?? 0);
  if (input === null || output === null) return [];
  const window = becomes.findIndex(({ part }) => part === 'depthwise' || part === 'spatial');
  const costs = becomes.map((conv, at) => product(...(at < window ? input : output), weightsOf(conv)));
  const isStrided = becomes.some(({ strides }) => strides.some((stride) => stride > 1));
  return [
    ...becomes.map((conv, at) => step(PARTS[conv.part], costs[at] ?? named('?', 0), 'count', noteOf(conv))),
    provenStep(
      'MACs',
      after.macs,
      [{ formula: sum(...becomes.map(({ part }, at) => named(part, costs[at]?.value ?? 0))) }],
      {
        otherwise: OTHERWISE,
      },
    ),
    provenStep('Params', after.params, paramsOf(becomes), { otherwise: OTHERWISE }),
    ...(dsc.strategy === 'inverted-residual' && !isStrided ? byThePaper(becomes, output, after.macs) : []),
  ];
}

/** M × N of a pointwise one, M × k² of a depthwise one, M × N × k² else. */
function weightsOf({ inChannels, outChannels, groups, kernel }: NewConvSection): Expression {
  const inner = named('M', inChannels);
  const isPointwise = kernel.every((extent) => extent === 1);
  if (groups > 1) return product(inner, kernelPositions(kernel));
  const across = product(inner, named('N', outChannels));
  return isPointwise ? across : product(across, kernelPositions(kernel));
}

const noteOf = ({ inChannels, outChannels, strides }: NewConvSection): string => {
  const stride = strides.some((extent) => extent > 1) ? `, stride ${strides.join('×')}` : '';
  return `MACs; ${inChannels} to ${outChannels} channels${stride}.`;
};

function paramsOf(becomes: readonly NewConvSection[]) {
  const weights = becomes.map((conv) => ({ conv, value: weightsOf(conv).value }));
  return [
    {
      formula: sum(
        ...weights.map(({ conv, value }) => named(conv.part, value)),
        ...weights.flatMap(({ conv }) => (conv.bias ? [named(`bias of ${conv.part}`, conv.outChannels)] : [])),
      ),
    },
  ];
}

/** h·w·M·t·(M + k² + N) (1801.04381, section 3.3). */
function byThePaper(
  becomes: readonly NewConvSection[],
  positions: readonly Expression[],
  macs: number | null,
): readonly Step[] {
  const [expand, depthwise, project] = becomes;
  if (expand === undefined || depthwise === undefined || project === undefined) return [];
  const formula = product(
    ...positions,
    ...[named('M', expand.inChannels), named('t', expand.outChannels / expand.inChannels)],
    sum(named('M', expand.inChannels), kernelPositions(depthwise.kernel), named('N', project.outChannels)),
  );
  if (formula.value !== macs) return [];
  const note = 'The formula of the MobileNetV2 paper, section 3.3, gives the same.';
  return [provenStep('By the paper', macs, [{ formula, note }], { otherwise: OTHERWISE })];
}
