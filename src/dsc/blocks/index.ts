import type { Graph } from '../../ir/graph.ts';
import type { CountedLayer } from '../../passes/count-layers.ts';
import type { Facts } from '../../passes/infer-facts.ts';
import type { ConvLayer } from '../conv-layer.ts';
import type { Block } from './block.ts';
import { branchBlocks, shuffleBlocks } from './branch-blocks.ts';
import { depthwiseBlocks } from './depthwise-blocks.ts';
import type { Element } from './element.ts';
import { type Flow, flowOf } from './flow.ts';
import { type Paths, pathsOf } from './paths.ts';
import { residualBlocks } from './residual.ts';

export { BLOCK_KINDS, type Block, type BlockKind, type Shortcut } from './block.ts';

/** In order of precedence: a layer belongs to the first block that claims it. */
const RECOGNISERS: readonly ((flow: Flow, paths: Paths) => readonly Block[])[] = [
  residualBlocks,
  shuffleBlocks,
  (_, paths) => branchBlocks(paths),
  (_, paths) => depthwiseBlocks(paths),
  (_, paths) => paths.elements.flatMap(squeezeExciteBlock),
];

/** The structures of a model that have a name, in the model's order. No layer is in two of them. */
export function recogniseBlocks(
  graph: Graph,
  layers: readonly CountedLayer[],
  convs: readonly ConvLayer[],
  facts: Facts,
): readonly Block[] {
  const flow = flowOf(graph, layers, convs);
  const paths = pathsOf(flow, facts);
  const taken = new Set<number>();
  const blocks: Block[] = [];
  for (const recognise of RECOGNISERS) {
    for (const block of recognise(flow, paths)) {
      if (block.layers.some((layer) => taken.has(layer))) continue;
      for (const layer of block.layers) taken.add(layer);
      blocks.push(block);
    }
  }
  return blocks.map((block) => withBypassed(flow, block)).sort((a, b) => (a.layers[0] ?? 0) - (b.layers[0] ?? 0));
}

/** Casts and the like belong to the block that computes what they hand on. */
function withBypassed(flow: Flow, block: Block): Block {
  const layers = new Set(block.layers);
  const outputs = flow.steps.filter(({ index }) => layers.has(index)).flatMap((step) => step.outputs);
  for (const index of outputs.flatMap(flow.bypassedBehind)) layers.add(index);
  return { ...block, layers: [...layers].sort((a, b) => a - b) };
}

function squeezeExciteBlock(element: Element): readonly Block[] {
  if (element.type !== 'squeeze-excite') return [];
  const { input, output, layers } = element;
  const none = { units: [], expansion: null, linear: null, shortcut: null };
  return [{ ...none, kind: 'squeeze-excite', input, output, layers, squeezeExcite: true }];
}
