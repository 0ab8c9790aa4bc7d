import type { ValueId } from '../../ir/graph.ts';
import type { Shortcut, Structure } from './block.ts';
import { activation } from './conv-units.ts';
import { convUnitsOf, type Element, stepsOf } from './element.ts';
import type { Flow, FlowStep } from './flow.ts';
import type { Path, Paths } from './paths.ts';
import { bodyShape } from './shapes.ts';

/** Blocks whose end is added to their beginning. */
export function residualBlocks(flow: Flow, paths: Paths): readonly Structure[] {
  return flow.steps.flatMap((step) => (isSum(step) ? (residualBlock(flow, paths, step) ?? []) : []));
}

const isSum = ({ node, inputs }: FlowStep): boolean =>
  inputs.length === 2 &&
  ((node.kind === 'binary' && node.attrs.fn === 'add') || (node.kind === 'variadic' && node.attrs.fn === 'sum'));

interface Sides {
  readonly body: readonly Element[];
  readonly around: readonly Element[];
  readonly input: ValueId;
  readonly shortcut: Shortcut;
}

function residualBlock(flow: Flow, paths: Paths, sum: FlowStep): Structure | null {
  const [left, right] = sum.inputs.map((value) => pathTo(flow, paths, value));
  const [output] = sum.outputs;
  const sides = left && right ? sidesOf(left, right) : null;
  if (sides === null || output === undefined) return null;
  const units = convUnitsOf(sides.body);
  const shape = bodyShape(units, true);
  if (shape === null) return null;
  const closing = activation(flow, output);
  return {
    ...shape,
    input: sides.input,
    output: closing?.output ?? output,
    steps: [...stepsOf(sides.body), ...stepsOf(sides.around), sum.index, ...(closing?.steps ?? [])].sort(
      (a, b) => a - b,
    ),
    units,
    linear: units.at(-1)?.activated === false,
    shortcut: sides.shortcut,
    squeezeExcite: sides.body.some(({ type }) => type === 'squeeze-excite'),
  };
}

/** What leads to a value; nothing where others read it too: then it is where the block begins. */
function pathTo(flow: Flow, paths: Paths, value: ValueId): Path {
  return flow.readersOf(value).length === 1 ? paths.backFrom(value) : { start: value, elements: [] };
}

function sidesOf(left: Path, right: Path): Sides | null {
  if (left.start !== right.start) return null;
  const [body, around] =
    convUnitsOf(left.elements).length >= convUnitsOf(right.elements).length
      ? [left.elements, right.elements]
      : [right.elements, left.elements];
  const shortcut = convUnitsOf(around).length === 0 ? 'identity' : 'projection';
  return { body, around, input: left.start, shortcut };
}
