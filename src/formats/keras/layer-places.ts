import type { JsonSpan } from './json-spans.ts';
import type { LayerSpec, ModelSpec } from './model-config.ts';
import { pathKey } from './path-key.ts';

/** A layer and where its object stands in the model's JSON. */
export interface LayerPlace {
  readonly spec: LayerSpec;
  /** The models around the layer and the layer itself, outermost first. */
  readonly path: readonly string[];
  readonly span: JsonSpan;
}

/** Every layer by its path; of two under the same path neither. `span`: that of the model's `{class_name, config}`. */
export function layerPlaces(model: ModelSpec, span: JsonSpan): ReadonlyMap<string, LayerPlace> {
  const places = new Map<string, LayerPlace>();
  const doubtful = new Set<string>();
  const add = ({ layers }: ModelSpec, { members }: JsonSpan, scope: readonly string[]): void => {
    const config = members.get('config');
    const items = config?.members.get('layers')?.items ?? config?.items ?? [];
    for (const [index, spec] of layers.entries()) {
      const item = items[index];
      if (item === undefined) continue;
      const path = [...scope, spec.name];
      const key = pathKey(path);
      if (places.has(key)) doubtful.add(key);
      places.set(key, { spec, path, span: item });
      if (spec.model) add(spec.model, item, path);
    }
  };
  add(model, span, []);
  for (const key of doubtful) places.delete(key);
  return places;
}
