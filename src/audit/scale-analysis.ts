import { recogniseBlocks } from '../dsc/blocks/index.ts';
import { CannotScale } from '../dsc/scaling/cannot-scale.ts';
import { followReshape, imageInputs, inputsAt, scaleResolution } from '../dsc/scaling/resolution.ts';
import { ROUNDINGS, type Rounding } from '../dsc/scaling/rounding.ts';
import { scaleWidth } from '../dsc/scaling/width.ts';
import { DscAuditError } from '../ir/errors.ts';
import { staticShape } from '../ir/fact.ts';
import type { Model, Node } from '../ir/graph.ts';
import { countLayers } from '../passes/count-layers.ts';
import { type Facts, inferFacts } from '../passes/infer-facts.ts';
import type { Analysis } from './analyse.ts';

/** MobileNetV1's two multipliers, asked of any model. */
export interface ScalingOptions {
  /** α: every number of channels is multiplied by it. */
  readonly width?: number;
  /** How scaled channels become whole: to multiples of 8 if left out. */
  readonly rounding?: Rounding;
  /** Height and width of the input image, in pixels. */
  readonly resolution?: number;
}

/**
 * The analysis of the model as it would be with other widths or at another resolution.
 *
 * @throws {DscAuditError} `invalid-option`; `cannot-scale`, with the node at which something cannot follow
 */
export function scaleAnalysis(analysis: Analysis, options: ScalingOptions): Analysis {
  checkScaling(options);
  const { width, resolution, rounding = '8' } = options;
  const wide = width === undefined ? analysis : atWidth(analysis, width, rounding);
  return resolution === undefined ? wide : atResolution(wide, resolution);
}

/** Widths and resolutions beyond are typing errors, and a model of them need not fit into memory. */
const MAX_WIDTH = 64;
const MAX_RESOLUTION = 65_536;

function checkScaling({ width = 1, resolution = 1, rounding = '8' }: ScalingOptions): void {
  if (!(width > 0 && width <= MAX_WIDTH))
    throw invalid(`the width cannot be ${width}: a number above 0, up to ${MAX_WIDTH}`);
  if (!Number.isSafeInteger(resolution) || resolution < 1 || resolution > MAX_RESOLUTION) {
    throw invalid(`the resolution cannot be ${resolution}: a whole number of pixels, up to ${MAX_RESOLUTION}`);
  }
  if (!Object.hasOwn(ROUNDINGS, rounding)) throw invalid(`the rounding cannot be ${rounding}: 8 or none`);
}

const invalid = (what: string): DscAuditError => new DscAuditError('invalid-option', `${what}.`);

function atWidth(analysis: Analysis, width: number, rounding: Rounding): Analysis {
  const { read, facts, counted } = analysis;
  const blocks = recogniseBlocks(read.model.graph, counted.layers, facts);
  return told(`the width ${width}`, () => {
    const scaled = scaleWidth(read.model, facts, blocks, { width, rounding });
    const result = again(analysis, scaled.model, inputFacts(read.model, facts));
    scaled.check(result.facts);
    return result;
  });
}

function atResolution(analysis: Analysis, resolution: number): Analysis {
  const { read, facts } = analysis;
  if (imageInputs(read.model, facts).size === 0) {
    throw new DscAuditError('cannot-scale', 'it has no image as input: there is no resolution to change.');
  }
  return told(`the resolution ${resolution}`, () => {
    let model = scaleResolution(read.model, facts);
    for (let patches = 0; patches <= MAX_PATCHES; patches++) {
      const result = again(analysis, model, inputsAt(model, facts, resolution));
      const lost = firstLost(model, facts, result.facts);
      if (lost === null) return result;
      const patched = followReshape(model, lost, facts, result.facts);
      if (patched === null) throw new CannotScale(lost, 'it has the extent of the map written into it');
      model = patched;
    }
    throw new DscAuditError('cannot-scale', `more than ${MAX_PATCHES} shapes are written into its graph.`);
  });
}

/** Shapes written into a graph are mended one after the other, and all shapes are inferred again behind each. */
const MAX_PATCHES = 128;

function again(analysis: Analysis, model: Model, inputs: ReadonlyMap<number, ReturnType<typeof factOf>>): Analysis {
  const { bound, requestedDims, read } = analysis;
  const known = new Map([...inputs].flatMap(([id, fact]) => (fact === undefined ? [] : [[id, fact] as const])));
  const facts = inferFacts(model, known, bound.bindings, requestedDims);
  return { ...analysis, read: { ...read, model }, facts, counted: countLayers(model, facts) };
}

const factOf = (facts: Facts, id: number) => facts.of[id];

const inputFacts = (model: Model, facts: Facts) => new Map(model.graph.inputs.map((id) => [id, factOf(facts, id)]));

/** The first node that had shapes and has none any more; null where everything follows. */
function firstLost(model: Model, before: Facts, after: Facts): Node | null {
  const isKnown = (facts: Facts, id: number) => {
    const fact = facts.of[id];
    return fact?.type !== 'tensor' || staticShape(fact.shape)?.every((extent) => extent > 0) === true;
  };
  const order = after.order.get(model.graph) ?? model.graph.nodes;
  return (
    order.find(({ outputs }) => outputs.some((id) => id !== null && isKnown(before, id) && !isKnown(after, id))) ?? null
  );
}

function told<T>(what: string, scale: () => T): T {
  try {
    return scale();
  } catch (error) {
    if (error instanceof CannotScale) throw new DscAuditError('cannot-scale', sentence(what, error));
    throw error;
  }
}

function sentence(what: string, { node, message }: CannotScale & { readonly node: Node }): string {
  return `${what} cannot be had: at '${node.name}' (${node.op}), ${message}.`;
}
