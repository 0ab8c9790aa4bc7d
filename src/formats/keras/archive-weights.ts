import type { Hdf5Group } from './hdf5-file.ts';
import { isObject, member } from './json.ts';
import { innerLayerSpec, type ModelSpec } from './model-config.ts';
import { pathKey } from './path-key.ts';
import type { StoredWeight, WeightStore } from './weights.ts';

/**
 * The weights of a `.keras` archive (`model.weights.h5`): under `layers` a group a layer, called after its class and
 * numbered within its model (`conv2d`, `conv2d_1`), with its weights in `vars` in the order in which the layer makes
 * them; a model's own layers lie under `layers` again, parts of a layer under their attribute's name.
 */
export function archiveWeights(root: Hdf5Group, model: ModelSpec): WeightStore {
  const groups = new Map<string, Hdf5Group | null>();
  const counts = new Map<string, number>();
  const paths = new Map<string, readonly string[]>();
  addPaths(model, [], [], paths);

  const groupAt = (parts: readonly string[]): Hdf5Group | null => {
    const key = parts.join('/');
    const known = groups.get(key);
    if (known !== undefined) return known;
    const last = parts.at(-1);
    const group = last === undefined ? root : (groupAt(parts.slice(0, -1))?.group(last) ?? null);
    groups.set(key, group);
    return group;
  };
  return {
    find({ path, name }): StoredWeight | null {
      const place = paths.get(pathKey(path));
      if (place === undefined) return null;
      const vars = [...place, ...name.split('/').slice(0, -1), 'vars'];
      const key = vars.join('/');
      const index = counts.get(key) ?? 0;
      counts.set(key, index + 1);
      return groupAt(vars)?.dataset(String(index)) ?? null;
    },
    heldBy(path) {
      const place = paths.get(pathKey(path));
      const group = place === undefined ? null : groupAt(place);
      return group === null ? [] : weightsWithin(group, 0);
    },
  };
}

/** Layers within layers, at most: links of a group may lead back to it. */
const MAX_DEPTH = 16;

/** All that lies in a group and in those within it, layers that a custom layer has made among them. */
function weightsWithin(group: Hdf5Group, depth: number): readonly StoredWeight[] {
  if (depth > MAX_DEPTH) return [];
  return group.names.flatMap((name) => {
    const stored = group.dataset(name);
    if (stored !== null) return [stored];
    const inner = group.group(name);
    return inner === null ? [] : weightsWithin(inner, depth + 1);
  });
}

/** Where the layers of a model lie in the file, by their names. */
function addPaths(
  { layers }: ModelSpec,
  scope: readonly string[],
  around: readonly string[],
  paths: Map<string, readonly string[]>,
): void {
  const places = numberedNames(layers.map(({ className }) => className));
  for (const [index, { name, model, config }] of layers.entries()) {
    const place = [...around, 'layers', places[index] ?? ''];
    const path = [...scope, name];
    paths.set(pathKey(path), place);
    if (model) addPaths(model, path, place, paths);
    const wrapped = member(config, 'layer');
    const inner = isObject(wrapped) ? innerLayerSpec(wrapped, `'layer'`) : null;
    if (inner?.model) addPaths(inner.model, [...path, inner.name], [...place, 'layer'], paths);
  }
}

/** Classes that Keras exports under another name than their own. */
const OWN_NAMES: ReadonlyMap<string, string> = new Map([['GroupQueryAttention', 'GroupedQueryAttention']]);

/** What Keras calls the parts of a list: after their classes, numbered from the second of a class on. */
export function numberedNames(classNames: readonly string[]): readonly string[] {
  const used = new Map<string, number>();
  return classNames.map((className) => {
    const base = snakeCase(OWN_NAMES.get(className) ?? className);
    const index = used.get(base) ?? 0;
    used.set(base, index + 1);
    return index === 0 ? base : `${base}_${index}`;
  });
}

/** `Conv2DTranspose` → `conv2d_transpose`. (keras.src.utils.naming.to_snake_case) */
function snakeCase(name: string): string {
  return name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
