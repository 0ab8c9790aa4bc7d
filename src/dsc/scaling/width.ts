import { staticExtents } from '../../ir/fact.ts';
import type { Model, Node } from '../../ir/graph.ts';
import type { Facts } from '../../passes/infer-facts.ts';
import type { Block } from '../blocks/index.ts';
import { CannotScale } from './cannot-scale.ts';
import { after, before, type Segment } from './channels.ts';
import { type Decision, Decisions } from './decisions.ts';
import { ROUNDINGS, type Rounding } from './rounding.ts';
import { scaledModel } from './scaled-model.ts';
import { type WidthChanges, walkWidths } from './width-walk.ts';

export interface WidthRequest {
  /** α: what every number of channels is multiplied by. */
  readonly width: number;
  readonly rounding: Rounding;
}

/** A model whose every number of channels is α times what it was, and what came of each value's channels. */
export interface ScaledWidth {
  readonly model: Model;
  /** Nodes of the scaled model, in the place of those of the original. */
  check(facts: Facts): void;
}

/**
 * MobileNetV1's width multiplier on any graph (1704.04861, section 3.3): every convolution and dense layer puts out α times
 * the channels, sums stay sums, and what the model itself takes in and hands out stays. As in MobileNetV2 (1801.04381,
 * section 6.1.2), an inverted residual expands its scaled input by t, and a convolution behind the last block keeps its
 * width for α < 1.
 *
 * @throws {CannotScale} where a number of channels cannot follow, with the node
 */
export function scaleWidth(model: Model, facts: Facts, blocks: readonly Block[], request: WidthRequest): ScaledWidth {
  const decisions = new Decisions();
  walkWidths(model, facts, decisions, (_, outChannels) => outChannels);
  const widths = new Map<Decision, number>();
  const expansions = expansionsOf(blocks);
  const head = request.width < 1 ? headOf(model, facts, blocks) : null;
  const decide = (decision: Decision, outChannels: number, input: readonly Segment[]): number => {
    const stays = request.width === 1 || decisions.isFixed(decision) || decision.node === head;
    if (stays) return outChannels;
    const leader = decisions.leader(decision);
    const known = widths.get(leader);
    if (known !== undefined) return known;
    const expansion = expansions.get(decision.node);
    const width =
      expansion !== undefined && expansion * before(input) === outChannels
        ? expansion * after(input)
        : ROUNDINGS[request.rounding](outChannels * request.width, decisions.divisor(leader));
    widths.set(leader, width);
    return width;
  };
  const changes = walkWidths(model, facts, decisions, decide);
  return { model: scaledModel(model, changes), check: (scaled) => check(model, changes, scaled) };
}

/** The expanding convolutions of inverted residuals, by how much. */
function expansionsOf(blocks: readonly Block[]): ReadonlyMap<Node, number> {
  const expansions = new Map<Node, number>();
  for (const { kind, expansion, units } of blocks) {
    const [expand] = units;
    if (
      kind === 'inverted-residual' &&
      expansion !== null &&
      Number.isInteger(expansion) &&
      expand &&
      units.length === 3
    ) {
      expansions.set(expand.node, expansion);
    }
  }
  return expansions;
}

/** The last convolution, where it is a pointwise one behind the last inverted residual. */
function headOf(model: Model, facts: Facts, blocks: readonly Block[]): Node | null {
  const last = blocks.findLast(({ kind }) => kind === 'inverted-residual');
  const order = facts.order.get(model.graph) ?? model.graph.nodes;
  const head = order.findLast(({ kind }) => kind === 'conv');
  const end = last?.units.at(-1)?.node;
  if (head === undefined || end === undefined || blocks.some(({ units }) => units.some(({ node }) => node === head))) {
    return null;
  }
  return order.indexOf(head) > order.indexOf(end) ? head : null;
}

/** Every activation has the channels that it was meant to have: else a count that the graph computes did not follow. */
function check(model: Model, { channels }: WidthChanges, scaled: Facts): void {
  for (const [id, { axis, segments }] of channels) {
    if (staticExtents(scaled.of[id])?.[axis] === after(segments)) continue;
    const node = model.graph.nodes.find(({ outputs }) => outputs.includes(id));
    if (node) throw new CannotScale(node, 'it has a number of channels written into it');
  }
}
