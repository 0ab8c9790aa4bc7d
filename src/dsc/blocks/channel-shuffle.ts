import { staticExtents } from '../../ir/fact.ts';
import type { Facts } from '../../passes/infer-facts.ts';
import type { ChannelShuffle } from './element.ts';
import { type Flow, type FlowStep, onlyReader } from './flow.ts';

/** Finds every channel shuffle: [N, g·c, …] → [N, g, c, …] → [N, c, g, …] → [N, c·g, …]. */
export function channelShuffles(flow: Flow, facts: Facts): readonly ChannelShuffle[] {
  return flow.steps.flatMap((step) => channelShuffle(flow, facts, step) ?? []);
}

function channelShuffle(flow: Flow, facts: Facts, apart: FlowStep): ChannelShuffle | null {
  const [input] = apart.inputs;
  const turned = following(flow, apart, 'transpose');
  const together = turned && following(flow, turned, 'reshape');
  const output = together?.outputs[0];
  if (apart.node.kind !== 'reshape' || turned?.node.kind !== 'transpose' || !together) return null;
  if (input === undefined || output === undefined) return null;
  const permutation = turned.node.attrs.permutation ?? [];
  const [before, split, after] = [input, apart.outputs[0], output].map((id) => staticExtents(facts.of[id ?? -1]));
  const groups = split?.[1] ?? 0;
  if (!before || !split || !after || groups < 2 || split.length !== before.length + 1) return null;
  const swaps = permutation.every((axis, at) => axis === (at === 1 ? 2 : at === 2 ? 1 : at));
  const isSame = before.length === after.length && before.every((extent, axis) => extent === after[axis]);
  if (!swaps || !isSame || groups * (split[2] ?? 0) !== before[1]) return null;
  return { type: 'channel-shuffle', input, output, steps: [apart.index, turned.index, together.index] };
}

function following(flow: Flow, step: FlowStep, kind: FlowStep['node']['kind']): FlowStep | null {
  const [output] = step.outputs;
  const next = output === undefined ? null : onlyReader(flow, output);
  return next?.node.kind === kind ? next : null;
}
