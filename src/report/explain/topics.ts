import type { BlockSection, Layer, Report } from '../../audit/report.ts';
import { blockText } from '../block-text.ts';
import { nameOf, whatOf } from '../rows.ts';
import { blockSteps } from './block-steps.ts';
import { type Explanation, type Section, type Step, step } from './explanation.ts';
import { named } from './expression.ts';
import { figureSteps } from './layer-figures.ts';
import { rooflineSection } from './roofline.ts';
import { SHARE_SENTENCES, separableSteps } from './separable.ts';
import * as textbook from './textbook.ts';
import { BLOCK_WORDS, KIND_WORDS } from './words.ts';

/** Words that can be explained, in the order in which they build on each other. */
export const TOPIC_NAMES = [
  'macs',
  'flops',
  'params',
  'memory',
  'intensity',
  'roofline',
  'standard',
  'pointwise',
  'depthwise',
  'grouped',
  'transposed',
  'dsc',
  'width',
  'resolution',
  'residual',
  'bottleneck',
  'inverted-residual',
  'squeeze-excite',
] as const;

export type TopicName = (typeof TOPIC_NAMES)[number];

/** A word of the field. */
interface Topic {
  readonly title: string;
  /** What else it is called. */
  readonly aliases: readonly string[];
  readonly sentences: readonly string[];
  /** What the example without a model is. */
  readonly example: string;
  readonly textbook: readonly Step[];
  /** The same on a model's own layers or blocks; null where it has none. */
  onModel(report: Report): OnModel | null;
}

interface OnModel {
  readonly sentence: string;
  readonly steps: readonly Step[];
}

/** The costliest layer of a kind, with some of its figures. */
const layerOf =
  (isOne: (layer: Layer) => boolean, ...figures: readonly string[]) =>
  ({ layers }: Report): OnModel | null => {
    const layer = costliest(layers.filter(isOne));
    if (layer === null) return null;
    return {
      sentence: `In this model: #${layer.index} ${nameOf(layer)} (${whatOf(layer)}).`,
      steps: figureSteps(layer).filter(({ name }) => figures.includes(name)),
    };
  };

const ofKind = (kind: Layer['kind']) => layerOf((layer) => layer.kind === kind, 'MACs', 'Params');

function costliest(layers: readonly Layer[]): Layer | null {
  return layers.reduce<Layer | null>((most, layer) => ((layer.macs ?? 0) > (most?.macs ?? -1) ? layer : most), null);
}

/** The costliest block of a kind. */
const blockOf =
  (kind: BlockSection['kind']) =>
  (report: Report): OnModel | null => {
    const all = report.blocks.filter((block) => block.kind === kind);
    const block = all.reduce<BlockSection | null>(
      (most, one) => ((one.macs ?? 0) > (most?.macs ?? -1) ? one : most),
      null,
    );
    if (block === null) return null;
    return {
      sentence: `In this model: ${all.length}, the costliest of them ${block.name} (${blockText(block)}).`,
      steps: blockSteps(block, report),
    };
  };

/** The candidate that saves most, else a pair that is a DSC already. */
function dscOnModel(report: Report): OnModel | null {
  const [candidate] = report.dsc.candidates;
  const layer = candidate && report.layers[candidate.index];
  if (candidate === undefined || !layer?.conv || report.dsc.strategy !== 'depthwise-separable') {
    return blockOf('depthwise-separable')(report);
  }
  return {
    sentence: `In this model: #${layer.index} ${nameOf(layer)} (${whatOf(layer)}), the candidate that saves most MACs.`,
    steps: separableSteps(layer, layer.conv, candidate),
  };
}

function memoryOnModel({ memory, totals, layers }: Report): OnModel | null {
  const peak = totals.peakActivationBytes;
  const highest = memory?.schedule.find(({ bytes }) => bytes === peak);
  const layer = layers[highest?.index ?? -1];
  if (peak === null || highest === undefined || layer === undefined) return null;
  return {
    sentence: `In this model the most is alive while #${layer.index} ${nameOf(layer)} runs.`,
    steps: [step('Peak', named('alive at once', highest.bytes), 'bytes')],
  };
}

function rooflineOnModel({ layers, profile }: Report): OnModel | null {
  const layer = costliest(layers);
  const section = layer && rooflineSection(layer, profile);
  if (layer === null || section === null || section.steps.length === 0) return null;
  return {
    sentence: `In this model: #${layer.index} ${nameOf(layer)}. ${section.sentences.join(' ')}`,
    steps: section.steps,
  };
}

const TRY_WIDTH = 'dsc-audit model.onnx --width 0.75 prints the whole model at another α.';
const TRY_RESOLUTION = 'dsc-audit model.onnx --resolution 160 prints the whole model at another ρ.';
const TABLE_3 = 'The layer of MobileNetV1, Table 3: 512 to 512 channels, 3×3, on 14×14 positions.';

