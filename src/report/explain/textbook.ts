import { type Step, step } from './explanation.ts';
import { literal, named, product, quotient, sum } from './expression.ts';
import { rooflineSteps } from './roofline.ts';
import { type SeparableForm, separableMacs, separableShare, separableWeights } from './separable.ts';

/** The layer of MobileNetV1's Table 3 (1704.04861): 512 → 512 channels, 3×3, on 14×14 positions. */
const TABLE_3 = { extent: 14, channels: 512, kernel: [3, 3] } as const;

/** Its multipliers: α = 0.75 leaves 384 channels, ρ = 0.714 leaves 10×10 positions. */
const WIDTH = 0.75;
const SMALL_EXTENT = 10;

const SQUARE = named('k²', 9);
/** A 3×3 kernel written out. */
const TAPS = { ...product(literal(3), literal(3)), symbols: 'k²' };

const grid = (extent: number) => [named('H', extent), named('W', extent)];

function table3(channels: number, extent: number): SeparableForm {
  return { positions: grid(extent), inChannels: channels, outChannels: channels, kernel: TABLE_3.kernel };
}

const BASE = table3(TABLE_3.channels, TABLE_3.extent);
const THIN = table3(TABLE_3.channels * WIDTH, TABLE_3.extent);
const SMALL = table3(TABLE_3.channels * WIDTH, SMALL_EXTENT);

const standardWeights = product(named('M', 512), named('N', 512), TAPS);
const standardMacs = product(...grid(TABLE_3.extent), standardWeights);
const baseMacs = separableMacs(BASE);

export const standardSteps: readonly Step[] = [
  step('MACs', standardMacs, 'count', 'Table 3 prints 462 million.'),
  step('Params', standardWeights, 'count', 'Table 3 prints 2.36 million.'),
];

export const pointwiseSteps: readonly Step[] = [
  step('MACs', product(...grid(14), named('M', 512), named('N', 512))),
  step('Params', product(named('M', 512), named('N', 512))),
];

export const depthwiseSteps: readonly Step[] = [
  step('MACs', product(...grid(14), named('M', 512), TAPS)),
  step('Params', product(named('M', 512), TAPS)),
];

export const groupedSteps: readonly Step[] = [
  step('MACs', product(...grid(14), quotient(named('M', 512), named('g', 32)), named('N', 512), TAPS)),
  step('Params', product(quotient(named('M', 512), named('g', 32)), named('N', 512), TAPS)),
];

export const transposedSteps: readonly Step[] = [
  step('MACs', product(named('Hin', 14), named('Win', 14), named('M', 512), named('N', 512), TAPS)),
];

export const separableTextbook: readonly Step[] = [
  step('Standard', standardMacs, 'count', 'MACs; Table 3 prints 462 million.'),
  step('As DSC', baseMacs, 'count', 'MACs; Table 3 prints 52.3 million.'),
  step('Params', separableWeights(BASE), 'count', 'Table 3 prints 0.27 million, and 2.36 for the standard one.'),
  step('Share left', separableShare(512, TABLE_3.kernel), 'share'),
];

export const widthSteps: readonly Step[] = [
  step('Channels', product(named('α', WIDTH), named('M', TABLE_3.channels))),
  step('MACs', separableMacs(THIN), 'count', 'Table 3 prints 29.6 million, and 52.3 at α = 1.'),
  step('Params', separableWeights(THIN), 'count', 'Table 3 prints 0.15 million.'),
  step('Share left', quotient(named('MACs at α', separableMacs(THIN).value), named('MACs', baseMacs.value)), 'share'),
  step(
    'About',
    { ...product(literal(WIDTH), literal(WIDTH)), symbols: 'α²' },
    'share',
    'The pointwise half, which is most of it.',
  ),
];

export const resolutionSteps: readonly Step[] = [
  step('ρ', quotient(named('extent', SMALL_EXTENT), named('extent before', TABLE_3.extent)), 'share'),
  step('MACs', separableMacs(SMALL), 'count', 'With α = 0.75, as Table 3 prints it: 15.1 million.'),
  step('Params', separableWeights(SMALL), 'count', 'As before: weights have no positions.'),
  step(
    'Share left',
    quotient(named('MACs at ρ', separableMacs(SMALL).value), named('MACs', separableMacs(THIN).value)),
    'share',
    'It is ρ².',
  ),
];

export const flopsSteps: readonly Step[] = [
  step(
    'FLOPs',
    sum(product(literal(2), named('MACs', standardMacs.value)), product(...grid(14), named('N', 512))),
    'count',
    'Two a MAC, and a bias for each output element.',
  ),
];

