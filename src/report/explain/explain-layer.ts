import type { Layer, Rejection, Report } from '../../audit/report.ts';
import { nameOf, whatOf } from '../rows.ts';
import { change, latency, shapeText } from '../units.ts';
import { blockSection } from './block-steps.ts';
import type { Explanation, Section } from './explanation.ts';
import { figureSteps } from './layer-figures.ts';
import { rooflineSection } from './roofline.ts';
import { SHARE_SENTENCES, separableShare, separableSteps } from './separable.ts';
import { KIND_WORDS, REASON_WORDS } from './words.ts';

/** Everything that the audit says of a layer, worked out with its own numbers. */
export function explainLayer(report: Report, layer: Layer): Explanation {
  const block = report.blocks.find(({ layers }) => layers.includes(layer.index));
  const sections = [
    figuresSection(layer),
    separableSection(report, layer),
    verdictSection(report, layer),
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
  if (candidate !== null && dsc.strategy !== 'depthwise-separable') return null;
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
  const sentences = rejection ? rejectedSentences(rejection) : candidateSentences(report, layer);
  return sentences && { id: 'verdict', title: 'The verdict', sentences, steps: [] };
}

const rejectedSentences = ({ reason }: Rejection): readonly string[] => [
  `No candidate (${reason}). ${REASON_WORDS[reason]}`,
];

function candidateSentences({ dsc }: Report, layer: Layer): readonly string[] | null {
  const candidate = dsc.candidates.find(({ index }) => index === layer.index);
  if (candidate === undefined) return null;
  const { before, after, recommended, intensity } = candidate;
  const macs = before.macs === null || after.macs === null ? 'not known' : `${change(before.macs, after.macs)}`;
  const counted = `A candidate: params ${change(before.params, after.params)}, MACs ${macs}. 1/N + 1/k² leaves the bias out, which stays.`;
  const inTime =
    before.latencyMs === null || after.latencyMs === null
      ? []
      : [`Projected: ${latency(before.latencyMs)} now, ${latency(after.latencyMs)} as a DSC.`];
  const moved =
    intensity.before === null || intensity.after === null
      ? []
      : [
          `Its intensity goes from ${intensity.before.toFixed(1)} to ${intensity.after.toFixed(1)} FLOPs/byte: the tensor between the halves is written and read, which is why milliseconds save less than MACs.`,
        ];
  const advice = recommended
    ? 'It is in the projection of the model.'
    : 'It is not in the projection of the model: as a DSC it would be slower here.';
  return [counted, ...inTime, ...moved, advice];
}
