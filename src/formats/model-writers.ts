import type { Model } from '../ir/graph.ts';
import { kerasWriter } from './keras/writer.ts';
import type { ModelSource } from './model-source.ts';
import type { ModelWriter } from './model-writer.ts';
import { onnxWriter } from './onnx/replace-convolutions.ts';

type WriterOf = (source: ModelSource, model: Model) => ModelWriter | Promise<ModelWriter>;

const WRITERS: Readonly<Record<Model['format'], WriterOf>> = {
  onnx: onnxWriter,
  keras: kerasWriter,
};

/** The writer of the format that a model was read from. */
export const modelWriter: WriterOf = (source, model) => WRITERS[model.format](source, model);
