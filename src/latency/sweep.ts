/**
 * The networks that a calibration times: chains of layers of random shapes, so that every layer is measured as it runs in a
 * network, its input just written by the layer before and its weights gone from the nearer caches. Shapes are spread evenly
 * over the logarithms of what is found in practice; none is taken from a model.
 */
import type { UnaryFunction } from '../ir/operators.ts';
import { isRuntimeUnary, UNARY_FUNCTIONS } from '../runtime/kernels/unary-functions.ts';
import type { AnalysedModel } from '../runtime/network/analysed-model.ts';
import { type Chance, chanceOf } from './random.ts';
import { type Feature, SweepNetwork } from './sweep-network.ts';

/** Most elements of a tensor, and multiply-adds of a layer: larger ones cost time and tell nothing new. */
const MAX_ELEMENTS = 1.2e6;
const MAX_MACS = 1.5e8;
const MAX_WEIGHTS = 3e6;

/** Appends one layer, or a few that belong together; null where they do not fit. */
type Block = (network: SweepNetwork, x: Feature, chance: Chance) => Feature | null;

const elements = ({ channels, height, width }: Feature): number => channels * height * width;

/** Mostly whole blocks of 8, as people choose them, and some that are not. */
function channels(chance: Chance, low: number, high: number): number {
  const count = chance.spread(low, Math.max(low, high));
  return chance.next() < 0.75 ? Math.max(8, Math.round(count / 8) * 8) : count;
}

/** Output channels that keep tensor, weights and work within bounds; null where even a few do not. */
function outChannels(chance: Chance, x: Feature, taps: number, stride: number, groups = 1): number | null {
  const positions = Math.ceil(x.height / stride) * Math.ceil(x.width / stride);
  const each = (x.channels / groups) * taps;
  const most = Math.min(1024, MAX_ELEMENTS / positions, MAX_MACS / (positions * each), MAX_WEIGHTS / each);
  return most < 8 ? null : channels(chance, 8, Math.floor(most));
}

/** Functions of practice, each as often as it is met behind a convolution. */
const ACTIVATIONS: readonly (UnaryFunction | null)[] = [
  'relu',
  'relu',
  'relu6',
  'hardSwish',
  'silu',
  'leakyRelu',
  'sigmoid',
  null,
  null,
];

function activate(network: SweepNetwork, x: Feature, chance: Chance): Feature {
  const fn = chance.pick(ACTIVATIONS);
  return fn === null ? x : network.unary(x, fn);
}

const pointwise: Block = (network, x, chance) => {
  const stride = chance.next() < 0.1 ? 2 : 1;
  const count = outChannels(chance, x, 1, stride);
  return count === null
    ? null
    : activate(network, network.conv(x, { outChannels: count, kernel: [1, 1], stride }), chance);
};

const KERNELS = [
  [3, 3],
  [3, 3],
  [3, 3],
  [5, 5],
  [7, 7],
  [1, 7],
  [7, 1],
  [2, 2],
] as const;

const standard: Block = (network, x, chance) => {
  const kernel = chance.pick(KERNELS);
  const stride = chance.next() < 0.5 ? 2 : 1;
  const dilation = chance.next() < 0.1 ? 2 : 1;
  const count = outChannels(chance, x, kernel[0] * kernel[1], stride);
  if (count === null || kernel[0] === 2 || Math.min(x.height, x.width) < 3) return null;
  return activate(network, network.conv(x, { outChannels: count, kernel, stride, dilation }), chance);
};

const threeByThree: Block = (network, x, chance) => {
  const count = outChannels(chance, x, 9, 1);
  return count === null
    ? null
    : activate(network, network.conv(x, { outChannels: count, kernel: [3, 3], stride: 1 }), chance);
};

