/** A layer as it can be named. */
export interface NamedLayer {
  readonly name: string;
  /** Local functions and bodies around it that its name does not tell, outermost first. */
  readonly scope: readonly string[];
}

/** Every name on the way to a layer, outermost first: `/layer1/layer1.0/conv1/Conv` gives four. */
export function pathOf({ scope, name }: NamedLayer): readonly string[] {
  const parts = name.split('/').filter(Boolean);
  return [...scope, ...(parts.length > 0 ? parts : [name])];
}

/** Without names that the next one repeats: exporters write `layer1/layer1.0`. */
export function shortPath(path: readonly string[]): readonly string[] {
  return path.filter((part, index) => !path[index + 1]?.startsWith(`${part}.`));
}

/** What patterns are held against: matching takes time that grows steeply with a path's length. */
const MAX_DEPTH = 64;
const MAX_PATH_LENGTH = 512;

/** Paths that a pattern may match: the layer and each module around it, in full and short; and the name as it stands. */
export function matchablePaths(layer: NamedLayer): readonly string[] {
  const path = pathOf(layer).slice(0, MAX_DEPTH);
  const prefixes = path.map((_, index) => path.slice(0, index + 1));
  const paths = prefixes.flatMap((prefix) => [prefix.join('/'), shortPath(prefix).join('/')]);
  return [layer.name.replace(/^\//, ''), ...paths].filter((candidate) => candidate.length <= MAX_PATH_LENGTH);
}
