import { type Fact, staticExtents, tensorFact } from '../../ir/fact.ts';
import type { Model, Node, ValueId } from '../../ir/graph.ts';
import type { Facts } from '../../passes/infer-facts.ts';
import { liveNodes } from '../../passes/live-nodes.ts';
import { integers } from './scaled-model.ts';

/** Axes of an image's tensor: batch, channels, height, width. */
const IMAGE_RANK = 4;
const MAX_IMAGE_CHANNELS = 4;

/** What an input becomes at another resolution, or null where it is no image. */
export function imageInputs(model: Model, facts: Facts): ReadonlyMap<ValueId, readonly number[]> {
  const images = new Map<ValueId, readonly number[]>();
  for (const id of model.graph.inputs) {
    const shape = staticExtents(facts.of[id]);
    if (shape?.length !== IMAGE_RANK) continue;
    const isFirst = (shape[1] ?? 0) <= MAX_IMAGE_CHANNELS;
    const isLast = (shape[3] ?? 0) <= MAX_IMAGE_CHANNELS;
    if (isFirst || isLast) images.set(id, isFirst ? [2, 3] : [1, 2]);
  }
  return images;
}

/** The model at another resolution (ρ of 1704.04861, section 3.4): pools over a whole map stay pools over the whole map. */
export function scaleResolution(model: Model, facts: Facts): Model {
  const whole = new Set(liveNodes(model.graph, facts).nodes.filter((node) => poolsAll(node, facts)));
  const nodes = model.graph.nodes.map((node): Node => {
    if (node.kind !== 'pool' || !whole.has(node)) return node;
    const { fn, channelsLast } = node.attrs;
    return { ...node, kind: 'globalPool', attrs: { fn, channelsLast } };
  });
  const values = model.values.map((value) => ({ ...value, declared: null }));
  return { ...model, values, graph: { ...model.graph, nodes } };
}

/** The window is the map: what exporters write for an adaptive pool to 1 × 1. */
function poolsAll(node: Node, facts: Facts): boolean {
  if (node.kind !== 'pool' || node.attrs.fn !== 'average') return false;
  const [input, output] = [node.inputs[0], node.outputs[0]].map((id) => staticExtents(facts.of[id ?? -1]));
  if (!input || !output) return false;
  const spatial = (shape: readonly number[]) => (node.attrs.channelsLast ? shape.slice(1, -1) : shape.slice(2));
  const covers = spatial(input).every((extent, axis) => (node.attrs.kernel?.[axis] ?? 1) === extent && extent > 1);
  return covers && spatial(output).every((extent) => extent === 1);
}

/** Facts of the inputs at a resolution: height and width of every image are `extent`. */
export function inputsAt(model: Model, facts: Facts, extent: number): ReadonlyMap<ValueId, Fact> {
  const images = imageInputs(model, facts);
  const inputs = new Map<ValueId, Fact>();
  for (const id of model.graph.inputs) {
    const fact = facts.of[id];
    if (fact === undefined) continue;
    const axes = images.get(id) ?? [];
    const shape = fact.type === 'tensor' ? fact.shape?.map((dim, axis) => (axes.includes(axis) ? extent : dim)) : null;
    inputs.set(id, fact.type === 'tensor' ? tensorFact(fact.dtype, shape ?? null) : fact);
  }
  return inputs;
}

/**
 * The model with a Reshape that had the map's extents written into it, in the last axes of input and output alike, set to
 * those that its input has now: channel shuffles are exported so. Null where it does anything else with them.
 */
export function followReshape(model: Model, node: Node, before: Facts, after: Facts): Model | null {
  const [input, target] = node.inputs;
  if (node.kind !== 'reshape' || typeof input !== 'number' || typeof target !== 'number') return null;
  const [was, is] = [staticExtents(before.of[input]), staticExtents(after.of[input])];
  const shape = staticExtents(before.of[node.outputs[0] ?? -1]);
  if (!was || !is || !shape || was.length !== is.length) return null;
  const kept = commonEnd(was, shape);
  const isFollowed = was.slice(0, was.length - kept).every((extent, axis) => extent === is[axis]);
  if (kept === 0 || !isFollowed) return null;
  const ints = [...shape.slice(0, shape.length - kept), ...is.slice(is.length - kept)];
  const values = [...model.values, { name: '', declared: null, constant: integers(ints) }];
  const changed = { ...node, inputs: [input, values.length - 1] };
  const nodes = model.graph.nodes.map((other) => (other === node ? changed : other));
  return { ...model, values, graph: { ...model.graph, nodes } };
}

/** How many extents two shapes have in common, from the last. */
function commonEnd(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < Math.min(a.length, b.length) && a.at(-1 - length) === b.at(-1 - length)) length += 1;
  return length;
}