const TOPICS: Readonly<Record<TopicName, Topic>> = {
  macs: {
    title: 'MAC: multiply-accumulate',
    aliases: ['mac', 'mult-adds', 'multiply-adds', 'madds'],
    sentences: [
      'One product that is added to a sum. A convolution does one for each output element, each input channel that it sees, and each position of its kernel. Padding counts as computed.',
      'Papers print them as multiply-adds; some call them FLOPs, which is half of what that word says.',
    ],
    example: TABLE_3,
    textbook: textbook.standardSteps.slice(0, 1),
    onModel: layerOf(() => true, 'MACs'),
  },
  flops: {
    title: 'FLOPs: floating-point operations',
    aliases: ['flop'],
    sentences: [
      'Two for each MAC, and everything that is no MAC: a bias or an activation counts 1 an output element, BatchNorm 2, a pool 1 for each element that it reads.',
    ],
    example: `${TABLE_3} With a bias.`,
    textbook: textbook.flopsSteps,
    onModel: layerOf(() => true, 'FLOPs'),
  },
  params: {
    title: 'Params: parameters',
    aliases: ['param', 'parameters', 'weights'],
    sentences: [
      'What training learns, and the statistics that BatchNorm keeps. A tensor that two layers share counts once. They do not depend on the size of the image.',
    ],
    example: TABLE_3,
    textbook: textbook.paramsSteps,
    onModel: layerOf(({ params }) => params.total > 0, 'Params', 'Weights'),
  },
  memory: {
    title: 'Peak activation memory',
    aliases: ['peak', 'peak-memory', 'activations'],
    sentences: [
      "The largest sum of activations that are alive at once, layers in the model's order. A tensor is alive from the layer that computes it to the last that reads it.",
    ],
    example: 'The largest tensors of MobileNetV1 and V2 at 16 bit.',
    textbook: textbook.memorySteps,
    onModel: memoryOnModel,
  },
  intensity: {
    title: 'Arithmetic intensity',
    aliases: ['arithmetic-intensity'],
    sentences: ['FLOPs for each byte that is read and written: inputs, weights and outputs, once each.'],
    example: `${TABLE_3} At 32 bit.`,
    textbook: textbook.intensitySteps,
    onModel: layerOf(() => true, 'Intensity'),
  },
  roofline: {
    title: 'Roofline',
    aliases: ['roof', 'ridge'],
    sentences: [
      'What a machine can reach at most: min(peak compute, intensity × bandwidth). Left of the ridge a layer waits for memory, and fewer MACs save no time; a depthwise convolution often is there.',
    ],
    example: "The depthwise half of MobileNetV1's Table 3 on a machine of 100 GFLOP/s and 20 GB/s.",
    textbook: textbook.rooflineTextbook,
    onModel: rooflineOnModel,
  },
  standard: {
    title: 'Standard convolution',
    aliases: ['conv', 'convolution', 'standard-conv'],
    sentences: [KIND_WORDS['standard-conv']],
    example: TABLE_3,
    textbook: textbook.standardSteps,
    onModel: ofKind('standard-conv'),
  },
  pointwise: {
    title: 'Pointwise convolution',
    aliases: ['1x1', 'pointwise-conv'],
    sentences: [KIND_WORDS['pointwise-conv']],
    example: '512 to 512 channels on 14×14 positions.',
    textbook: textbook.pointwiseSteps,
    onModel: ofKind('pointwise-conv'),
  },
  depthwise: {
    title: 'Depthwise convolution',
    aliases: ['depthwise-conv'],
    sentences: [KIND_WORDS['depthwise-conv'], 'Its groups are as many as its input channels.'],
    example: '512 channels, 3×3, on 14×14 positions.',
    textbook: textbook.depthwiseSteps,
    onModel: ofKind('depthwise-conv'),
  },
  grouped: {
    title: 'Grouped convolution',
    aliases: ['group', 'groups', 'grouped-conv'],
    sentences: [KIND_WORDS['grouped-conv'], 'It costs 1/g of a standard one; g = M is depthwise.'],
    example: '512 to 512 channels in 32 groups, 3×3, on 14×14 positions.',
    textbook: textbook.groupedSteps,
    onModel: ofKind('grouped-conv'),
  },
  transposed: {
    title: 'Transposed convolution',
    aliases: ['conv-transpose', 'deconvolution'],
    sentences: [KIND_WORDS['conv-transpose'], 'It is counted over its input, whatever the stride.'],
    example: '512 to 512 channels, 3×3, from 14×14 positions.',
    textbook: textbook.transposedSteps,
    onModel: ofKind('conv-transpose'),
  },
  dsc: {
    title: 'DSC: depthwise separable convolution',
    aliases: ['depthwise-separable', 'separable', 'saving'],
    sentences: [
      'One k×k convolution from M to N channels becomes a depthwise k×k one and a pointwise one.',
      ...SHARE_SENTENCES,
    ],
    example: TABLE_3,
    textbook: textbook.separableTextbook,
    onModel: dscOnModel,
  },
  width: {
    title: 'Width multiplier α',
    aliases: ['alpha', 'α', 'width-multiplier'],
    sentences: [
      'Every number of channels times α. Pointwise convolutions and parameters shrink by about α², depthwise convolutions by α.',
      TRY_WIDTH,
    ],
    example: `${TABLE_3} As a DSC, with α = 0.75.`,
    textbook: textbook.widthSteps,
    onModel: () => null,
  },
  resolution: {
    title: 'Resolution multiplier ρ',
    aliases: ['rho', 'ρ', 'resolution-multiplier'],
    sentences: ['Height and width of the image times ρ. MACs shrink by ρ², parameters stay.', TRY_RESOLUTION],
    example: 'The same layer with α = 0.75 and ρ = 0.714: 10×10 positions.',
    textbook: textbook.resolutionSteps,
    onModel: () => null,
  },
  residual: {
    title: 'Basic residual block',
    aliases: ['basic-residual', 'shortcut', 'resnet'],
    sentences: [BLOCK_WORDS['basic-residual']],
    example: 'A block of ResNet-18: 64 channels on 56×56 positions.',
    textbook: textbook.residualSteps,
    onModel: blockOf('basic-residual'),
  },
  bottleneck: {
    title: 'Bottleneck block',
    aliases: ['bottlenecks'],
    sentences: [BLOCK_WORDS.bottleneck],
    example: 'A block of ResNet-50: 256 to 64 to 64 to 256 channels on 56×56 positions.',
    textbook: textbook.bottleneckSteps,
    onModel: blockOf('bottleneck'),
  },
  'inverted-residual': {
    title: 'Inverted residual block, linear bottleneck',
    aliases: ['inverted-bottleneck', 'linear-bottleneck', 'mbconv', 'expansion'],
    sentences: [BLOCK_WORDS['inverted-residual'], 'Its MACs at stride 1: h·w·M·t·(M + k² + N).'],
    example: 'A block of MobileNetV2: 24 to 24 channels, t = 6, on 56×56 positions.',
    textbook: textbook.invertedResidualSteps,
    onModel: blockOf('inverted-residual'),
  },
  'squeeze-excite': {
    title: 'Squeeze-and-excite',
    aliases: ['se', 'squeeze-and-excite'],
    sentences: [BLOCK_WORDS['squeeze-excite']],
    example: '64 channels on 56×56 positions, 4 within.',
    textbook: textbook.squeezeExciteSteps,
    onModel: blockOf('squeeze-excite'),
  },
};

