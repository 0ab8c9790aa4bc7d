import { align, type Pair } from './align.ts';
import type { MeasuredLayer } from './measured-report.ts';

type Layers = readonly MeasuredLayer[];

/**
 * Which layers of two models are the same ones. First by name; where names moved, by structure: operator, shapes,
 * convolution and parameters, in order; and between two such pairs by what kind of layer it is, which has then changed.
 */
export function matchLayers(before: Layers, after: Layers): readonly Pair[] {
  const pairs = [...pairsByName(before, after)];
  pairs.push(...alignRest(before, after, pairs, structureOf));
  for (const [gapBefore, gapAfter] of gaps(before, after, pairs)) {
    pairs.push(...alignSome(before, after, gapBefore, gapAfter, kindOf));
  }
  return pairs;
}

/** The same name and operator. A name that only numbers a layer holds no further than the layer's structure. */
function pairsByName(before: Layers, after: Layers): readonly Pair[] {
  const places = new Map(namesOf(after).map((name, index) => [name, index]));
  const pairs: Pair[] = [];
  for (const [index, name] of namesOf(before).entries()) {
    const place = places.get(name);
    const [layer, other] = [before[index], place === undefined ? undefined : after[place]];
    if (place === undefined || layer === undefined || other === undefined || layer.op !== other.op) continue;
    if (!isNumbered(layer) || structureOf(layer) === structureOf(other)) pairs.push([index, place]);
  }
  return pairs;
}

/** Names that occur more than once (a body that runs twice) are told apart by their order. */
function namesOf(layers: Layers): readonly string[] {
  const seen = new Map<string, number>();
  return layers.map(({ name }) => {
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return `${count} ${name}`;
  });
}

/** `Conv_12`, `node_conv2d_3` or `123`: a layer more in front, and the next has its name. */
function isNumbered({ name, op }: MeasuredLayer): boolean {
  const own = name.replace(/^\//, '').toLowerCase();
  return /^(node_)?[a-z0-9]*_?\d+$/.test(own) || own === op.toLowerCase();
}

function structureOf({ op, inputShapes, outputShapes, conv, params }: MeasuredLayer): string {
  return JSON.stringify([op, inputShapes, outputShapes, conv && Object.entries(conv).sort(), params.total]);
}

function kindOf({ op, conv }: MeasuredLayer): string {
  return conv === null ? op : JSON.stringify([op, conv.kernel, conv.groups > 1]);
}

function alignRest(before: Layers, after: Layers, pairs: readonly Pair[], keyOf: (layer: MeasuredLayer) => string) {
  const [takenBefore, takenAfter] = [new Set(pairs.map(([index]) => index)), new Set(pairs.map(([, index]) => index))];
  const restBefore = before.flatMap((_, index) => (takenBefore.has(index) ? [] : index));
  const restAfter = after.flatMap((_, index) => (takenAfter.has(index) ? [] : index));
  return alignSome(before, after, restBefore, restAfter, keyOf);
}

function alignSome(
  before: Layers,
  after: Layers,
  someBefore: readonly number[],
  someAfter: readonly number[],
  keyOf: (layer: MeasuredLayer) => string,
): readonly Pair[] {
  const keys = (layers: Layers, indices: readonly number[]) =>
    indices.map((index) => {
      const layer = layers[index];
      return layer === undefined ? '' : keyOf(layer);
    });
  const aligned = align(keys(before, someBefore), keys(after, someAfter));
  return aligned.map(([one, other]) => [someBefore[one] ?? -1, someAfter[other] ?? -1]);
}

/** Unpaired layers that stand behind the same pair. */
function gaps(before: Layers, after: Layers, pairs: readonly Pair[]): Iterable<readonly [number[], number[]]> {
  const groups = new Map<number, readonly [number[], number[]]>();
  const collect = (length: number, side: 0 | 1) => {
    const pairOf = new Map(pairs.map((pair, number) => [pair[side], number]));
    let last = -1;
    for (let index = 0; index < length; index++) {
      const number = pairOf.get(index);
      if (number !== undefined) {
        last = number;
        continue;
      }
      const group = groups.get(last) ?? [[], []];
      group[side].push(index);
      groups.set(last, group);
    }
  };
  collect(before.length, 0);
  collect(after.length, 1);
  return groups.values();
}