export const paramsSteps: readonly Step[] = [
  step('Weights', standardWeights),
  step('With bias', sum(standardWeights, named('N', 512))),
  step(
    'BatchNorm',
    product(literal(4), named('N', 512)),
    'count',
    'Half of them are trained: scale and shift, not mean and variance.',
  ),
];

/** MobileNetV2 (1801.04381), Table 3: the largest tensor at 16 bit. */
export const memorySteps: readonly Step[] = [
  step(
    'V1',
    product(named('H', 112), named('W', 112), named('C', 64), named('bytes', 2)),
    'bytes',
    'Table 3 of MobileNetV2 prints 1600 kB.',
  ),
  step(
    'V2',
    product(named('H', 112), named('W', 112), named('C', 16), named('bytes', 2)),
    'bytes',
    'It prints 400 kB: only the narrow ends of a block are kept.',
  ),
];

const separableBytes = sum(
  product(...grid(14), named('M', 512), named('bytes', 4)),
  product(...grid(14), named('N', 512), named('bytes', 4)),
);

/** 512 channels at 32 bit: the depthwise half alone. */
const depthwiseIntensity = quotient(
  product(literal(2), named('MACs', 903_168)),
  sum(separableBytes, named('weight bytes', 18_432)),
);
const standardIntensity = quotient(
  product(literal(2), named('MACs', standardMacs.value)),
  sum(separableBytes, named('weight bytes', 9_437_184)),
);

export const intensitySteps: readonly Step[] = [
  step('Standard', standardIntensity, 'FLOPs/byte'),
  step('Depthwise', depthwiseIntensity, 'FLOPs/byte', 'As many bytes of activations, far less arithmetic.'),
];

/** A machine for the example: 100 GFLOP/s, 20 GB/s. */
const MACHINE = { flopsPerSecond: 100e9, bytesPerSecond: 20e9 } as const;

export const rooflineTextbook: readonly Step[] = [
  step('Intensity', depthwiseIntensity, 'FLOPs/byte'),
  ...rooflineSteps({ intensity: depthwiseIntensity.value, flops: 2 * 903_168, latencyMs: null, kernel: null }, MACHINE)
    .steps,
];

/** A block of MobileNetV2: 24 → 24 channels, t = 6, on 56×56. */
export const invertedResidualSteps: readonly Step[] = [
  step(
    'MACs',
    product(named('h', 56), named('w', 56), named('M', 24), named('t', 6), sum(named('M', 24), SQUARE, named('N', 24))),
  ),
  step('Params', product(named('M', 24), named('t', 6), sum(named('M', 24), SQUARE, named('N', 24)))),
  step('Expand', product(named('h', 56), named('w', 56), named('M', 24), product(named('t', 6), named('M', 24)))),
  step('Depthwise', product(named('h', 56), named('w', 56), product(named('t', 6), named('M', 24)), TAPS)),
  step('Project', product(named('h', 56), named('w', 56), product(named('t', 6), named('M', 24)), named('N', 24))),
  step(
    'Standard',
    product(
      named('h', 56),
      named('w', 56),
      product(named('t', 6), named('M', 24)),
      product(named('t', 6), named('M', 24)),
      TAPS,
    ),
    'count',
    'MACs of a 3×3 convolution on the wide tensor instead.',
  ),
];

/** A block of ResNet-50 (1512.03385): 256 → 64 → 64 → 256 channels, on 56×56. */
export const bottleneckSteps: readonly Step[] = [
  step(
    'MACs',
    product(
      ...grid(56),
      sum(
        product(named('M', 256), named('m', 64)),
        product(named('m', 64), named('m', 64), TAPS),
        product(named('m', 64), named('M', 256)),
      ),
    ),
  ),
  step(
    'Two 3×3',
    product(...grid(56), literal(2), named('M', 256), named('M', 256), TAPS),
    'count',
    'MACs of a basic residual block of the same width.',
  ),
];

/** A block of ResNet-18: 64 channels, on 56×56. */
export const residualSteps: readonly Step[] = [
  step('MACs', product(literal(2), ...grid(56), named('M', 64), named('M', 64), TAPS)),
  step('Shortcut', product(...grid(56), named('M', 64)), 'count', 'FLOPs of the sum: one an element.'),
];

/** A gate of 64 channels over 4 (1709.01507: reduction 16). */
export const squeezeExciteSteps: readonly Step[] = [
  step('MACs', product(literal(2), named('C', 64), named('C/r', 4))),
  step('Pooling', product(...grid(56), named('C', 64)), 'count', 'FLOPs of the averages.'),
];
