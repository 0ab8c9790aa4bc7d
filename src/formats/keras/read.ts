import { DscAuditError } from '../../ir/errors.ts';
import { readExactly } from '../byte-source.ts';
import type { ReadModel } from '../format.ts';
import { MAX_JSON_BYTES } from '../limits.ts';
import type { ModelSource } from '../model-source.ts';
import { GraphBuilder } from './build-graph.ts';
import { isObject, type Json, member, parseJson, textOf } from './json.ts';
import { type LayerSpec, type ModelSpec, readModelConfig } from './model-config.ts';
import { NO_WEIGHTS } from './weights.ts';

/** Reads a Keras model of whatever kind of file. Throws `not-a-model`, `malformed-model` or `limit-exceeded`. */
export function readKeras(source: ModelSource): ReadModel {
  if (source.bytes.size > MAX_JSON_BYTES) {
    throw new DscAuditError('limit-exceeded', `has ${source.bytes.size} bytes of JSON; ${MAX_JSON_BYTES} are read.`);
  }
  const root = parseJson(new TextDecoder().decode(readExactly(source.bytes, 0, source.bytes.size)));
  const model = readModelConfig(root);
  const builder = new GraphBuilder(NO_WEIGHTS, countLayers(model));
  const graph = builder.build(model);
  return {
    model: {
      name: model.name,
      format: 'keras',
      producer: producerOf(root),
      opsets: {},
      fileBytes: source.bytes.size,
      values: builder.values,
      graph,
    },
    diagnostics: builder.diagnostics,
    close() {
      source.bytes.close();
    },
  };
}

function producerOf(root: Json): string | null {
  const version = textOf(member(root, 'keras_version'));
  if (version !== null) return `keras ${version}`;
  return isObject(root) && member(root, 'module') !== undefined ? 'keras 3' : null;
}

function countLayers({ layers }: ModelSpec): number {
  return layers.reduce((sum, layer: LayerSpec) => sum + 1 + (layer.model ? countLayers(layer.model) : 0), 0);
}