const residual: Block = (network, x, chance) => {
  const isPointwise = chance.next() < 0.5;
  const taps = isPointwise ? 1 : 9;
  if (elements(x) * x.channels * taps > MAX_MACS) return null;
  const y = network.conv(x, { outChannels: x.channels, kernel: isPointwise ? [1, 1] : [3, 3], stride: 1 });
  return network.unary(network.binary('add', y, x), 'relu');
};

const DEPTHWISE_KERNELS = [3, 3, 3, 5, 5, 7] as const;

const depthwise: Block = (network, x, chance) => {
  const kernel = chance.pick(DEPTHWISE_KERNELS);
  const stride = chance.next() < 0.35 ? 2 : 1;
  const multiplier = chance.next() < 0.1 && elements(x) < MAX_ELEMENTS / 2 ? 2 : 1;
  const outChannels = x.channels * multiplier;
  const choice = { outChannels, kernel: [kernel, kernel], stride, groups: x.channels } as const;
  return activate(network, network.conv(x, choice), chance);
};

const separable: Block = (network, x, chance) => {
  const y = depthwise(network, x, chance);
  return y && pointwise(network, y, chance);
};

/** Many channels on few pixels, as networks end: fast matrix products begin here. */
const widePointwise: Block = (network, _, chance) => {
  const extent = chance.spread(7, 28);
  const count = 16 * chance.spread(12, 64);
  const most = Math.min(64, MAX_MACS / (extent ** 2 * count * 16), MAX_WEIGHTS / (count * 16));
  const outputs = 16 * chance.spread(12, Math.max(12, most));
  const x = network.conv(network.input(8, extent, extent), { outChannels: count, kernel: [1, 1], stride: 1 });
  return activate(network, network.conv(x, { outChannels: outputs, kernel: [1, 1], stride: 1 }), chance);
};

/** Elements of a depthwise result from which on it is computed together with the pointwise layer behind it. */
const FUSED_ELEMENTS = 2.7e5;

/** A depthwise layer whose result is large, and few output channels: what is computed together. */
const largeSeparable: Block = (network, _, chance) => {
  const stride = chance.next() < 0.3 ? 2 : 1;
  const extent = chance.spread(40, 150);
  const least = Math.max(16, (FUSED_ELEMENTS * stride ** 2) / extent ** 2);
  const room = Math.min(256, (MAX_ELEMENTS * stride) / extent ** 2);
  if (least > room) return null;
  const count = channels(chance, Math.ceil(least), room);
  const stem = network.conv(network.input(8, extent, extent), { outChannels: count, kernel: [1, 1], stride: 1 });
  const kernel = chance.pick([3, 3, 3, 5, 5, 7]);
  const y = network.conv(stem, { outChannels: count, kernel: [kernel, kernel], stride, groups: count });
  const most = Math.min(32000 / count, (MAX_ELEMENTS * stride ** 2) / extent ** 2);
  const z = network.conv(activate(network, y, chance), {
    outChannels: channels(chance, 8, Math.max(8, most)),
    kernel: [1, 1],
    stride: 1,
  });
  return activate(network, z, chance);
};

/** Groups of more than one channel each; null where the channels cannot be divided. */
function groupsOf({ channels: count }: Feature, chance: Chance): number | null {
  const possible = [2, 4, 8, 16, 32].filter((groups) => count % groups === 0 && count > groups);
  return possible.length === 0 ? null : chance.pick(possible);
}

const grouped: Block = (network, x, chance) => {
  const groups = groupsOf(x, chance);
  if (groups === null || Math.min(x.height, x.width) < 3) return null;
  const stride = chance.next() < 0.3 ? 2 : 1;
  const kernel = chance.next() < 0.3 ? 1 : 3;
  const most = outChannels(chance, x, kernel * kernel, stride, groups);
  if (most === null) return null;
  const count = Math.max(1, Math.round(most / groups)) * groups;
  return activate(network, network.conv(x, { outChannels: count, kernel: [kernel, kernel], stride, groups }), chance);
};

