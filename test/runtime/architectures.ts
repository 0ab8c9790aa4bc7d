/** Whole architectures with few channels and seeded weights, as ONNX models. */
import { type AttributeSpec, type NodeSpec, onnxBytes, type TensorSpec } from '../support/onnx-bytes.ts';
import { randomFloats } from './random.ts';

type Pair = readonly [height: number, width: number];

interface ConvSpec {
  readonly kernel: Pair;
  readonly stride?: number;
  readonly same?: boolean;
  readonly groups?: number;
}

/** A network that grows node by node; tensors are known by name, and by how many channels they have. */
class GrowingNetwork {
  private readonly nodes: NodeSpec[] = [];
  private readonly initializers: Record<string, TensorSpec> = {};
  private readonly channels = new Map<string, number>();
  private readonly inputShape: readonly number[];

  constructor(inputShape: readonly number[]) {
    this.inputShape = inputShape;
    this.channels.set('image', inputShape[1] ?? 1);
  }

  node(op: string, inputs: readonly string[], attributes: NodeSpec['attributes'] = {}, channels?: number): string {
    const name = `${op}_${this.nodes.length}`;
    this.nodes.push({ op, inputs, outputs: [name], name, attributes });
    this.channels.set(name, channels ?? this.channelsOf(inputs[0] ?? ''));
    return name;
  }

  constant(dims: readonly number[], scale = 1): string {
    const name = `weights_${Object.keys(this.initializers).length}`;
    const count = dims.reduce((product, extent) => product * extent, 1);
    const floats = randomFloats(Object.keys(this.initializers).length, count).map((value) => value * scale);
    this.initializers[name] = { dims, floats: [...floats] };
    return name;
  }

  integers(values: readonly number[]): string {
    const name = `integers_${Object.keys(this.initializers).length}`;
    this.initializers[name] = { dims: [values.length], ints: values };
    return name;
  }

  scales(values: readonly number[]): string {
    const name = `scales_${Object.keys(this.initializers).length}`;
    this.initializers[name] = { dims: [values.length], floats: values };
    return name;
  }

  conv(x: string, out: number, { kernel, stride = 1, same = false, groups = 1 }: ConvSpec): string {
    const each = this.channelsOf(x) / groups;
    const dims = [out, each, ...kernel];
    const weights = this.constant(dims, Math.sqrt(3 / (each * kernel[0] * kernel[1])));
    const pads = kernel.map((extent) => (same ? (extent - 1) / 2 : 0));
    const attributes: Record<string, AttributeSpec> = {
      kernel_shape: kernel,
      strides: [stride, stride],
      pads: [...pads, ...pads],
      group: groups,
    };
    return this.node('Conv', [x, weights, this.constant([out], 0.1)], attributes, out);
  }

  relu = (x: string): string => this.node('Relu', [x]);

  pool = (op: 'AveragePool' | 'MaxPool', x: string, kernel: number, stride: number, pad: number): string =>
    this.node(op, [x], { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] });

  concat = (parts: readonly string[]): string =>
    this.node(
      'Concat',
      parts,
      { axis: 1 },
      parts.reduce((sum, part) => sum + this.channelsOf(part), 0),
    );

  channelsOf = (name: string): number => this.channels.get(name) ?? 1;

  bytes(output: string): Uint8Array {
    const { nodes, initializers } = this;
    return onnxBytes({ inputs: { image: this.inputShape }, outputs: [output], nodes, initializers });
  }
}

/** Inception v3 (arXiv:1512.00567) with an eighth of its channels: 1×7 and 7×1 windows, averages without padding. */
export function inceptionV3(): Uint8Array {
  const net = new GrowingNetwork([1, 3, 107, 107]);
  const block = (x: string, out: number, ...kernel: Pair): string =>
    net.relu(net.conv(x, out / 8, { kernel, same: true }));
  const reduce = (x: string, out: number): string => net.relu(net.conv(x, out / 8, { kernel: [3, 3], stride: 2 }));
  const averaged = (x: string, out: number): string => block(net.pool('AveragePool', x, 3, 1, 1), out, 1, 1);
  const halved = (x: string): string => net.pool('MaxPool', x, 3, 2, 0);
  let x = block(net.relu(net.conv(reduce('image', 32), 4, { kernel: [3, 3] })), 64, 3, 3);
  x = halved(net.relu(net.conv(block(halved(x), 80, 1, 1), 24, { kernel: [3, 3] })));
  for (const pooled of [32, 64, 64]) {
    const double = block(block(block(x, 64, 1, 1), 96, 3, 3), 96, 3, 3);
    x = net.concat([block(x, 64, 1, 1), block(block(x, 48, 1, 1), 64, 5, 5), double, averaged(x, pooled)]);
  }
  x = net.concat([reduce(x, 384), reduce(block(block(x, 64, 1, 1), 96, 3, 3), 96), halved(x)]);
  for (const inner of [128, 160, 160, 192]) {
    const single = block(block(block(x, inner, 1, 1), inner, 1, 7), 192, 7, 1);
    const twice = block(block(block(x, inner, 1, 1), inner, 7, 1), inner, 1, 7);
    const double = block(block(twice, inner, 7, 1), 192, 1, 7);
    x = net.concat([block(x, 192, 1, 1), single, double, averaged(x, 192)]);
  }
  const long = block(block(block(x, 192, 1, 1), 192, 1, 7), 192, 7, 1);
  x = net.concat([reduce(block(x, 192, 1, 1), 320), reduce(long, 192), halved(x)]);
  for (let count = 0; count < 2; count++) {
    const fork = (from: string): readonly string[] => [block(from, 384, 1, 3), block(from, 384, 3, 1)];
    const double = fork(block(block(x, 448, 1, 1), 384, 3, 3));
    x = net.concat([block(x, 320, 1, 1), ...fork(block(x, 384, 1, 1)), ...double, averaged(x, 192)]);
  }
  const flat = net.node('Flatten', [net.node('GlobalAveragePool', [x])]);
  const weights = net.constant([10, net.channelsOf(x)], 0.1);
  return net.bytes(net.node('Gemm', [flat, weights, net.constant([10])], { transB: 1 }));
}

