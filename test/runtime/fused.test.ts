import { describe, expect, it } from 'vitest';
import { VARIANTS } from '../../src/runtime/kernels/variants.ts';
import { haloOf } from '../../src/runtime/plan/convolution.ts';
import type { ConvolutionLayer } from '../../src/runtime/plan/convolution-layer.ts';
import { chooseMethod } from '../../src/runtime/plan/convolution-method.ts';
import { LINEAR } from '../../src/runtime/plan/epilogue.ts';
import { canFuse, planFused } from '../../src/runtime/plan/fused.ts';
import { NO_HALO } from '../../src/runtime/plan/tensor.ts';
import { referenceConvolution } from '../../src/runtime/reference/convolution.ts';
import { runLayer } from './layer-program.ts';
import { randomFloats, relativeError } from './random.ts';

interface Shape {
  readonly channels: number;
  readonly out: number;
  readonly extent: number;
  readonly kernel: number;
  readonly stride: number;
}

function layers({ channels, out, extent, kernel, stride }: Shape): readonly [ConvolutionLayer, ConvolutionLayer] {
  const outExtent = Math.ceil(extent / stride);
  const shared = { strideX: 1, strideY: 1, dilationX: 1, dilationY: 1, outHeight: outExtent, outWidth: outExtent };
  const filters = randomFloats(1, channels * kernel * kernel);
  const matrix = randomFloats(2, channels * out);
  const depthwise: ConvolutionLayer = {
    ...shared,
    inChannels: channels,
    outChannels: channels,
    groups: channels,
    kernelHeight: kernel,
    kernelWidth: kernel,
    strideX: stride,
    strideY: stride,
    padTop: (kernel - 1) / 2,
    padLeft: (kernel - 1) / 2,
    weights: () => filters,
    bias: () => randomFloats(3, channels),
    epilogue: { ...LINEAR, low: 0, high: 6 },
  };
  const pointwise: ConvolutionLayer = {
    ...shared,
    inChannels: channels,
    outChannels: out,
    groups: 1,
    kernelHeight: 1,
    kernelWidth: 1,
    padTop: 0,
    padLeft: 0,
    weights: () => matrix,
    bias: () => randomFloats(4, out),
    epilogue: { ...LINEAR, activation: 'hardSwish' },
  };
  return [depthwise, pointwise];
}

const SHAPES: readonly Shape[] = [
  { channels: 32, out: 20, extent: 61, kernel: 3, stride: 1 },
  { channels: 45, out: 64, extent: 80, kernel: 5, stride: 2 },
  { channels: 130, out: 33, extent: 29, kernel: 3, stride: 1 },
];

describe('a depthwise layer fused with the pointwise one behind it', () => {
  it.each(SHAPES)('gives what both give one after the other: %o', async (shape) => {
    const [depthwise, pointwise] = layers(shape);
    const { channels, extent, out } = shape;
    const x = {
      items: 2,
      channels,
      height: extent,
      width: extent,
      data: randomFloats(5, 2 * channels * extent * extent),
    };
    const output = { items: 2, channels: out, height: pointwise.outHeight, width: pointwise.outWidth };
    const residual = { ...output, data: randomFloats(6, 2 * out * output.height * output.width) };
    const inputs = [
      {
        tensor: x,
        halo: haloOf(depthwise, chooseMethod(depthwise, { threads: 1, exact: false, variant: VARIANTS.simd128 }), x),
      },
      { tensor: residual, halo: NO_HALO },
    ];
    const expected = referenceConvolution(pointwise, referenceConvolution(depthwise, x, null), residual);
    for (const threads of [1, 2]) {
      const actual = await runLayer(
        inputs,
        output,
        { top: 1, left: 1, bottom: 1, right: 1 },
        (builder, [input, added], y, options) => {
          if (input) planFused(builder, depthwise, pointwise, input, y, added ?? null, options);
        },
        { threads, exact: false },
      );
      expect(relativeError(actual, expected.data)).toBeLessThan(1e-5);
    }
  });

  it('is not worth it where one block holds everything, or the weights do not stay in the cache', () => {
    const [small, behind] = layers({ channels: 32, out: 32, extent: 14, kernel: 3, stride: 1 });
    expect(canFuse(small, behind, 1, 1)).toBe(false);
    const [wide, heavy] = layers({ channels: 512, out: 512, extent: 56, kernel: 3, stride: 1 });
    expect(canFuse(wide, heavy, 1, 1)).toBe(false);
    const [large, light] = layers({ channels: 32, out: 64, extent: 112, kernel: 3, stride: 1 });
    expect(canFuse(large, light, 1, 1)).toBe(true);
  });
});