const pool: Block = (network, x, chance) => {
  const [kernel, stride] = chance.pick([
    [3, 2],
    [2, 2],
    [3, 1],
    [5, 1],
  ] as const);
  if (Math.min(x.height, x.width) < 6) return null;
  return network.pool(x, chance.pick(['average', 'max']), kernel, stride);
};

/** Squeeze and excitation: a layer on one pixel, twice, and a product with every pixel. */
const squeeze: Block = (network, x, chance) => {
  const pooled = chance.next() < 0.7 ? network.globalPool(x, chance.pick(['average', 'max'])) : network.reduceMean(x);
  const hidden = network.conv(pooled, {
    outChannels: channels(chance, 8, Math.max(8, x.channels)),
    kernel: [1, 1],
    stride: 1,
  });
  const gate = network.conv(network.unary(hidden, 'relu'), { outChannels: x.channels, kernel: [1, 1], stride: 1 });
  return network.binary('mul', x, network.unary(gate, chance.pick(['sigmoid', 'hardSigmoid'])));
};

const FUNCTIONS = Object.keys(UNARY_FUNCTIONS)
  .filter(isRuntimeUnary)
  .filter((fn) => fn !== 'clamp');

/** Two functions on their own: none of them stands behind a convolution. */
const functions: Block = (network, x, chance) => {
  const pooled = x.height > 3 ? network.pool(x, 'max', 3, 1) : network.binary('add', x, x);
  const first = network.unary(pooled, chance.pick(FUNCTIONS));
  return network.unary(first, chance.pick(['tanh', 'sigmoid']));
};

const sums: Block = (network, x, chance) => {
  const y = network.pool(x, 'max', 3, 1);
  if (x.height < 3) return null;
  return network.binary(chance.pick(['add', 'mul', 'sub', 'div', 'add', 'mul']), y, x);
};

const join: Block = (network, x, chance) => {
  const count = outChannels(chance, x, 1, 1);
  if (count === null) return null;
  const y = network.conv(x, { outChannels: Math.min(count, 256), kernel: [1, 1], stride: 1 });
  return elements(x) + elements(y) > MAX_ELEMENTS ? y : network.concat([x, y]);
};

const split: Block = (network, x, chance) => {
  if (x.channels < 16) return null;
  const half = chance.next() < 0.7 ? Math.floor(x.channels / 16) * 8 : Math.floor(x.channels / 2);
  const first = network.slice(x, 0, half);
  const second = network.slice(x, half, x.channels - half);
  const y = network.conv(second, { outChannels: second.channels, kernel: [3, 3], stride: 1, groups: second.channels });
  const joined = network.concat([first, network.unary(y, 'relu')]);
  return joined.channels % 2 === 0 && chance.next() < 0.7 ? network.shuffle(joined, 2) : joined;
};

/** Norms written out, token mixers: arithmetic on row-major tensors. */
const rows: Block = (network, x, chance) =>
  network.besideMean(x, chance.pick(['planes', 'channels']), chance.pick(['add', 'sub', 'mul', 'div']));

const MOVEMENTS: readonly Block[] = [
  (network, x) => network.transpose(x),
  (network, x, chance) => network.softmax(x, chance.pick([1, 3])),
  (network, x, chance) => network.padChannels(x, chance.pick([4, 8])),
];

const movement: Block = (network, x, chance) => chance.pick(MOVEMENTS)(network, x, chance);

const resize: Block = (network, x, chance) => {
  if (4 * elements(x) > MAX_ELEMENTS) return null;
  if (chance.next() < 0.7) return network.resize(x, chance.pick(['linear', 'nearest', 'cubic']));
  const count = Math.min(128, MAX_ELEMENTS / (4 * x.height * x.width), MAX_MACS / (elements(x) * 16));
  return count < 8 ? null : network.convTranspose(x, channels(chance, 8, count), chance.pick([2, 4]));
};

