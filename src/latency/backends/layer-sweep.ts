/** Single layers for runtimes that cannot time the steps of a network. */
import type { AnalysedModel } from '../../runtime/network/analysed-model.ts';
import { type Chance, chanceOf } from '../random.ts';
import { type Feature, SweepNetwork } from '../sweep-network.ts';

/** Appends a layer to a feature map of any shape. */
type Layer = (network: SweepNetwork, x: Feature, chance: Chance) => Feature;

const MAX_ELEMENTS = 6e5;
const MAX_MACS = 6e7;

function outChannels(x: Feature, taps: number, stride: number, chance: Chance): number {
  const positions = (x.height * x.width) / stride ** 2;
  const most = Math.min(768, MAX_MACS / (positions * x.channels * taps), MAX_ELEMENTS / positions);
  return Math.max(8, Math.round(chance.spread(8, Math.max(8, most)) / 8) * 8);
}

const convolution =
  (kernels: readonly number[], strides: readonly number[]): Layer =>
  (network, x, chance) => {
    const [extent, stride] = [chance.pick(kernels), chance.pick(strides)];
    const there = network.conv(x, {
      outChannels: outChannels(x, extent * extent, stride, chance),
      kernel: [extent, extent],
      stride,
    });
    // There and back, so that one can be chained to the next; a stride cannot be taken back.
    return stride > 1 ? there : network.conv(there, { outChannels: x.channels, kernel: [extent, extent], stride: 1 });
  };

const depthwise =
  (strides: readonly number[]): Layer =>
  (network, x, chance) => {
    const extent = chance.pick([3, 3, 5, 7]);
    return network.conv(x, {
      outChannels: x.channels,
      kernel: [extent, extent],
      stride: chance.pick(strides),
      groups: x.channels,
    });
  };

const LAYERS: readonly Layer[] = [
  convolution([1], [1]),
  convolution([1], [1]),
  convolution([1], [2]),
  convolution([3, 3, 5, 7], [1]),
  convolution([3, 3], [1]),
  convolution([3, 3, 5, 7], [2]),
  depthwise([1]),
  depthwise([1]),
  depthwise([2]),
  (network, x, chance) => {
    const groups = chance.pick([2, 4, 8]);
    return network.conv(x, {
      outChannels: x.channels,
      kernel: [3, 3],
      stride: 1,
      groups: x.channels % groups === 0 ? groups : 1,
    });
  },
  (network, x, chance) =>
    network.unary(x, chance.pick(['relu', 'sigmoid', 'hardSigmoid', 'hardSwish', 'tanh', 'leakyRelu'])),
  (network, x) => network.binary('add', x, x),
  (network, x) => network.binary('mul', x, x),
  (network, x, chance) => network.pool(x, 'max', 3, chance.pick([1, 2])),
  (network, x, chance) => network.pool(x, 'average', 3, chance.pick([1, 2])),
  (network, x) => network.globalPool(x),
  (network, x) => network.softmax(x, 1),
  (network, x) => network.concat([x, x]),
  (network, x, chance) => network.dense(x, chance.spread(10, 1000)),
];

/** So many layers in a row are one of every kind. */
export const LAYER_KINDS = LAYERS.length;

/** Dense layers are on vectors. */
const isOnVector = (index: number): boolean => index % LAYER_KINDS === LAYER_KINDS - 1;

/** Layers of every kind in turn: always the same for the same seed and number. */
export function layerSweep(seed: number, count: number): readonly AnalysedModel[] {
  return Array.from({ length: count }, (_, index) => {
    const chance = chanceOf(seed * 104729 + index);
    const network = new SweepNetwork();
    const extent = isOnVector(index) ? 1 : chance.spread(7, 112);
    const most = isOnVector(index) ? 2048 : Math.min(512, MAX_ELEMENTS / extent / extent);
    const channels = Math.max(8, Math.round(chance.spread(8, most) / 8) * 8);
    const layer = LAYERS[index % LAYER_KINDS];
    const x = network.input(channels, extent, extent);
    network.output(layer ? layer(network, x, chance) : x);
    return network.analyse();
  });
}

/** One that is all multiply-adds: its floating-point operations, and the layer. */
export function computeBoundLayer(): { readonly flops: number; readonly model: AnalysedModel } {
  const [channels, extent] = [256, 28];
  const network = new SweepNetwork();
  const x = network.input(channels, extent, extent);
  network.output(network.conv(x, { outChannels: channels, kernel: [1, 1], stride: 1 }));
  return { flops: 2 * extent ** 2 * channels ** 2, model: network.analyse() };
}

/** One that only reads 64 MiB and writes as much, more than caches hold. */
export function memoryBoundLayer(): { readonly bytes: number; readonly model: AnalysedModel } {
  const [channels, extent] = [64, 512];
  const network = new SweepNetwork();
  const x = network.input(channels, extent, extent);
  network.output(network.binary('add', x, x));
  return { bytes: 2 * 4 * channels * extent ** 2, model: network.analyse() };
}
/** One that takes about a millisecond. */
export function referenceLayer(): AnalysedModel {
  const network = new SweepNetwork();
  const x = network.input(64, 28, 28);
  network.output(network.conv(x, { outChannels: 64, kernel: [1, 1], stride: 1 }));
  return network.analyse();
}
