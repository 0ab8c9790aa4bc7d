import { multiplyExact } from '../ir/exact.ts';
import type { Model, ValueId } from '../ir/graph.ts';
import type { Facts } from '../passes/infer-facts.ts';
import { analysedModel } from '../runtime/network/analysed-model.ts';
import { ConstantValues } from '../runtime/network/constants.ts';
import { storedFloats } from '../runtime/network/stored-floats.ts';
import type { ConvLayer } from './conv-layer.ts';

/** Kernels of more positions are not factorised: what that takes grows with the cube. The largest in use have 31×31. */
const MAX_POSITIONS = 1024;

/**
 * The weights of a convolution, O, I/groups, spatial…; null where they are not there, are quantised, or lie in another
 * order. Nothing is kept: one layer's weights are in memory at a time.
 */
export function convWeights(model: Model, facts: Facts, layer: ConvLayer): Float32Array | null {
  const { inChannels, outChannels, kernel, groups, weightId, weightType, hasPlainWeights } = layer;
  if (weightId === null || !hasPlainWeights || !FLOATS.has(weightType)) return null;
  const positions = multiplyExact(...kernel);
  if (positions > MAX_POSITIONS) return null;
  const weights = floatsOf(model, facts, weightId);
  return weights?.length === (inChannels / groups) * outChannels * positions ? weights : null;
}

/** The bias of a convolution; zeroes where it has none. Null where it is not there. */
export function convBias(model: Model, facts: Facts, { node, outChannels }: ConvLayer): Float64Array | null {
  const id = node.inputs[2] ?? null;
  if (id === null) return new Float64Array(outChannels);
  const bias = floatsOf(model, facts, id);
  return bias?.length === outChannels ? Float64Array.from(bias) : null;
}

/** Stored ones are read by themselves: to find out what computes the others takes a look at every node. */
function floatsOf(model: Model, facts: Facts, id: ValueId): Float32Array | null {
  const stored = model.values[id]?.constant;
  return stored ? storedFloats(stored) : new ConstantValues(analysedModel(model, facts), null).floats(id);
}

/** Types that weights are computed with; others are quantised. */
const FLOATS: ReadonlySet<ConvLayer['weightType']> = new Set(['float64', 'float32', 'float16', 'bfloat16']);