/** Norms whose statistics are of the tensor itself. */
const norm: Block = (network, x, chance) => {
  switch (chance.pick(['channels', 'channels', 'plane', 'group', 'neighbours'] as const)) {
    case 'channels':
      return network.channelNorm(x, chance.next() < 0.2);
    case 'plane':
      return network.instanceNorm(x);
    case 'group': {
      const groups = groupsOf(x, chance);
      return groups === null ? null : network.groupNorm(x, groups);
    }
    case 'neighbours':
      return network.lrn(x, chance.pick([3, 5, 5, 9]));
  }
};

/** Most elements of the scores of every pixel for every other, over all heads. */
const MAX_SCORES = 3e5;

const attention: Block = (network, x, chance) => {
  const pixels = x.height * x.width;
  const heads = chance.pick([1, 2, 4, 8].filter((count) => x.channels % count === 0));
  return pixels < 4 || heads * pixels * pixels > MAX_SCORES ? null : network.attention(x, heads);
};

/** How often each block is tried. */
const BLOCKS: readonly (readonly [weight: number, block: Block])[] = [
  [6, pointwise],
  [4, standard],
  [6, threeByThree],
  [3, residual],
  [5, depthwise],
  [4, separable],
  [2, largeSeparable],
  [3, widePointwise],
  [2, grouped],
  [2, pool],
  [2, squeeze],
  [2, functions],
  [1, sums],
  [3, join],
  [2, split],
  [1, movement],
  [2, rows],
  [1, resize],
  [2, norm],
  [1, attention],
];

const TOTAL_WEIGHT = BLOCKS.reduce((sum, [weight]) => sum + weight, 0);

function chosenBlock(chance: Chance): Block {
  let left = chance.next() * TOTAL_WEIGHT;
  for (const [weight, block] of BLOCKS) {
    left -= weight;
    if (left < 0) return block;
  }
  return pointwise;
}

const MIN_LAYERS = 6;
const MAX_LAYERS = 24;

/** One chain, from an image or in the middle of a network, down to a dense layer at times. */
function chain(chance: Chance): AnalysedModel {
  const network = new SweepNetwork();
  const isImage = chance.next() < 0.3;
  const height = chance.spread(isImage ? 64 : 5, isImage ? 256 : 120);
  const width = chance.next() < 0.8 ? height : Math.max(4, Math.round(height * (0.6 + chance.next())));
  const most = Math.min(1024, MAX_ELEMENTS / height / width);
  let x = isImage
    ? network[chance.pick(['input', 'inputLast'] as const)](chance.pick([1, 3, 3, 3]), height, width)
    : network.input(channels(chance, 8, Math.max(8, most)), height, width);
  if (isImage) {
    const kernel = chance.pick([3, 3, 5, 7]);
    const stride = elements({ ...x, channels: 16 }) > MAX_ELEMENTS ? 2 : chance.pick([1, 2, 2]);
    const count = outChannels(chance, x, kernel * kernel, stride) ?? 8;
    x = activate(
      network,
      network.conv(x, { outChannels: Math.min(64, count), kernel: [kernel, kernel], stride }),
      chance,
    );
  }
  const layers = chance.spread(MIN_LAYERS, MAX_LAYERS);
  for (let layer = 0; layer < layers; layer++) {
    const next = chosenBlock(chance)(network, x, chance);
    if (next === null || elements(next) < 256) continue;
    if (next.id !== x.id) x = next;
  }
  network.output(x);
  const last = chance.next() < 0.5 ? network.globalPool(x) : x;
  if (elements(last) * 1000 < 1.2e7) network.output(network.dense(last, channels(chance, 10, 4e6 / elements(last))));
  return network.analyse();
}

/** Every function of one variable, on tensors of several sizes. */
function everyFunction(chance: Chance): AnalysedModel {
  const network = new SweepNetwork();
  let x = network.input(channels(chance, 8, 64), chance.spread(6, 56), chance.spread(6, 56));
  for (const fn of FUNCTIONS) {
    x = network.pool(x, 'max', 3, 1);
    x = network.unary(x, fn);
  }
  network.output(x);
  return network.analyse();
}

