/** Writes a Keras model with some convolutions replaced, in the kind of file that it came in. */
import type { Node } from '../../ir/graph.ts';
import type { ModelSource } from '../model-source.ts';
import type { ModelWriter } from '../model-writer.ts';
import type { KerasContainer, ReplacedLayer } from './container.ts';
import { type FileKind, fileKind } from './file-kind.ts';
import { isObject, type Json, type JsonObject, parseJson } from './json.ts';
import { jsonSpans, type TextEdit } from './json-spans.ts';
import { type LayerPlace, layerPlaces } from './layer-places.ts';
import { readModelConfig } from './model-config.ts';
import { pathKey } from './path-key.ts';
import { layersObstacle, replacementLayer } from './replacement-layers.ts';
import { archiveContainer } from './write-archive.ts';
import { h5Container } from './write-h5.ts';
import { jsonContainer } from './write-json.ts';

const CONTAINERS: Readonly<Record<FileKind, (source: ModelSource) => KerasContainer | Promise<KerasContainer>>> = {
  archive: archiveContainer,
  h5: h5Container,
  json: jsonContainer,
};

export async function kerasWriter(source: ModelSource): Promise<ModelWriter> {
  const kind = fileKind(source.bytes);
  const container = await CONTAINERS[kind](source);
  const { text, library } = container;
  const modelSpan = container.modelIn(jsonSpans(text));
  const read = (span: { readonly start: number; readonly end: number }): Json =>
    parseJson(text.slice(span.start, span.end));
  const places = layerPlaces(readModelConfig(read(modelSpan)), modelSpan);
  const placeOf = (node: Node): LayerPlace | undefined => places.get(pathKey([...node.scope, node.name]));
  return {
    kind,
    hasWeights: container.hasWeights,
    obstacle(replacement) {
      const place = placeOf(replacement.node);
      if (!place) return 'it lies within another layer, or shares its name';
      return layersObstacle(place, replacement, library) ?? container.obstacle(place);
    },
    layOut(replacements, notes) {
      const edits: TextEdit[] = [];
      const layers: ReplacedLayer[] = [];
      for (const replacement of replacements) {
        const place = placeOf(replacement.node);
        if (!place) throw new Error(`${replacement.node.name} is not in the file.`);
        const fresh = replacementLayer(objectOf(read(place.span)), place, replacement, library);
        layers.push({ path: place.path, fresh });
        const { start, end } = place.span;
        edits.push({ start, end, text: JSON.stringify(fresh.json) });
      }
      return container.layOut({ edits, layers }, notes);
    },
  };
}

const objectOf = (value: Json): JsonObject => (isObject(value) ? value : {});
