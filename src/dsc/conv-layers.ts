import type { ValueId } from '../ir/graph.ts';
import type { OpKind } from '../ir/operators.ts';
import type { CountedLayer } from '../passes/count-layers.ts';
import type { Facts } from '../passes/infer-facts.ts';
import { type ConvLayer, convLayer } from './conv-layer.ts';

/** Every convolution. The first ones on the way from an input are those that nothing learned comes before. */
export function convLayers(layers: readonly CountedLayer[], facts: Facts): readonly ConvLayer[] {
  const behindFirst = new Set<ValueId>();
  return layers.flatMap((layer, index) => {
    const isBehind = layer.inputs.some((id) => behindFirst.has(id));
    if (isBehind || LEARNED.has(layer.node.kind)) for (const id of layer.outputs) behindFirst.add(id);
    return convLayer(layer, index, !isBehind, facts) ?? [];
  });
}

/** Operators that turn an image into features. */
const LEARNED: ReadonlySet<OpKind> = new Set([
  'conv',
  'blockedConv',
  'convTranspose',
  'deformConv',
  'causalConv',
  'matmul',
  'gemm',
  'packedMatmul',
  'recurrent',
  'convLstm',
]);
