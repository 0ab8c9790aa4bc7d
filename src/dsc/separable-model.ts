/** A model with convolutions replaced by a depthwise and a pointwise one, as far as a plan must know it: shapes without weights. */
import { staticExtents, tensorFact } from '../ir/fact.ts';
import type { Constant, Node, Value, ValueId } from '../ir/graph.ts';
import type { AnalysedModel } from '../runtime/index.ts';
import { halfAttrs } from './half-attrs.ts';

export interface SeparableModel {
  readonly model: AnalysedModel;
  /** By position of a replaced node: the positions of its two halves. */
  readonly halves: ReadonlyMap<number, readonly [depthwise: number, pointwise: number]>;
}

/** Replaces the nodes at these positions; one whose shapes are not known stays as it is. */
export function separableModel(source: AnalysedModel, positions: ReadonlySet<number>): SeparableModel {
  const values: Value[] = [...source.model.values];
  const facts = [...source.facts];
  const halves = new Map<number, readonly [number, number]>();
  const nodes: Node[] = [];
  const add = (name: string, shape: readonly number[], constant: Constant | null): ValueId => {
    facts[values.length] = { ...tensorFact('float32', shape), constant: constant !== null };
    return values.push({ name, constant, declared: null }) - 1;
  };
  for (const [position, node] of source.nodes.entries()) {
    const pair = positions.has(position) && node.kind === 'conv' ? halvesOf(source, node, add) : null;
    if (pair !== null) halves.set(position, [nodes.length, nodes.length + 1]);
    nodes.push(...(pair ?? [node]));
  }
  return { model: { ...source, model: { ...source.model, values }, facts, nodes }, halves };
}

type Add = (name: string, shape: readonly number[], constant: Constant | null) => ValueId;

/** The depthwise half keeps window and input, the pointwise one bias, activation and output. */
function halvesOf(
  source: AnalysedModel,
  node: Extract<Node, { kind: 'conv' }>,
  add: Add,
): readonly [Node, Node] | null {
  const { attrs, name } = node;
  const [inputId = null, weightId = null, ...rest] = node.inputs;
  const [input, weight, output] = [inputId, weightId, node.outputs[0]].map((id) =>
    staticExtents(source.facts[id ?? -1]),
  );
  if (inputId === null || !input || !weight || !output) return null;
  const kernel = attrs.weightChannelsLast ? weight.slice(1, -1) : weight.slice(2);
  const channelAxis = attrs.channelsLast ? input.length - 1 : 1;
  const inChannels = input[channelAxis] ?? 1;
  const outChannels = output[channelAxis] ?? 1;
  const between = add(
    `${name}/depthwise`,
    output.map((extent, axis) => (axis === channelAxis ? inChannels : extent)),
    null,
  );
  const weights = (part: string, shape: readonly number[]): ValueId =>
    add(`${name}/${part}/weight`, shape, shapeOnly(shape));
  const ones = kernel.map(() => 1);
  const depthwise: Node = {
    ...node,
    name: `${name}/depthwise`,
    attrs: { ...halfAttrs(attrs, { groups: inChannels, isSpatial: true }), activation: null },
    inputs: [inputId, weights('depthwise', [inChannels, 1, ...kernel])],
    outputs: [between],
  };
  const pointwise: Node = {
    ...node,
    attrs: halfAttrs(attrs, { groups: 1, isSpatial: false }),
    inputs: [between, weights('pointwise', [outChannels, inChannels, ...ones]), ...rest],
  };
  return [depthwise, pointwise];
}

/** A weight that is not there yet. */
const shapeOnly = (shape: readonly number[]): Constant => ({
  dtype: 'float32',
  shape,
  origin: 'initializer',
  data: { byteLength: 0, read: () => null },
});