/** Every block that there is, in any order, behind an image: a short sweep meets rare kernels too. */
function everyBlock(chance: Chance, imageChannels: number): AnalysedModel {
  const network = new SweepNetwork();
  const extent = chance.spread(32, 96);
  const image = network.inputLast(imageChannels, extent, extent);
  const stem = network.conv(image, { outChannels: 16, kernel: [3, 3], stride: 1 });
  network.output(network.transpose(stem));
  let x = network.conv(stem, { outChannels: chance.pick([32, 48, 64]), kernel: [3, 3], stride: 2 });
  for (const block of chance.shuffle([...BLOCKS.map(([, each]) => each), ...MOVEMENTS, ...RARE])) {
    const next = block(network, x, chance);
    if (next === null || next.id === x.id) continue;
    // Extents stay as they are: what shrinks or grows the tensor is an output beside the chain.
    if (next.height === x.height && next.channels <= MAX_EVERY_BLOCK_CHANNELS) x = next;
    else network.output(next);
  }
  network.output(x);
  network.output(network.dense(network.globalPool(x), chance.spread(10, 1000)));
  return network.analyse();
}

const MAX_EVERY_BLOCK_CHANNELS = 256;

/** An output beside the chain. */
function beside(network: SweepNetwork, x: Feature): null {
  network.output(x);
  return null;
}

/** Parts of blocks that come up rarely, and steps of layers that only some formats have. */
const RARE: readonly Block[] = [
  (network, x, chance) => network.convTranspose(x, channels(chance, 8, 32), 2),
  (network, x) => network.resize(x, 'cubic'),
  (network, x) => network.globalPool(x, 'max'),
  (network, x) => network.instanceNorm(x),
  (network, x) => network.lrn(x, 5),
  ...[3, 5, 7].flatMap((kernel) =>
    [1, 2].map(
      (stride): Block =>
        (network, x) =>
          network.conv(x, { outChannels: x.channels, kernel: [kernel, kernel], stride, groups: x.channels }),
    ),
  ),
  (network, x, chance) => {
    let small = x;
    while (small.height * small.width > 256) small = network.pool(small, 'max', 2, 2);
    return attention(network, small, chance);
  },
  (network, x) => beside(network, network.strongest(x)),
  (network, x) => beside(network, network.pickRows(x)),
  (network, x) => network.besideMean(x, 'planes', 'sub'),
  (network, x) => network.besideMean(x, 'channels', 'mul'),
];

/** One in so many networks has every function in it, and one in so many every block. */
const FUNCTIONS_EVERY = 16;
const BLOCKS_EVERY = 8;

/** The networks of a calibration: always the same for the same seed, the first ones whatever their number. */
export function sweepNetworks(seed: number, count: number): readonly AnalysedModel[] {
  return Array.from({ length: count }, (_, index) => {
    const chance = chanceOf(seed * 7919 + index);
    if (index % FUNCTIONS_EVERY === 0) return everyFunction(chance);
    const isGrey = index % (2 * BLOCKS_EVERY) > BLOCKS_EVERY;
    return index % BLOCKS_EVERY === 1 ? everyBlock(chance, isGrey ? 1 : 3) : chain(chance);
  });
}
/** A few milliseconds of everything: products, a depthwise layer, Winograd, and a sum. */
export function referenceNetwork(): AnalysedModel {
  const network = new SweepNetwork();
  let x = network.input(32, 28, 28);
  x = network.conv(x, { outChannels: 64, kernel: [1, 1], stride: 1 });
  x = network.conv(x, { outChannels: 64, kernel: [3, 3], stride: 1, groups: 64 });
  x = network.conv(x, { outChannels: 32, kernel: [3, 3], stride: 1 });
  x = network.conv(x, { outChannels: 128, kernel: [1, 1], stride: 1 });
  network.output(network.binary('add', x, x));
  return network.analyse();
}
