import type { Layer, Rejection, Report } from '../../audit/report.ts';
import { nameOf, whatOf } from '../rows.ts';
import { strategyTables } from '../strategy-rows.ts';
import { STRATEGY_WORDS } from '../strategy-text.ts';
import { change, latency, quantity, shapeText } from '../units.ts';
import { blockSection } from './block-steps.ts';
import type { Explanation, Section } from './explanation.ts';
import { figureSteps } from './layer-figures.ts';
import { placeOf, replacedBlockSection } from './replaced-block.ts';
import { rooflineSection } from './roofline.ts';
import { SHARE_SENTENCES, separableShare, separableSteps } from './separable.ts';
import { KIND_WORDS, REASON_WORDS } from './words.ts';

/** Everything that the audit says of a layer, worked out with its own numbers. */
export function explainLayer(report: Report, layer: Layer): Explanation {
  const block = report.blocks.find(({ layers }) => layers.includes(layer.index));
  const sections = [
    figuresSection(layer),
    separableSection(report, layer),
    replacedBlockSection(report, layer),
    verdictSection(report, layer),
    comparisonSection(report, layer),
    rooflineSection(layer, report.profile),
    block ? blockSection(block, report) : null,
  ];
  return {
    title: `#${layer.index} ${nameOf(layer)}: ${whatOf(layer)}`,
    sections: sections.filter((section) => section !== null),
  };
}

function figuresSection(layer: Layer): Section {
  const { conv, inputShapes, outputShapes, repeats } = layer;
  const shapes = `In ${inputShapes.map((shape) => shapeText(shape)).join(', ') || 'nothing'}, out ${outputShapes.map((shape) => shapeText(shape)).join(', ')}.`;
  const isPlain = conv?.groups === 1;
  return {
    id: 'figures',
    title: 'Its figures',
    sentences: [
      KIND_WORDS[layer.kind],
      ...(layer.name === nameOf(layer) ? [] : [`In the file it is called ${layer.name}.`]),
      shapes,
      ...(conv
        ? [
            `M = ${conv.inChannels} input channels, N = ${conv.outChannels} output channels, kernel ${conv.kernel.join('×')}, stride ${conv.strides.join('×')}${isPlain ? '' : `, g = ${conv.groups} groups`}.`,
          ]
        : []),
      ...(repeats === 1 ? [] : [`It runs ${repeats} times in one run of the model.`]),
    ],
    steps: figureSteps(layer),
  };
}

/** Standard against DSC; for convolutions that are neither depthwise nor transposed. */
function separableSection({ dsc }: Report, layer: Layer): Section | null {
  const { conv, kind } = layer;
  if (conv === null || kind !== 'standard-conv') return null;
  const candidate = dsc.candidates.find(({ index }) => index === layer.index) ?? null;
  if (
    dsc.strategy !== 'depthwise-separable' &&
    (candidate !== null || STRATEGY_WORDS[dsc.strategy].replaces === 'block')
  ) {
    return null;
  }
  const share = separableShare(conv.outChannels, conv.kernel).value;
  const fold =
    share < 1
      ? `Here 1/N + 1/k² = ${share.toPrecision(3)}: ${(1 / share).toFixed(1)} times fewer MACs.`
      : `Here 1/N + 1/k² = ${share.toPrecision(3)}: no saving.`;
  return {
    id: 'separable',
    title: 'As a depthwise separable convolution (DSC)',
    sentences: [...SHARE_SENTENCES, fold],
    steps: separableSteps(layer, conv, candidate),
  };
}

function verdictSection(report: Report, layer: Layer): Section | null {
  const rejection = report.dsc.rejected.find(({ index }) => index === layer.index);
  const sentences = rejection
    ? rejectedSentences(report, layer, rejection)
    : (candidateSentences(report, layer) ?? untouchedSentences(report));
  return sentences && { id: 'verdict', title: 'The verdict', sentences, steps: [] };
}

/** A strategy that was asked for has a word to say of every layer; of several it stands in their comparison. */
function untouchedSentences({ dsc, strategies }: Report): readonly string[] | null {
  if (strategies !== null || dsc.strategy === 'depthwise-separable') return null;
  return [`--strategy ${dsc.strategy} leaves it as it is: it is no part of what would be replaced.`];
}

/** Its block, or itself, under each strategy; where they were asked for side by side. */
function comparisonSection(report: Report, layer: Layer): Section | null {
  const { strategies } = report;
  if (!strategies) return null;
  const place = strategies.places.find(({ layers: own }) => own.includes(layer.index));
  const section = (sentences: readonly string[]): Section => ({
    id: 'strategies',
    title: 'Strategies side by side',
    sentences,
    steps: [],
  });
  if (place === undefined)
    return section(['Every strategy leaves it as it is: it is no part of what would be replaced.']);
  const { heads, places } = strategyTables({ ...strategies, places: [place] }, report);
  const rows = places.flatMap(({ rows: own }) => own);
  const sentences = rows.map(({ label, before, cells }) => {
    const told = cells.flatMap(({ text, isBest, isRejected }, at) =>
      text === '' ? [] : [`${heads[at]} ${text}${isBest ? ' (least)' : isRejected ? ' (no candidate)' : ''}`],
    );
    return `${label}: now ${before}; ${told.join(', ')}.`;
  });
  return section(sentences);
}

function rejectedSentences(report: Report, layer: Layer, { reason }: Rejection): readonly string[] {
  const place = placeOf(report, layer);
  const counted =
    place === null || place.before.macs === null || place.after.macs === null
      ? []
      : [
          `Its place would go from ${quantity(place.before.macs)} to ${quantity(place.after.macs)} MACs, and from ${quantity(place.before.params)} to ${quantity(place.after.params)} parameters.`,
        ];
  return [`No candidate (${reason}). ${REASON_WORDS[reason]}`, ...counted];
}

function candidateSentences({ dsc }: Report, layer: Layer): readonly string[] | null {
  const candidate = dsc.candidates.find(({ layers }) => layers.includes(layer.index));
  if (candidate === undefined) return null;
  const { as, replaces } = STRATEGY_WORDS[dsc.strategy];
  const isBlock = replaces === 'block';
  const { before, after, recommended, intensity } = candidate;
  const macs = before.macs === null || after.macs === null ? 'not known' : `${change(before.macs, after.macs)}`;
  const share = isBlock ? '' : ' 1/N + 1/k² leaves the bias out, which stays.';
  const subject = isBlock ? 'A candidate with its whole place' : 'A candidate';
  const counted = `${subject}: params ${change(before.params, after.params)}, MACs ${macs}.${share}`;
  const inTime =
    before.latencyMs === null || after.latencyMs === null
      ? []
      : [`Projected: ${latency(before.latencyMs)} now, ${latency(after.latencyMs)} ${isBlock ? as : 'as a DSC'}.`];
  const moved =
    intensity.before === null || intensity.after === null
      ? []
      : [
          `Its intensity goes from ${intensity.before.toFixed(1)} to ${intensity.after.toFixed(1)} FLOPs/byte: ${isBlock ? 'what lies between the convolutions is' : 'the tensor between the halves is'} written and read, which is why milliseconds save less than MACs.`,
        ];
  const advice = recommended
    ? 'It is in the projection of the model.'
    : `It is not in the projection of the model: ${isBlock ? as : 'as a DSC'} it would be slower here.`;
  return [counted, ...inTime, ...moved, advice];
}