/** Every word that names a topic. */
export const TOPIC_WORDS: readonly string[] = TOPIC_NAMES.flatMap((name) => [name, ...TOPICS[name].aliases]);

/** The topic of that name, or of that other name; null for none. */
export function topicNamed(word: string): TopicName | null {
  const spelt = word.toLowerCase();
  return TOPIC_NAMES.find((name) => name === spelt || TOPICS[name].aliases.includes(spelt)) ?? null;
}

/** One word, with an example from the papers. */
export function explainTopic(name: TopicName): Explanation {
  const { title, sentences, example, textbook: steps } = TOPICS[name];
  return {
    title,
    sections: [
      { id: name, title: 'What it is', sentences, steps: [] },
      { id: 'example', title: 'An example', sentences: [example], steps },
    ],
  };
}

/** The words that this model has examples of, on its own layers and blocks. */
export function explainModel(report: Report): Explanation {
  const sections = TOPIC_NAMES.flatMap((name): readonly Section[] => {
    const found = TOPICS[name].onModel(report);
    if (found === null) return [];
    const { title, sentences } = TOPICS[name];
    return [{ id: name, title, sentences: [...sentences, found.sentence], steps: found.steps }];
  });
  const told = new Set<string>(sections.map(({ id }) => id));
  const others = TOPIC_NAMES.filter((name) => !told.has(name));
  return {
    title: `${report.model.path}: its words`,
    sections: [
      ...sections,
      {
        id: 'further',
        title: 'Further words',
        sentences: [
          `With a textbook example, dsc-audit explain <word>: ${others.join(', ')}.`,
          'A layer of this model: dsc-audit explain <model> <layer>, by name, number or glob.',
        ],
        steps: [],
      },
    ],
  };
}

/** All words, one line each. */
export function explainWords(): Explanation {
  return {
    title: 'Words that dsc-audit explains',
    sections: [
      {
        id: 'words',
        title: 'dsc-audit explain <word>',
        sentences: TOPIC_NAMES.map((name) => `${name}: ${TOPICS[name].title}.`),
        steps: [],
      },
    ],
  };
}
