import { readExactly } from '../byte-source.ts';
import type { ModelSource } from '../model-source.ts';
import { type KerasContainer, singleFile } from './container.ts';
import { parseJson } from './json.ts';
import { edited } from './json-spans.ts';
import { KERAS } from './replacement-layers.ts';
import { layersTopology } from './tensorflow-js.ts';
import { tensorflowJsContainer } from './write-tensorflow-js.ts';

/** A model's graph as `to_json()` writes it, or the `model.json` of a TensorFlow.js model. */
export function jsonContainer(source: ModelSource): KerasContainer {
  const text = new TextDecoder().decode(readExactly(source.bytes, 0, source.bytes.size));
  const root = parseJson(text);
  if (layersTopology(root) !== null) return tensorflowJsContainer(source, text, root);
  return {
    text,
    modelIn: (span) => span,
    library: KERAS,
    hasWeights: false,
    obstacle: () => null,
    layOut: ({ edits }, { output }) => singleFile(output, new TextEncoder().encode(edited(text, edits))),
  };
}
