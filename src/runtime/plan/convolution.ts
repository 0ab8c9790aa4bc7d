/** What a convolution needs around its input, and its steps. */
import type { ConvolutionLayer } from './convolution-layer.ts';
import type { ConvolutionMethod } from './convolution-method.ts';
import { planDepthwise } from './depthwise.ts';
import { planDirect } from './direct.ts';
import type { PlanOptions } from './plan-options.ts';
import type { ProgramBuilder } from './program.ts';
import { planStrassen } from './strassen.ts';
import type { Blocked, Extents, Halo } from './tensor.ts';
import { planWinograd, winogradHalo } from './winograd.ts';

/** Zeroes that the method reads around an input of these extents. */
export function haloOf(layer: ConvolutionLayer, method: ConvolutionMethod, input: Extents): Halo {
  if (method === 'winograd-4x4') return winogradHalo(layer, input);
  const reach = (outputs: number, stride: number, kernel: number, dilation: number): number =>
    (outputs - 1) * stride + (kernel - 1) * dilation + 1;
  const rows = reach(layer.outHeight, layer.strideY, layer.kernelHeight, layer.dilationY);
  const columns = reach(layer.outWidth, layer.strideX, layer.kernelWidth, layer.dilationX);
  return {
    top: Math.max(0, layer.padTop),
    left: Math.max(0, layer.padLeft),
    bottom: Math.max(0, rows - layer.padTop - input.height),
    right: Math.max(0, columns - layer.padLeft - input.width),
  };
}

/** Appends the steps of y = act(conv(x) + residual). x has the halo of `haloOf`. */
export function planConvolution(
  builder: ProgramBuilder,
  layer: ConvolutionLayer,
  method: ConvolutionMethod,
  x: Blocked,
  y: Blocked,
  residual: Blocked | null,
  options: PlanOptions,
): void {
  if (method === 'depthwise' || method === 'depthwise-multiplier') planDepthwise(builder, layer, x, y);
  else if (method === 'winograd-4x4') planWinograd(builder, layer, x, y, residual, options);
  else if (method === 'pointwise-strassen') planStrassen(builder, layer, x, y, residual, options);
  else planDirect(builder, layer, method, x, y, residual, options);
}
