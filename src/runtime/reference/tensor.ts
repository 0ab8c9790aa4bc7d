/** A row-major tensor of the scalar reference: batch, channels, height, width. */
export interface ReferenceTensor {
  readonly items: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

export function zeroes(items: number, channels: number, height: number, width: number): ReferenceTensor {
  return { items, channels, height, width, data: new Float32Array(items * channels * height * width) };
}

/** The element, or 0 outside of the plane. */
export function elementAt(x: ReferenceTensor, item: number, channel: number, row: number, column: number): number {
  if (row < 0 || row >= x.height || column < 0 || column >= x.width) return 0;
  return x.data[((item * x.channels + channel) * x.height + row) * x.width + column] ?? 0;
}

/** Computes every element from its position. */
export function fillTensor(
  y: ReferenceTensor,
  valueAt: (item: number, channel: number, row: number, column: number) => number,
): ReferenceTensor {
  let index = 0;
  for (let item = 0; item < y.items; item++) {
    for (let channel = 0; channel < y.channels; channel++) {
      for (let row = 0; row < y.height; row++) {
        for (let column = 0; column < y.width; column++) y.data[index++] = valueAt(item, channel, row, column);
      }
    }
  }
  return y;
}
