/** A model file as the runtime takes it. */
import { modelBytes, modelFile } from '../../formats/model-source.ts';
import { readModel } from '../../formats/read-model.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { bindInputs, UnboundDimensions } from '../../passes/bind-inputs.ts';
import { inferFacts } from '../../passes/infer-facts.ts';
import { type AnalysedModel, analysedModel } from './analysed-model.ts';

/** What a model's inputs are, where its file leaves that open. */
export interface InputShapes {
  /** Values of open dimensions by name; the batch alone defaults to 1. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Shapes of inputs by name; under the empty name that of the only input. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
}

/** A model whose weights are still in its file: whoever opened it closes it. */
export interface OpenModel {
  readonly model: AnalysedModel;
  close(): void;
}

/**
 * Reads a model, settles its inputs and infers its shapes. Throws what the formats throw, `unbound-dimensions` and
 * `invalid-option`.
 *
 * @param model the path of a model file, or its bytes
 */
export async function openModel(
  model: string | Uint8Array,
  { dims = {}, shapes = {} }: InputShapes,
): Promise<OpenModel> {
  const source = typeof model === 'string' ? modelFile(model) : modelBytes('the model', [model]);
  const read = await readModel(source);
  try {
    const named = new Map(Object.entries(dims));
    const bound = bindInputs(read.model, { dims: named, shapes: new Map(Object.entries(shapes)) });
    const facts = inferFacts(read.model, bound.facts, bound.bindings, named);
    return { model: analysedModel(read.model, facts), close: () => read.close() };
  } catch (error) {
    read.close();
    if (error instanceof UnboundDimensions) throw openInputs(source.path, error);
    if (error instanceof DscAuditError) throw new DscAuditError(error.code, `${source.path}: ${error.message}`);
    throw error;
  }
}

function openInputs(path: string, { message, inputs }: UnboundDimensions): DscAuditError {
  const name = inputs.flatMap(({ named }) => named)[0];
  const how = name === undefined ? 'shapes: { input: [1, 3, 224, 224] }' : `dims: { '${name}': 224 }`;
  return new DscAuditError('unbound-dimensions', `${path}: ${message}. Say how large, for example ${how}.`);
}
