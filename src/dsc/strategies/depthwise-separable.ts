import { byteSize } from '../../ir/dtype.ts';
import { addExact, multiplyExact } from '../../ir/exact.ts';
import type { Strategy } from './strategy.ts';

/**
 * One k×k convolution from M to N channels becomes a depthwise k×k convolution (M·∏k weights) and a pointwise one
 * (N·M weights) that keeps the bias: 1/N + 1/∏k of the MACs (MobileNetV1, 1704.04861, section 3.1).
 */
export const depthwiseSeparable: Strategy = {
  name: 'depthwise-separable',
  after({ inChannels, outChannels, kernel, bias, biasBytes, outputPositions, macs, flops, weightType }) {
    const depthwise = multiplyExact(inChannels, ...kernel);
    const pointwise = multiplyExact(inChannels, outChannels);
    const weights = addExact(depthwise, pointwise);
    const afterMacs = outputPositions === null ? null : multiplyExact(outputPositions, weights);
    // What follows the multiply-adds (bias, fused activation) stays as it is.
    const otherFlops = flops === null || macs === null ? null : flops - 2 * macs;
    return {
      params: addExact(weights, bias ? outChannels : 0),
      macs: afterMacs,
      flops: afterMacs === null || otherFlops === null ? null : addExact(multiplyExact(2, afterMacs), otherFlops),
      weightBytes: addExact(byteSize(weightType ?? 'float32', weights), biasBytes),
    };
  },
  elementsBetween({ inChannels, outputPositions }) {
    return outputPositions === null ? null : multiplyExact(inChannels, outputPositions);
  },
};