/** A U-Net (arXiv:1505.04597) with attention gates (arXiv:1804.03999), transposed convolutions and resizing. */
export function attentionUnet(): Uint8Array {
  const net = new GrowingNetwork([1, 3, 48, 40]);
  const twice = (x: string, out: number): string => {
    const first = net.relu(net.conv(x, out, { kernel: [3, 3], same: true }));
    return net.relu(net.conv(first, out, { kernel: [3, 3], same: true }));
  };
  const skips: string[] = [];
  let x = 'image';
  for (const channels of [8, 20, 32]) {
    skips.push(twice(x, channels));
    x = net.pool('MaxPool', skips.at(-1) ?? '', 2, 2, 0);
  }
  x = twice(x, 48);
  for (const [level, skip] of [...skips.entries()].reverse()) {
    const channels = net.channelsOf(skip);
    x = level === 2 ? transposed(net, x, channels) : upsampled(net, x, channels, RESIZES[level] ?? {});
    const [gate, kept] = [net.conv(x, 8, { kernel: [1, 1] }), net.conv(skip, 8, { kernel: [1, 1] })];
    const weight = net.node('Sigmoid', [net.conv(net.relu(net.node('Add', [gate, kept])), 1, { kernel: [1, 1] })]);
    x = twice(net.concat([net.node('Mul', [skip, weight]), x]), channels);
  }
  return net.bytes(net.conv(x, 2, { kernel: [1, 1] }));
}

function transposed(net: GrowingNetwork, x: string, channels: number): string {
  const weights = net.constant([net.channelsOf(x), channels, 2, 2], 0.2);
  return net.node('ConvTranspose', [x, weights], { kernel_shape: [2, 2], strides: [2, 2] }, channels);
}

/** By level of the network. */
const RESIZES: readonly NonNullable<NodeSpec['attributes']>[] = [
  { mode: 'cubic', cubic_coeff_a: { float: -0.5 } },
  { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
];

function upsampled(
  net: GrowingNetwork,
  x: string,
  channels: number,
  attributes: NonNullable<NodeSpec['attributes']>,
): string {
  const twice = net.node('Resize', [x, '', net.scales([1, 1, 2, 2])], attributes);
  return net.conv(twice, channels, { kernel: [1, 1] });
}

/** ShuffleNet's grouped unit (arXiv:1707.01083) behind AlexNet's response normalisation. */
export function shuffledGroups(): Uint8Array {
  const net = new GrowingNetwork([2, 3, 17, 19]);
  const stem = net.relu(net.conv('image', 24, { kernel: [3, 3], same: true }));
  const normal = net.node('LRN', [stem], {
    size: 5,
    alpha: { float: 0.02 },
    beta: { float: 0.75 },
    bias: { float: 2 },
  });
  const groups = 3;
  const reduced = net.conv(normal, 24, { kernel: [1, 1], groups });
  const apart = net.node('Reshape', [reduced, net.integers([2, groups, 8, 17, 19])]);
  const turned = net.node('Transpose', [apart], { perm: [0, 2, 1, 3, 4] });
  const shuffled = net.node('Reshape', [turned, net.integers([2, 24, 17, 19])], {}, 24);
  const spatial = net.conv(shuffled, 24, { kernel: [3, 3], same: true, groups: 24 });
  const sum = net.node('Add', [net.conv(spatial, 24, { kernel: [1, 1], groups }), stem]);
  return net.bytes(net.node('HardSwish', [sum]));
}
