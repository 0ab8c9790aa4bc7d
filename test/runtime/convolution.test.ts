import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RuntimeUnary, UNARY_FUNCTIONS } from '../../src/runtime/kernels/unary-functions.ts';
import { VARIANTS } from '../../src/runtime/kernels/variants.ts';
import { haloOf, planConvolution } from '../../src/runtime/plan/convolution.ts';
import type { ConvolutionLayer } from '../../src/runtime/plan/convolution-layer.ts';
import { chooseMethod } from '../../src/runtime/plan/convolution-method.ts';
import { LINEAR } from '../../src/runtime/plan/epilogue.ts';
import { NO_HALO } from '../../src/runtime/plan/tensor.ts';
import { referenceConvolution } from '../../src/runtime/reference/convolution.ts';
import type { ReferenceTensor } from '../../src/runtime/reference/tensor.ts';
import { type LayerSetting, ONE_THREAD, runLayer } from './layer-program.ts';
import { randomFloats, relativeError } from './random.ts';

/** Everything that a random layer is made from. */
interface Draw {
  readonly seed: number;
  readonly items: number;
  readonly groups: number;
  readonly inPerGroup: number;
  readonly outPerGroup: number;
  readonly height: number;
  readonly width: number;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  readonly bias: boolean;
  readonly residual: boolean;
  readonly activation: 'none' | 'clamp' | RuntimeUnary;
  readonly outputHalo: number;
}

interface Case {
  readonly layer: ConvolutionLayer;
  readonly x: ReferenceTensor;
  readonly residual: ReferenceTensor | null;
}

const small = (max: number) => fc.integer({ min: 1, max });

const shared = {
  seed: fc.nat(),
  items: small(2),
  height: small(11),
  width: small(19),
  bias: fc.boolean(),
  activation: fc.constantFrom<Draw['activation']>('none', 'clamp', 'hardSwish', 'silu', 'sigmoid'),
  outputHalo: fc.integer({ min: 0, max: 2 }),
};

const pad = fc.integer({ min: 0, max: 3 });
const pads = fc.tuple(pad, pad, pad, pad);

const anyWindow = {
  kernel: fc.tuple(small(5), small(7)),
  stride: fc.tuple(small(3), small(3)),
  dilation: fc.tuple(small(2), small(2)),
  pads,
};

const pointwise: fc.Arbitrary<Draw> = fc.record({
  ...shared,
  groups: fc.constant(1),
  inPerGroup: small(40),
  outPerGroup: small(40),
  kernel: fc.constant([1, 1] as const),
  stride: fc.tuple(small(2), small(2)),
  dilation: fc.constant([1, 1] as const),
  pads: fc.constant([0, 0, 0, 0] as const),
  residual: fc.boolean(),
});

const standard: fc.Arbitrary<Draw> = fc.record({
  ...shared,
  ...anyWindow,
  groups: fc.constant(1),
  inPerGroup: small(20),
  outPerGroup: small(20),
  residual: fc.boolean(),
});

const grouped: fc.Arbitrary<Draw> = fc.record({
  ...shared,
  ...anyWindow,
  groups: fc.integer({ min: 2, max: 5 }),
  inPerGroup: fc.integer({ min: 2, max: 9 }),
  outPerGroup: small(9),
  residual: fc.boolean(),
});

const depthwise: fc.Arbitrary<Draw> = fc.record({
  ...shared,
  ...anyWindow,
  kernel: fc.oneof(fc.constantFrom([3, 3] as const, [5, 5] as const), fc.tuple(small(7), small(7))),
  groups: fc.integer({ min: 2, max: 20 }),
  inPerGroup: fc.constant(1),
  outPerGroup: fc.constant(1),
  residual: fc.constant(false),
});

const multiplied: fc.Arbitrary<Draw> = depthwise.chain((draw) =>
  fc.integer({ min: 2, max: 9 }).map((outPerGroup) => ({ ...draw, outPerGroup })),
);

const winograd: fc.Arbitrary<Draw> = fc.record({
  ...shared,
  height: fc.integer({ min: 3, max: 18 }),
  width: fc.integer({ min: 3, max: 18 }),
  groups: fc.constant(1),
  inPerGroup: fc.integer({ min: 16, max: 26 }),
  outPerGroup: fc.integer({ min: 16, max: 26 }),
  kernel: fc.constant([3, 3] as const),
  stride: fc.constant([1, 1] as const),
  dilation: fc.constant([1, 1] as const),
  pads: fc.constant([1, 1, 1, 1] as const),
  residual: fc.boolean(),
});

const strassen: fc.Arbitrary<Draw> = fc.record({
  ...shared,
  height: fc.integer({ min: 9, max: 17 }),
  width: fc.integer({ min: 11, max: 19 }),
  groups: fc.constant(1),
  inPerGroup: fc.constantFrom(190, 256, 384),
  outPerGroup: fc.constantFrom(192, 250, 384),
  kernel: fc.constant([1, 1] as const),
  stride: fc.constant([1, 1] as const),
  dilation: fc.constant([1, 1] as const),
  pads: fc.constant([0, 0, 0, 0] as const),
  residual: fc.boolean(),
});

function extentOf(draw: Draw, axis: 0 | 1): number {
  const input = axis === 0 ? draw.height : draw.width;
  const reach = (draw.kernel[axis] - 1) * draw.dilation[axis] + 1;
  return Math.floor((input + draw.pads[axis] + draw.pads[axis === 0 ? 2 : 3] - reach) / draw.stride[axis]) + 1;
}

