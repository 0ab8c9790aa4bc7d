import type { BlockSection, Report } from '../../audit/report.ts';
import { blockText } from '../block-text.ts';
import { nameOf, whatOf } from '../rows.ts';
import { provenStep, type Section, type Step } from './explanation.ts';
import { named, product, sum } from './expression.ts';
import { positionsOf } from './shapes.ts';
import { BLOCK_WORDS } from './words.ts';

/** Terms of a sum that are still read. */
const MAX_TERMS = 8;

const OTHERWISE = 'The sum over its layers, each worked out by itself.';

/** What a block costs, as the sum of its layers; of an inverted residual also by the formula of its paper. */
export function blockSteps(block: BlockSection, { layers }: Pick<Report, 'layers'>): readonly Step[] {
  const members = block.layers.flatMap((index) => layers[index] ?? []);
  const params = members.map(({ params: { total } }) => total).filter((total) => total > 0);
  const macs = members.map((layer) => layer.macs).filter((figure) => figure !== null && figure > 0);
  const added = (figures: readonly (number | null)[], symbol: string) =>
    figures.length === 0 || figures.length > MAX_TERMS
      ? []
      : [{ formula: sum(...figures.map((figure, at) => named(`${symbol}${at + 1}`, figure ?? 0))) }];
  return [
    provenStep('Params', block.params, added(params, 'params'), { otherwise: OTHERWISE }),
    provenStep('MACs', block.macs, added(macs, 'layer'), { otherwise: OTHERWISE }),
    ...invertedResidualStep(block, { layers }),
  ];
}

/** h·w·M·t·(M + k² + N), where the block has stride 1 and nothing beside its three convolutions (1801.04381, section 3.3). */
function invertedResidualStep(block: BlockSection, { layers }: Pick<Report, 'layers'>): readonly Step[] {
  const { kind, inChannels, outChannels, expansion, macs } = block;
  if (kind !== 'inverted-residual' || inChannels === null || outChannels === null || expansion === null) return [];
  const inner = block.layers.flatMap((index) => layers[index] ?? []).find((layer) => layer.kind === 'depthwise-conv');
  const positions = positionsOf(inner?.outputShapes[0], inner?.conv?.outChannels ?? 0);
  if (!inner?.conv || positions === null) return [];
  const taps = inner.conv.kernel.reduce((all, extent) => all * extent, 1);
  const formula = product(
    ...positions,
    ...[named('M', inChannels), named('t', expansion)],
    sum(named('M', inChannels), named('k²', taps), named('N', outChannels)),
  );
  if (formula.value !== macs) return [];
  const note = 'The formula of the MobileNetV2 paper, section 3.3, gives the same.';
  return [provenStep('By the paper', macs, [{ formula, note }], { otherwise: OTHERWISE })];
}

/** A block as a section: what it is, what it is made of, what it costs. */
export function blockSection(block: BlockSection, report: Pick<Report, 'layers'>): Section {
  const members = block.layers.flatMap((index) => report.layers[index] ?? []);
  const weighty = members.filter(({ macs, params }) => macs === null || macs > 0 || params.total > 0);
  const parts = (weighty.length > 0 ? weighty : members).slice(0, MAX_TERMS);
  const more = weighty.length > parts.length ? `, and ${weighty.length - parts.length} more` : '';
  const made = parts.map((layer) => `#${layer.index} ${nameOf(layer)} (${whatOf(layer)})`).join(', ');
  const { inChannels, outChannels, shortcut, linear } = block;
  const facts = [
    inChannels === null ? [] : `${inChannels} channels in`,
    outChannels === null ? [] : `${outChannels} out`,
    block.expansion === null ? [] : `expansion ${Number(block.expansion.toFixed(3))}`,
    linear === null || block.kind !== 'inverted-residual'
      ? []
      : linear
        ? 'linear at its end'
        : 'an activation at its end',
    shortcut === null ? 'no shortcut' : `a shortcut (${shortcut})`,
  ].flat();
  return {
    id: 'block',
    title: `Its block: ${block.name} (${blockText(block)})`,
    sentences: [
      BLOCK_WORDS[block.kind],
      `Here: ${facts.join(', ')}.`,
      `Its layers that cost something: ${made}${more}.`,
    ],
    steps: blockSteps(block, report),
  };
}
