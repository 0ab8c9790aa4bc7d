import type { ReadModel } from '../formats/format.ts';
import type { ModelSource } from '../formats/model-source.ts';
import { type GivenLimits, settleLimits } from '../formats/raisable-limits.ts';
import { readModel } from '../formats/read-model.ts';
import type { DimBindings } from '../ir/dim.ts';
import { DscAuditError } from '../ir/errors.ts';
import { type BoundInputs, bindInputs, UnboundDimensions } from '../passes/bind-inputs.ts';
import { type CountedModel, countLayers } from '../passes/count-layers.ts';
import { type Facts, inferFacts } from '../passes/infer-facts.ts';
import { openDimensionsError } from './open-dimensions.ts';

/** What is said of a model's inputs. All of it may be left out. */
export interface InputOptions {
  /** Values of open dimensions by name; the batch alone defaults to 1. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Shapes of inputs by name; under the empty name that of the only input. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Limits on what a file may ask for, where a model is trusted that meets one: counts, bytes, milliseconds. */
  readonly limits?: GivenLimits;
}

/** A model with its shapes and counts. Its weights are read from open files: whoever asked for it closes `read`. */
export interface Analysis {
  readonly path: string;
  readonly read: ReadModel;
  readonly bound: BoundInputs;
  readonly requestedDims: DimBindings;
  readonly facts: Facts;
  readonly counted: CountedModel;
}

/**
 * Reads a model, settles its inputs, and infers and counts every layer. Where that fails the source is closed.
 *
 * @throws {DscAuditError} where the model or an option cannot be used, with the model's path in front
 */
export async function analyseSource(source: ModelSource, options: InputOptions = {}): Promise<Analysis> {
  return analyseRead(await readModel(source, settleLimits(options.limits)), source.path, options);
}

/** The same for a model that is read already. Where that fails it is closed. */
export function analyseRead(read: ReadModel, path: string, options: InputOptions = {}): Analysis {
  try {
    checkInputOptions(options);
    return analyse(read, path, options);
  } catch (error) {
    read.close();
    if (error instanceof UnboundDimensions) throw openDimensionsError(path, error, options);
    if (error instanceof DscAuditError) throw new DscAuditError(error.code, `${path}: ${error.message}`);
    throw error;
  }
}

function analyse(read: ReadModel, path: string, options: InputOptions): Analysis {
  const { model } = read;
  const dims = new Map(Object.entries(options.dims ?? {}));
  const bound = bindInputs(model, { dims, shapes: new Map(Object.entries(options.shapes ?? {})) });
  const facts = inferFacts(model, bound.facts, bound.bindings, dims, settleLimits(options.limits));
  return { path, read, bound, requestedDims: dims, facts, counted: countLayers(model, facts) };
}

const isExtent = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;

/** Plain JavaScript hands in what it likes. */
function checkInputOptions({ dims = {}, shapes = {} }: InputOptions): void {
  for (const [name, extent] of Object.entries(dims)) {
    if (isExtent(extent)) continue;
    const what = `the dimension '${name}' cannot be ${extent}: a whole number above 0 is needed.`;
    throw new DscAuditError('invalid-option', what);
  }
  for (const [name, shape] of Object.entries(shapes)) {
    if (Array.isArray(shape) && shape.every(isExtent)) continue;
    const what = `the shape of '${name}' cannot be ${shape}: a list of whole numbers above 0 is needed.`;
    throw new DscAuditError('invalid-option', what);
  }
}
