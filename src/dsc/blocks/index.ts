import type { Graph } from '../../ir/graph.ts';
import type { CountedLayer } from '../../passes/count-layers.ts';
import type { Facts } from '../../passes/infer-facts.ts';
import type { Block, Structure } from './block.ts';
import { branchBlocks, shuffleBlocks } from './branch-blocks.ts';
import { depthwiseBlocks } from './depthwise-blocks.ts';
import { type ConvUnit, convUnitsOf, type Element } from './element.ts';
import { type Flow, flowOf } from './flow.ts';
import { type Paths, pathsOf } from './paths.ts';
import { residualBlocks } from './residual.ts';

export type { Block, BlockKind, Shortcut } from './block.ts';
export type { ConvUnit } from './element.ts';

/** In order of precedence: a layer belongs to the first block that claims it. */
const RECOGNISERS: readonly ((flow: Flow, paths: Paths) => readonly Structure[])[] = [
  residualBlocks,
  shuffleBlocks,
  (_, paths) => branchBlocks(paths),
  (_, paths) => depthwiseBlocks(paths),
  (_, paths) => paths.elements.flatMap(squeezeExciteBlock),
];

/** What a model is built of. */
export interface Structures {
  /** Those that have a name, in the model's order. No layer is in two of them. */
  readonly blocks: readonly Block[];
  /** Every convolution of the model's own graph with what belongs to it, in a block or not. */
  readonly units: readonly ConvUnit[];
}

/** The structures of a model that have a name. */
export const recogniseBlocks = (graph: Graph, layers: readonly CountedLayer[], facts: Facts): readonly Block[] =>
  recogniseStructures(graph, layers, facts).blocks;

export function recogniseStructures(graph: Graph, layers: readonly CountedLayer[], facts: Facts): Structures {
  const flow = flowOf(graph, layers, facts);
  const paths = pathsOf(flow, facts);
  const taken = new Set<number>();
  const blocks: Block[] = [];
  for (const recognise of RECOGNISERS) {
    for (const structure of recognise(flow, paths)) {
      const block = { ...structure, layers: layersOf(flow, structure) };
      if (block.layers.some((layer) => taken.has(layer))) continue;
      for (const layer of block.layers) taken.add(layer);
      blocks.push(block);
    }
  }
  return {
    blocks: blocks.sort((a, b) => (a.layers[0] ?? 0) - (b.layers[0] ?? 0)),
    units: convUnitsOf(paths.elements),
  };
}

/** Casts and the like belong to the block that computes what they hand on. */
function layersOf(flow: Flow, { steps }: Structure): readonly number[] {
  const own = steps.flatMap((at) => flow.steps[at] ?? []);
  const behind = own.flatMap(({ outputs }) => outputs.flatMap(flow.bypassedBehind));
  return [...new Set([...own.map(({ layer }) => layer), ...behind])].sort((a, b) => a - b);
}

function squeezeExciteBlock(element: Element): readonly Structure[] {
  if (element.type !== 'squeeze-excite') return [];
  const { input, output, steps } = element;
  const none = { units: [], expansion: null, linear: null, shortcut: null };
  return [{ ...none, kind: 'squeeze-excite', input, output, steps, squeezeExcite: true }];
}
