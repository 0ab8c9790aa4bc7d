import type { Block } from '../dsc/blocks/index.ts';
import { pathOf, shortPath } from '../dsc/layer-path.ts';
import { addExact, addKnown } from '../ir/exact.ts';
import type { BlockSection, Layer } from './report.ts';

/** A block of the report, with what its layers cost together. */
export function blockSection(block: Block, layers: readonly Layer[]): BlockSection {
  const { kind, expansion, linear, shortcut, squeezeExcite, units } = block;
  const own = block.layers.flatMap((index) => layers[index] ?? []);
  return {
    kind,
    name: nameOf(own),
    layers: block.layers,
    inChannels: units[0]?.conv.inChannels ?? null,
    outChannels: units.at(-1)?.conv.outChannels ?? null,
    expansion,
    linear,
    shortcut,
    squeezeExcite,
    params: own.reduce((sum, { params }) => addExact(sum, params.total), 0),
    macs: addKnown(own.map(({ macs }) => macs)),
    flops: addKnown(own.map(({ flops }) => flops)),
  };
}

/** The module that holds all of it; where they share none, its first layer that has a module, or its first. */
function nameOf(layers: readonly Layer[]): string {
  const paths = layers.map((layer) => shortPath(layer.scope));
  const [first = []] = paths;
  const shared = first.findIndex((part, depth) => !paths.every((path) => path[depth] === part));
  const common = shared < 0 ? first : first.slice(0, shared);
  if (common.length > 0) return common.join('/');
  const named = layers.find(({ conv }) => conv !== null) ?? layers[0];
  return named === undefined ? '' : shortPath(pathOf(named)).join('/');
}
