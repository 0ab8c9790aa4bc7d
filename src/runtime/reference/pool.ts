/** Pooling as its definition says. Windows are cut at the input's edge, where padding does not count. */
import { fillTensor, type ReferenceTensor, zeroes } from './tensor.ts';

export interface ReferencePool {
  readonly fn: 'average' | 'max';
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
  readonly countsPadding: boolean;
}

export function referencePool(pool: ReferencePool, x: ReferenceTensor, height: number, width: number): ReferenceTensor {
  const { fn, kernel, strides, pads, countsPadding } = pool;
  return fillTensor(zeroes(x.items, x.channels, height, width), (item, channel, row, column) => {
    const inside: number[] = [];
    let counted = 0;
    for (let ky = 0; ky < kernel[0]; ky++) {
      for (let kx = 0; kx < kernel[1]; kx++) {
        const y = row * strides[0] + ky - pads[0];
        const at = column * strides[1] + kx - pads[1];
        const isInside = y >= 0 && y < x.height && at >= 0 && at < x.width;
        if (isInside) inside.push(x.data[((item * x.channels + channel) * x.height + y) * x.width + at] ?? 0);
        const isPadded = y < x.height + pads[2] && at < x.width + pads[3];
        if (isInside || (countsPadding && isPadded)) counted += 1;
      }
    }
    return fn === 'max' ? Math.max(...inside) : inside.reduce((sum, value) => sum + value, 0) / counted;
  });
}
