/** Which kernel computes a convolution, what it needs around its input, and its steps. */
import { BLOCK } from '../kernels/kernel.ts';
import type { ConvolutionLayer } from './convolution-layer.ts';
import { planDepthwise } from './depthwise.ts';
import { planDirect } from './direct.ts';
import type { PlanOptions } from './plan-options.ts';
import type { ProgramBuilder } from './program.ts';
import { planStrassen, strassenDepth } from './strassen.ts';
import type { Blocked, Extents, Halo } from './tensor.ts';
import { planWinograd, winogradHalo } from './winograd.ts';

export type ConvolutionMethod =
  | 'pointwise'
  | 'pointwise-strassen'
  | 'direct'
  | 'direct-image'
  | 'grouped'
  | 'depthwise'
  | 'depthwise-multiplier'
  | 'winograd-4x4';

/** Winograd saves products and adds transforms: below this many channels they cost more than they save. */
const WINOGRAD_MIN_CHANNELS = 16;

export function chooseMethod(layer: ConvolutionLayer, exact: boolean): ConvolutionMethod {
  const { inChannels, outChannels, groups } = layer;
  if (groups > 1 && groups === inChannels) return outChannels === inChannels ? 'depthwise' : 'depthwise-multiplier';
  if (groups > 1)
    return (inChannels / groups) % BLOCK === 0 && (outChannels / groups) % BLOCK === 0 ? 'direct' : 'grouped';
  const taps = layer.kernelHeight * layer.kernelWidth;
  if (!exact && isWinograd(layer)) return 'winograd-4x4';
  if (inChannels < BLOCK && taps > 1) return 'direct-image';
  if (taps > 1) return 'direct';
  return !exact && isStrassen(layer) ? 'pointwise-strassen' : 'pointwise';
}

const isWinograd = (layer: ConvolutionLayer): boolean =>
  layer.kernelHeight === 3 &&
  layer.kernelWidth === 3 &&
  layer.strideY === 1 &&
  layer.strideX === 1 &&
  layer.dilationY === 1 &&
  layer.dilationX === 1 &&
  layer.inChannels >= WINOGRAD_MIN_CHANNELS &&
  layer.outChannels >= WINOGRAD_MIN_CHANNELS &&
  layer.outHeight >= 3 &&
  layer.outWidth >= 3;

const isStrassen = (layer: ConvolutionLayer): boolean =>
  layer.strideY === 1 && layer.strideX === 1 && layer.padTop === 0 && layer.padLeft === 0 && strassenDepth(layer) > 0;

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
