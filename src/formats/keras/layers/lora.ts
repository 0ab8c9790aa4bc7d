import type { ValueId } from '../../../ir/graph.ts';
import type { LayerCall } from '../layer-call.ts';
import { binary } from './activation.ts';
import { MATMUL } from './products.ts';

/** A weight that a product of two small ones is added to. (2106.09685) */
interface Adapted {
  readonly weight: ValueId;
  /** Its shape as Keras has it, and the order of axes in which it was asked for. */
  readonly stored: readonly number[];
  readonly permutation?: readonly number[];
  /** `lora_kernel`: the factors are called so, with `_a` and `_b` behind. */
  readonly name: string;
}

/** Whether only the adaptation is trained, and the weight itself is frozen. */
export const isAdapted = (call: LayerCall): boolean => call.config.has('lora_rank');

/** The weight plus what it is adapted by; the weight itself where it is not. Made behind the layer's other weights. */
export function adapted(call: LayerCall, { weight, stored, permutation, name }: Adapted): ValueId {
  const { config } = call;
  if (!isAdapted(call)) return weight;
  const rank = config.count('lora_rank');
  const a = call.weight(`${name}_a`, [...stored.slice(0, -1), rank], { dtype: 'float32' });
  const b = call.weight(`${name}_b`, [rank, stored.at(-1) ?? 1], { dtype: 'float32' });
  const product = call.node({ kind: 'matmul', attrs: MATMUL }, a, b);
  const scaled = binary(
    call,
    'mul',
    product,
    call.number((config.optionalNumber('lora_alpha') ?? rank) / rank, product),
  );
  return binary(call, 'add', weight, permutation ? call.transpose(scaled, permutation) : scaled);
}
