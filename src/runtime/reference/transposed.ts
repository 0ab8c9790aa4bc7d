/** Transposed convolution as its definition says: every input element adds the filter to the output. */

import type { TransposedLayer } from '../plan/transposed.ts';
import { applyEpilogue } from './convolution.ts';
import { elementAt, fillTensor, type ReferenceTensor, zeroes } from './tensor.ts';

export function referenceTransposed(layer: TransposedLayer, x: ReferenceTensor): ReferenceTensor {
  const weights = layer.weights();
  const bias = layer.bias?.() ?? new Float32Array(layer.outChannels);
  const inPerGroup = layer.inChannels / layer.groups;
  const outPerGroup = layer.outChannels / layer.groups;
  const sums = zeroes(x.items, layer.outChannels, layer.outHeight, layer.outWidth);
  fillTensor({ ...x, data: new Float32Array(x.data.length) }, (item, channel, row, column) => {
    const value = elementAt(x, item, channel, row, column);
    const group = Math.floor(channel / inPerGroup);
    for (let out = 0; out < outPerGroup; out++) {
      for (let ky = 0; ky < layer.kernelHeight; ky++) {
        for (let kx = 0; kx < layer.kernelWidth; kx++) {
          const y = row * layer.strideY + ky * layer.dilationY - layer.padTop;
          const at = column * layer.strideX + kx * layer.dilationX - layer.padLeft;
          if (y < 0 || y >= layer.outHeight || at < 0 || at >= layer.outWidth) continue;
          const plane = item * layer.outChannels + group * outPerGroup + out;
          const index = (plane * layer.outHeight + y) * layer.outWidth + at;
          const weight =
            weights[((channel * outPerGroup + out) * layer.kernelHeight + ky) * layer.kernelWidth + kx] ?? 0;
          sums.data[index] = (sums.data[index] ?? 0) + value * weight;
        }
      }
    }
    return 0;
  });
  return fillTensor({ ...sums, data: sums.data.slice() }, (item, channel, row, column) =>
    applyEpilogue(layer.epilogue, elementAt(sums, item, channel, row, column) + (bias[channel] ?? 0)),
  );
}
