import type { ValueId } from '../../ir/graph.ts';
import type { Structure } from './block.ts';
import { type Branches, convUnitsOf, type Element, stepsOf } from './element.ts';
import type { Flow, FlowStep } from './flow.ts';
import type { Paths } from './paths.ts';
import { isPointwise, isSpatial } from './shapes.ts';

/** Modules whose branches a concatenation puts side by side: Fire (1602.07360), Inception (1409.4842) and their kin. */
export function branchBlocks(paths: Paths): readonly Structure[] {
  return paths.elements
    .flatMap((element) => (element.type === 'branches' ? (fire(paths, element) ?? parallel(element) ?? []) : []))
    .sort((a, b) => b.steps.length - a.steps.length);
}

const PLAIN_BLOCK = { expansion: null, linear: null, shortcut: null, squeezeExcite: false } as const;

/** A pointwise squeeze, then a pointwise and a spatial convolution side by side. */
function fire(paths: Paths, branches: Branches): Structure | null {
  const units = convUnitsOf(branches.paths.flat());
  const squeeze = paths.backFrom(branches.output).elements.at(-2);
  if (branches.paths.length !== 2 || units.length !== 2 || squeeze?.type !== 'conv' || !isPointwise(squeeze))
    return null;
  if (!units.some(isPointwise) || !units.some(isSpatial)) return null;
  const elements = [squeeze, branches];
  return {
    ...PLAIN_BLOCK,
    kind: 'fire',
    input: squeeze.input,
    output: branches.output,
    steps: stepsOf(elements),
    units: [squeeze, ...units],
  };
}

/** Branches with convolutions that make a module of a concatenation. */
const MIN_BRANCHES = 3;

function parallel({ input, output, steps, paths }: Branches): Structure | null {
  const units = convUnitsOf(paths.flat().flatMap(unfolded));
  const withConvs = paths.filter((path) => convUnitsOf(path.flatMap(unfolded)).length > 0).length;
  if (paths.length < MIN_BRANCHES || withConvs < 2) return null;
  return { ...PLAIN_BLOCK, kind: 'parallel-branches', input, output, steps, units };
}

function unfolded(element: Element): readonly Element[] {
  return element.type === 'branches' ? element.paths.flat().flatMap(unfolded) : [element];
}

/**
 * Blocks that end in a channel shuffle: the two halves of ShuffleNetV2 (1807.11164), one of which may pass through a
 * split untouched, or the grouped convolutions of ShuffleNet (1707.01083).
 */
export function shuffleBlocks(flow: Flow, paths: Paths): readonly Structure[] {
  return paths.elements.flatMap((element) =>
    element.type === 'channel-shuffle' ? (shuffleBlock(flow, paths, element) ?? []) : [],
  );
}

function shuffleBlock(flow: Flow, paths: Paths, shuffle: Element): Structure | null {
  const join = flow.producerOf(shuffle.input);
  if (join?.node.kind !== 'concat') return null;
  const sides = join.inputs.map((value) =>
    flow.readersOf(value).length === 1 ? paths.backFrom(value) : { start: value, elements: [] },
  );
  const starts = new Set(sides.map(({ start }) => start));
  const splits = starts.size === 1 ? [] : splitsBehind(flow, [...starts]);
  if (splits === null) return null;
  const elements = sides.flatMap((side) => side.elements);
  const units = convUnitsOf(elements);
  const [input] = splits[0]?.inputs ?? starts;
  if (units.length === 0 || input === undefined) return null;
  const own = [...splits.map(({ index }) => index), join.index, ...shuffle.steps];
  return {
    ...PLAIN_BLOCK,
    kind: 'shuffle',
    input,
    output: shuffle.output,
    steps: [...new Set([...stepsOf(elements), ...own])].sort((a, b) => a - b),
    units,
  };
}

/** The steps that cut values out of one tensor: a split, or slices of it; null where they are anything else. */
function splitsBehind(flow: Flow, values: readonly ValueId[]): readonly FlowStep[] | null {
  const producers = [...new Set(values.map((value) => flow.producerOf(value)))].filter((step) => step !== null);
  const inputs = new Set(producers.map(({ inputs: [input] }) => input));
  const cut = producers.every(({ node }) => node.kind === 'split' || node.kind === 'slice');
  return cut && inputs.size === 1 ? producers : null;
}