/** Null where the window is larger than the padded input. */
function caseOf(draw: Draw): Case | null {
  const { seed, items, height, width, groups, inPerGroup, outPerGroup } = draw;
  const outHeight = extentOf(draw, 0);
  const outWidth = extentOf(draw, 1);
  if (outHeight < 1 || outWidth < 1) return null;
  const inChannels = groups * inPerGroup;
  const outChannels = groups * outPerGroup;
  const weights = randomFloats(seed + 1, outChannels * inPerGroup * draw.kernel[0] * draw.kernel[1]);
  const bias = randomFloats(seed + 2, outChannels);
  const epilogue =
    draw.activation === 'clamp'
      ? { ...LINEAR, low: -0.5, high: 0.75 }
      : { ...LINEAR, activation: draw.activation === 'none' ? null : draw.activation };
  const layer: ConvolutionLayer = {
    inChannels,
    outChannels,
    groups,
    kernelHeight: draw.kernel[0],
    kernelWidth: draw.kernel[1],
    strideY: draw.stride[0],
    strideX: draw.stride[1],
    dilationY: draw.dilation[0],
    dilationX: draw.dilation[1],
    padTop: draw.pads[0],
    padLeft: draw.pads[1],
    outHeight,
    outWidth,
    weights: () => weights,
    bias: draw.bias ? () => bias : null,
    epilogue,
  };
  const x = {
    items,
    channels: inChannels,
    height,
    width,
    data: randomFloats(seed + 3, items * inChannels * height * width),
  };
  const residualData = randomFloats(seed + 4, items * outChannels * outHeight * outWidth);
  const residual = draw.residual
    ? { items, channels: outChannels, height: outHeight, width: outWidth, data: residualData }
    : null;
  return { layer, x, residual };
}

async function runCase({ layer, x, residual }: Case, outputHalo: number, setting: LayerSetting): Promise<Float32Array> {
  const method = chooseMethod(layer, { ...setting, variant: VARIANTS.simd128 });
  const inputs = [
    { tensor: x, halo: haloOf(layer, method, x) },
    ...(residual ? [{ tensor: residual, halo: NO_HALO }] : []),
  ];
  const output = { items: x.items, channels: layer.outChannels, height: layer.outHeight, width: layer.outWidth };
  const halo = { top: outputHalo, left: outputHalo, bottom: outputHalo, right: outputHalo };
  return runLayer(
    inputs,
    output,
    halo,
    (builder, [input, added], y, options) => {
      if (input) planConvolution(builder, layer, method, input, y, added ?? null, options);
    },
    setting,
  );
}

/** A layer on the kernels gives what its definition says. */
async function agrees(draw: Draw, tolerance: number, setting: LayerSetting = ONE_THREAD): Promise<void> {
  const drawn = caseOf(draw);
  if (drawn === null) return;
  const actual = await runCase(drawn, draw.outputHalo, setting);
  const expected = referenceConvolution(drawn.layer, drawn.x, drawn.residual);
  expect(relativeError(actual, expected.data)).toBeLessThan(tolerance);
}

const property = (draws: fc.Arbitrary<Draw>, runs: number, tolerance = 1e-5): Promise<void> =>
  fc.assert(
    fc.asyncProperty(draws, (draw) => agrees(draw, tolerance)),
    { numRuns: runs, seed: 20260101 },
  );

describe('convolution kernels against the scalar reference', () => {
  it('computes pointwise layers', () => property(pointwise, 200));
  it('computes standard convolutions', () => property(standard, 250));
  it('computes grouped convolutions', () => property(grouped, 150));
  it('computes depthwise convolutions', () => property(depthwise, 250));
  it('computes depthwise convolutions with a multiplier', () => property(multiplied, 100));
  it('computes 3×3 convolutions by Winograd', () => property(winograd, 50, 1e-4));

  it('applies every function after the sum', async () => {
    const [draw] = fc.sample(standard, { numRuns: 1, seed: 7 });
    for (const activation of Object.keys(UNARY_FUNCTIONS).filter(
      (name) => !['log', 'sqrt', 'rsqrt', 'reciprocal', 'round', 'ceil', 'floor'].includes(name),
    )) {
      if (draw) await agrees({ ...draw, activation: activation as RuntimeUnary }, 1e-4);
    }
  });
});

describe("Strassen's product", () => {
  it('gives what the products themselves give, which exact mode computes', async () => {
    for (const draw of fc.sample(strassen, { numRuns: 8, seed: 3 })) {
      const drawn = caseOf(draw);
      if (drawn === null) continue;
      const methods = [false, true].map((exact) =>
        chooseMethod(drawn.layer, { threads: 1, exact, variant: VARIANTS.simd128 }),
      );
      expect(methods).toEqual(['pointwise-strassen', 'pointwise']);
      const [actual, expected] = [false, true].map((exact) => runCase(drawn, draw.outputHalo, { threads: 1, exact }));
      expect(relativeError((await actual) ?? [], (await expected) ?? [])).toBeLessThan(1e-4);
    }
  });
});

describe('threads', () => {
  it('give the same bits as one thread', async () => {
    for (const draws of [pointwise, standard, grouped, depthwise, multiplied, winograd, strassen]) {
      for (const draw of fc.sample(draws, { numRuns: 2, seed: 11 })) {
        const drawn = caseOf(draw);
        if (drawn === null) continue;
        const one = await runCase(drawn, draw.outputHalo, { threads: 1, exact: false });
        for (const threads of [2, 3]) {
          const several = await runCase(drawn, draw.outputHalo, { threads, exact: false });
          expect(several).toEqual(one);
        }
      }
    }
  });
});
