import { DscAuditError } from '../../ir/errors.ts';
import { type Hdf5Group, textOfAttribute } from './hdf5-file.ts';
import { type Json, parseJson } from './json.ts';
import { type NamedWeight, namedWeights } from './named-weights.ts';
import type { WeightStore } from './weights.ts';

/** The model that an `.h5` file describes, in the attribute `model_config`. Throws `not-a-model` where it has none. */
export const modelConfigOf = (root: Hdf5Group): Json => parseJson(modelConfigText(root));

/** The same as text. */
export function modelConfigText(root: Hdf5Group): string {
  const text = textOfAttribute(root, 'model_config');
  if (text !== null) return text;
  const holdsWeights = root.texts('layer_names').length > 0 || root.names.includes('layers');
  throw new DscAuditError(
    'not-a-model',
    holdsWeights
      ? 'holds weights without their model: save the whole model with model.save(), or its graph with model.to_json().'
      : "is an HDF5 file, but no Keras model: it has no 'model_config'.",
  );
}

/**
 * The weights of an `.h5` file: a group a layer under `model_weights`, whose attribute `weight_names` lists its
 * datasets in the order of the layer's weights. Attributes of more than 64 kB are cut into `weight_names0`, ….
 */
export function legacyWeights(root: Hdf5Group): WeightStore {
  const weights = root.group('model_weights');
  const known = new Map<string, readonly NamedWeight[]>();
  return namedWeights(([layer = '']) => {
    const read = known.get(layer) ?? weightsIn(weights?.group(layer) ?? null);
    known.set(layer, read);
    return read;
  });
}

function weightsIn(group: Hdf5Group | null): readonly NamedWeight[] {
  if (group === null) return [];
  return namesIn(group, 'weight_names').flatMap((name) => {
    const parts = name.split('/');
    const holder = parts.slice(0, -1).reduce<Hdf5Group | null>((inner, part) => inner?.group(part) ?? null, group);
    const stored = holder?.dataset(parts.at(-1) ?? '') ?? null;
    return stored === null ? [] : [{ name, stored }];
  });
}

/** The names that an attribute lists, in one or in several parts. */
export function namesIn(group: Pick<Hdf5Group, 'texts'>, attribute: string): readonly string[] {
  const names = [...group.texts(attribute)];
  for (let chunk = 0; names.length === 0 || chunk > 0; chunk++) {
    const more = group.texts(`${attribute}${chunk}`);
    if (more.length === 0) break;
    names.push(...more);
  }
  return names;
}
