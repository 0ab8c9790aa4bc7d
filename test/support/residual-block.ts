/** Residual networks of one block behind a stem, written down as files: the block as it is, and what it may become. */
import type { ModelSpec, NodeSpec, TensorSpec } from './onnx-bytes.ts';

export interface ConvSpec {
  readonly out: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly groups?: number;
  /** Something non-linear follows. */
  readonly activated: boolean;
}

export interface BlockSpec {
  readonly channels: number;
  readonly extent: number;
  readonly batch: number;
  readonly norm: 'batch-norm' | 'folded' | 'none';
  readonly activation: 'Relu' | 'HardSwish' | 'PRelu' | 'swish';
  readonly shortcut: boolean;
  readonly body: readonly ConvSpec[];
}

/** image → stem → body, added to a shortcut (projected where the shapes ask for it) → Relu. */
export function blockModel({ channels, extent, batch, norm, activation, shortcut, body }: BlockSpec): ModelSpec {
  const nodes: NodeSpec[] = [];
  const initializers: Record<string, TensorSpec> = {};
  const add = (op: string, inputs: readonly string[], attributes: NodeSpec['attributes'] = {}): string => {
    const output = `${op}_${nodes.length}`;
    nodes.push({ op, name: output, inputs, outputs: [output], attributes });
    return output;
  };
  const weight = (dims: readonly number[]): string => {
    const name = `w${Object.keys(initializers).length}`;
    initializers[name] = { dims, external: { location: 'weights.bin' } };
    return name;
  };
  const activate = (x: string, width: number): string => {
    if (activation === 'swish') return add('Mul', [x, add('Sigmoid', [x])]);
    return activation === 'PRelu' ? add('PRelu', [x, weight([width, 1, 1])]) : add(activation, [x]);
  };
  const conv = (x: string, into: number, { out, kernel = 1, stride = 1, groups = 1, activated }: ConvSpec): string => {
    const pad = (kernel - 1) / 2;
    const bias = norm === 'folded' ? [weight([out])] : [];
    let y = add('Conv', [x, weight([out, into / groups, kernel, kernel]), ...bias], {
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      group: groups,
    });
    if (norm === 'batch-norm') y = add('BatchNormalization', [y, ...[0, 1, 2, 3].map(() => weight([out]))]);
    return activated ? activate(y, out) : y;
  };
  const start = conv('image', 3, { out: channels, kernel: 3, activated: true });
  let x = start;
  let width = channels;
  for (const spec of body) {
    x = conv(x, width, spec);
    width = spec.out;
  }
  const stride = body.reduce((all, spec) => all * (spec.stride ?? 1), 1);
  if (shortcut) {
    const isSame = stride === 1 && width === channels;
    x = add('Add', [x, isSame ? start : conv(start, channels, { out: width, stride, activated: false })]);
  }
  return { inputs: { image: [batch, 3, extent, extent] }, initializers, nodes, outputs: [add('Relu', [x])], opset: 17 };
}
