/** Which kernel computes a convolution. */
import { BLOCK } from '../kernels/kernel.ts';
import type { ConvolutionLayer } from './convolution-layer.ts';
import type { PlanOptions } from './plan-options.ts';
import { strassenDepth } from './strassen.ts';

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

export function chooseMethod(layer: ConvolutionLayer, options: PlanOptions): ConvolutionMethod {
  const { inChannels, outChannels, groups } = layer;
  if (groups > 1 && groups === inChannels) return outChannels === inChannels ? 'depthwise' : 'depthwise-multiplier';
  if (groups > 1)
    return (inChannels / groups) % BLOCK === 0 && (outChannels / groups) % BLOCK === 0 ? 'direct' : 'grouped';
  const taps = layer.kernelHeight * layer.kernelWidth;
  if (!options.exact && isWinograd(layer)) return 'winograd-4x4';
  if (inChannels < BLOCK && taps > 1) return 'direct-image';
  if (taps > 1) return 'direct';
  return isStrassen(layer, options) ? 'pointwise-strassen' : 'pointwise';
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

const isStrassen = (layer: ConvolutionLayer, options: PlanOptions): boolean =>
  layer.strideY === 1 &&
  layer.strideX === 1 &&
  layer.padTop === 0 &&
  layer.padLeft === 0 &&
  strassenDepth(layer, options) > 0;
