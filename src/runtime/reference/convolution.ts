/** Convolution as its definition says, summed in double precision. */
import type { ConvolutionLayer } from '../plan/convolution-layer.ts';
import { elementAt, fillTensor, type ReferenceTensor, zeroes } from './tensor.ts';
import { referenceUnary } from './unary.ts';

/** y = act(conv(x) + residual), for any kernel, stride, dilation, padding and groups. */
export function referenceConvolution(
  layer: ConvolutionLayer,
  x: ReferenceTensor,
  residual: ReferenceTensor | null,
): ReferenceTensor {
  const weights = layer.weights();
  const bias = layer.bias?.() ?? new Float32Array(layer.outChannels);
  const inPerGroup = layer.inChannels / layer.groups;
  const outPerGroup = layer.outChannels / layer.groups;
  const y = zeroes(x.items, layer.outChannels, layer.outHeight, layer.outWidth);
  return fillTensor(y, (item, out, row, column) => {
    let sum = bias[out] ?? 0;
    const firstChannel = Math.floor(out / outPerGroup) * inPerGroup;
    for (let channel = 0; channel < inPerGroup; channel++) {
      for (let ky = 0; ky < layer.kernelHeight; ky++) {
        for (let kx = 0; kx < layer.kernelWidth; kx++) {
          const weight =
            weights[((out * inPerGroup + channel) * layer.kernelHeight + ky) * layer.kernelWidth + kx] ?? 0;
          const atRow = row * layer.strideY + ky * layer.dilationY - layer.padTop;
          const atColumn = column * layer.strideX + kx * layer.dilationX - layer.padLeft;
          sum += weight * elementAt(x, item, firstChannel + channel, atRow, atColumn);
        }
      }
    }
    if (residual) sum += elementAt(residual, item, out, row, column);
    return applyEpilogue(layer.epilogue, sum);
  });
}

/** The clamp, then the function. */
export function applyEpilogue({ low, high, activation, alpha, beta }: ConvolutionLayer['epilogue'], x: number): number {
  const clamped = Math.min(high, Math.max(low, x));
  return activation === null ? clamped : referenceUnary(activation, clamped, alpha, beta);
}
