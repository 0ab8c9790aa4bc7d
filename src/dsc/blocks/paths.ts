import type { ValueId } from '../../ir/graph.ts';
import type { OpKind } from '../../ir/operators.ts';
import type { Facts } from '../../passes/infer-facts.ts';
import { channelShuffles } from './channel-shuffle.ts';
import { convUnits } from './conv-units.ts';
import type { Branches, Element } from './element.ts';
import type { Flow, FlowStep } from './flow.ts';
import { squeezeExcites } from './squeeze-excite.ts';

/** The elements of a graph by the value that they end in, and where chains of them begin. */
export interface Paths {
  readonly elements: readonly Element[];
  /** The chain of elements that ends in a value, back to where the graph forks, and the value that it begins with. */
  backFrom(value: ValueId): Path;
  /** The element that alone reads a value. */
  elementBehind(value: ValueId): Element | null;
}

export interface Path {
  readonly start: ValueId;
  readonly elements: readonly Element[];
}

/** Elements of one path: no block is longer. */
const MAX_PATH = 24;

export function pathsOf(flow: Flow, facts: Facts): Paths {
  const byOutput = new Map<ValueId, Element>();
  const byInput = new Map<ValueId, Element>();
  const taken = new Set<number>();
  const add = (element: Element): void => {
    for (const step of element.steps) taken.add(step);
    byOutput.set(element.output, element);
    if (isHeld(flow, element.input, element)) byInput.set(element.input, element);
  };
  const addUntaken = (element: Element): void => {
    if (!element.steps.some((step) => taken.has(step))) add(element);
  };
  const backFrom = (value: ValueId): Path => {
    const elements: Element[] = [];
    let start = value;
    while (elements.length < MAX_PATH) {
      const element = byOutput.get(start);
      // A value that forks ends the path, except at its very end: the caller knows who reads that one.
      if (element === undefined || (elements.length > 0 && !isHeld(flow, start, elements[0]))) break;
      elements.unshift(element);
      start = element.input;
    }
    return { start, elements };
  };
  // What holds others goes first: the dense steps of a squeeze-and-excite are no convolutions of their own.
  for (const element of squeezeExcites(flow)) addUntaken(element);
  for (const element of channelShuffles(flow, facts)) addUntaken(element);
  for (const element of convUnits(flow)) addUntaken(element);
  for (const step of flow.steps) {
    if (taken.has(step.index)) continue;
    const element = plain(step) ?? branches(flow, step, backFrom);
    if (element !== null) add(element);
  }
  return { elements: [...byOutput.values()], backFrom, elementBehind: (value) => byInput.get(value) ?? null };
}

/** Whether nobody but an element reads a value. */
function isHeld(flow: Flow, value: ValueId, element: Element | undefined): boolean {
  const steps = new Set(element?.steps);
  return !flow.isOutput(value) && flow.readersOf(value).every(({ index }) => steps.has(index));
}

/** Operators of one activation that may stand between a block's convolutions, or on its shortcut. */
const PLAIN: ReadonlySet<OpKind> = new Set([
  'batchNorm',
  'clip',
  'globalPool',
  'groupNorm',
  'instanceNorm',
  'layerNorm',
  'pad',
  'pool',
  'prelu',
  'reduce',
  'resize',
  'transpose',
  'unary',
]);

function plain(step: FlowStep): Element | null {
  const [input] = step.inputs;
  const [output] = step.outputs;
  const isScale = step.node.kind === 'binary' && step.inputs.length === 1;
  if (input === undefined || output === undefined || step.inputs.length !== 1 || step.outputs.length !== 1) return null;
  if (!PLAIN.has(step.node.kind) && !isScale) return null;
  return { type: 'plain', input, output, steps: [step.index] };
}

/** Branches that one concatenation may put together: more are no module, and each is walked back. */
const MAX_BRANCHES = 16;

/** Steps of one module: concatenations within concatenations would hold all of the graph, each time anew. */
const MAX_MODULE_STEPS = 256;

function branches(flow: Flow, step: FlowStep, backFrom: (value: ValueId) => Path): Branches | null {
  const [output] = step.outputs;
  const { inputs, node } = step;
  if (node.kind !== 'concat' || output === undefined || inputs.length < 2 || inputs.length > MAX_BRANCHES) return null;
  const paths = inputs.map((value) => (flow.readersOf(value).length === 1 ? backFrom(value) : null));
  const start = paths[0]?.start;
  if (start === undefined || !paths.every((path) => path?.start === start && path.elements.length > 0)) return null;
  const elements = paths.flatMap((path) => (path ? [path.elements] : []));
  const size = elements.flat().reduce((sum, element) => sum + element.steps.length, 1);
  if (size > MAX_MODULE_STEPS) return null;
  const steps = [...elements.flat().flatMap((element) => element.steps), step.index].sort((a, b) => a - b);
  return { type: 'branches', input: start, output, steps, paths: elements };
}
