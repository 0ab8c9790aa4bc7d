import type { ValueId } from '../../ir/graph.ts';
import type { Structure } from './block.ts';
import { type ConvUnit, type Element, stepsOf } from './element.ts';
import type { Paths } from './paths.ts';
import { bodyShape, isDepthwise, isPointwise } from './shapes.ts';

/** Depthwise convolutions with the pointwise ones around them: inverted residuals without a shortcut, and DSCs. */
export function depthwiseBlocks(paths: Paths): readonly Structure[] {
  return paths.elements.flatMap((element) =>
    element.type === 'conv' && isDepthwise(element) ? (depthwiseBlock(paths, element) ?? []) : [],
  );
}

function depthwiseBlock(paths: Paths, depthwise: ConvUnit): Structure | null {
  const behind = upToConv(paths, depthwise.output);
  const pointwise = behind.at(-1);
  if (pointwise?.type !== 'conv' || !isPointwise(pointwise)) return null;
  const halves: readonly Element[] = [depthwise, ...behind];
  const [expand, ...padding] = expansionBefore(paths, depthwise);
  if (expand?.type === 'conv') {
    const whole = blockOf([expand, depthwise, pointwise], [expand, ...padding, ...halves]);
    if (whole !== null) return whole;
  }
  return (
    blockOf([depthwise, pointwise], halves) ?? {
      ...endsOf(halves),
      kind: 'depthwise-separable',
      units: [depthwise, pointwise],
      expansion: null,
      linear: null,
      shortcut: null,
      squeezeExcite: hasSqueezeExcite(halves),
    }
  );
}

/** Elements between two convolutions of a block. */
const MAX_BETWEEN = 4;

/** What follows a value, up to and with the next convolution; empty where something else is in between. */
function upToConv(paths: Paths, value: ValueId): readonly Element[] {
  const elements: Element[] = [];
  let next = paths.elementBehind(value);
  while (next !== null && elements.length < MAX_BETWEEN) {
    elements.push(next);
    if (next.type === 'conv') return elements;
    if (next.type !== 'plain' && next.type !== 'squeeze-excite') return [];
    next = paths.elementBehind(next.output);
  }
  return [];
}

/** The pointwise convolution that leads to a depthwise one, and what pads in between. */
function expansionBefore(paths: Paths, depthwise: ConvUnit): readonly Element[] {
  const before = paths.backFrom(depthwise.output).elements.slice(0, -1);
  const at = before.findLastIndex(({ type }) => type !== 'plain');
  const expand = before[at];
  return expand?.type === 'conv' && isPointwise(expand) ? before.slice(at) : [];
}

function blockOf(units: readonly ConvUnit[], elements: readonly Element[]): Structure | null {
  const shape = bodyShape(units, false);
  if (shape === null) return null;
  const squeezeExcite = hasSqueezeExcite(elements);
  return { ...shape, ...endsOf(elements), units, linear: true, shortcut: null, squeezeExcite };
}

const hasSqueezeExcite = (elements: readonly Element[]): boolean =>
  elements.some(({ type }) => type === 'squeeze-excite');

function endsOf(elements: readonly Element[]): Pick<Structure, 'input' | 'steps' | 'output'> {
  return { input: elements[0]?.input ?? -1, output: elements.at(-1)?.output ?? -1, steps: stepsOf(elements) };
}
