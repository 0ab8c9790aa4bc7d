import type { ConvLayer } from './conv-layer.ts';

/** Keras's plain convolutions that have a separable form. */
const SEPARABLE = /^Conv(?:olution)?([12])D$/;

/** The one layer that takes a convolution's place, as its own format spells it; null where it takes several. */
export function replacementOf({ op, kernel }: Pick<ConvLayer, 'op' | 'kernel'>): string | null {
  const axes = SEPARABLE.exec(op)?.[1];
  if (axes !== undefined) return `SeparableConv${axes}D`;
  // A convolution within a wrapper: the wrapper stays.
  return op === 'TimeDistributed' && kernel.length <= 2 ? `TimeDistributed(SeparableConv${kernel.length}D)` : null;
}
