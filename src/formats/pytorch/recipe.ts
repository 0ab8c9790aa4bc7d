/** A Python file that makes the same replacements in the PyTorch model that an ONNX file was exported from. */
import { encodeFloats } from '../../ir/elements.ts';
import { countElements } from '../../ir/extents.ts';
import { type BetweenHalves, type ConvReplacement, type Norm, weightsOf } from '../conv-replacement.ts';
import type { Piece } from '../pieces.ts';
import { type SafeTensor, safetensorsFile } from '../safetensors.ts';

/** A replaced convolution, as the recipe is told of it. */
export interface RecipeLayer {
  readonly replacement: ConvReplacement;
  /** Path of the module in the PyTorch model: `layer1.0.conv1`. */
  readonly module: string;
  /** The exported weights and bias, which may have a BatchNorm folded in. */
  readonly weights: Float32Array;
  readonly bias: Float64Array;
}

export interface Recipe {
  readonly script: readonly Piece[];
  readonly tensors: readonly Piece[];
}

/** `tensorsFile` is the name of the file beside the script. */
export function pytorchRecipe(layers: readonly RecipeLayer[], tensorsFile: string): Recipe {
  const tensors = layers.flatMap(tensorsOf);
  const table = layers.map(({ module, replacement: { halves, between } }) => {
    const [first, last] = halves;
    const rows: readonly (readonly [string, string])[] = [
      ['depthwise_first', python(first.isSpatial)],
      ['hidden', String(first.weightShape[0] ?? 0)],
      ['groups', `(${first.groups}, ${last.groups})`],
      ['norm', python(normOf(between) !== null)],
      ['relu', python(between.relu)],
    ];
    return `    ${JSON.stringify(module)}: dict(${rows.map(([key, value]) => `${key}=${value}`).join(', ')}),`;
  });
  const script = SCRIPT.replace('@TENSORS@', () => JSON.stringify(tensorsFile)).replace('@LAYERS@', () =>
    table.join('\n'),
  );
  return { script: [{ kind: 'bytes', bytes: new TextEncoder().encode(script) }], tensors: safetensorsFile(tensors) };
}

const python = (flag: boolean): string => (flag ? 'True' : 'False');

function tensorsOf({ replacement, module, weights, bias }: RecipeLayer): readonly SafeTensor[] {
  const { halves, between, bias: newBias } = replacement;
  const floats = (name: string, shape: readonly number[], make: () => Float64Array): SafeTensor => ({
    name: `${module}.${name}`,
    dtype: 'float32',
    shape,
    byteLength: 4 * countElements(shape),
    make: () => encodeFloats('float32', make()),
  });
  const norm = normOf(between);
  const outChannels = bias.length;
  return [
    floats('first.weight', halves[0].weightShape, () => weightsOf(replacement)[0]),
    floats('last.weight', halves[1].weightShape, () => weightsOf(replacement)[1]),
    floats('bias_change', [outChannels], () => bias.map((old, channel) => (newBias?.[channel] ?? old) - old)),
    ...(norm
      ? [
          floats('norm.mean', [norm.mean.length], () => norm.mean),
          floats('norm.variance', [norm.variance.length], () => norm.variance),
          floats('norm.shift', [norm.shift.length], () => norm.shift),
        ]
      : []),
    ...landmarks(weights, outChannels, floats, module),
  ];
}

/** PyTorch's own. */
const EPSILON = 1e-5;

/** Where the exporter folded BatchNorm, the module has it: the bias between the halves is its shift. */
function normOf({ norm, bias }: BetweenHalves): Norm | null {
  if (norm !== null || bias === null) return norm;
  const ones = new Float64Array(bias.length).fill(1);
  const variance = ones.map((one) => one - EPSILON);
  return { scale: ones, shift: bias, mean: new Float64Array(bias.length), variance, epsilon: EPSILON };
}

/**
 * The largest weight of each filter and its place. What the recipe finds there in the module tells by how much the
 * exporter scaled the filter when it folded a BatchNorm in.
 */
function landmarks(
  weights: Float32Array,
  outChannels: number,
  floats: (name: string, shape: readonly number[], make: () => Float64Array) => SafeTensor,
  module: string,
): readonly SafeTensor[] {
  const length = weights.length / outChannels;
  const places = new BigInt64Array(outChannels);
  const values = new Float64Array(outChannels);
  for (const [index, value] of weights.entries()) {
    const channel = Math.floor(index / length);
    if (Math.abs(value) <= Math.abs(values[channel] ?? 0)) continue;
    values[channel] = value;
    places[channel] = BigInt(index % length);
  }
  return [
    floats('largest', [outChannels], () => values),
    {
      name: `${module}.largest_at`,
      dtype: 'int64',
      shape: [outChannels],
      byteLength: 8 * outChannels,
      make: () => new Uint8Array(places.buffer),
    },
  ];
}

const SCRIPT = `"""Replaces convolutions of a PyTorch model by depthwise separable ones.

Written by dsc-audit. Edit it as you like; it needs torch and nothing else.

    from recipe import convert
    model = convert(model)      # in place; then fine-tune

The weights lie in the file beside this one. They start from the trained ones, so fine-tuning is short.
"""

import json
import struct
from pathlib import Path

import torch
from torch import nn

TENSORS = Path(__file__).with_name(@TENSORS@)

# Modules by their path in the model.
LAYERS = {
@LAYERS@
}


class DepthwiseSeparableConv(nn.Module):
    """A convolution as two: one that looks around, a filter (or several) a channel, and one that mixes channels.

    The half that looks around has the kernel, stride, padding and dilation of the convolution that is replaced; the
    other one has a kernel of 1. The bias belongs to whatever comes last.
    """

    def __init__(self, conv, hidden, groups, depthwise_first=True, norm=False, relu=False, bias=False):
        super().__init__()
        kind = type(conv)
        spatial = dict(
            kernel_size=conv.kernel_size,
            stride=conv.stride,
            padding=conv.padding,
            dilation=conv.dilation,
            padding_mode=conv.padding_mode,
        )
        first, last = (spatial, dict(kernel_size=1)) if depthwise_first else (dict(kernel_size=1), spatial)
        self.first = kind(conv.in_channels, hidden, groups=groups[0], bias=False, **first)
        norms = {nn.Conv1d: nn.BatchNorm1d, nn.Conv2d: nn.BatchNorm2d, nn.Conv3d: nn.BatchNorm3d}
        self.norm = norms[kind](hidden) if norm else nn.Identity()
        self.activation = nn.ReLU() if relu else nn.Identity()
        self.last = kind(hidden, conv.out_channels, groups=groups[1], bias=bias, **last)

    def forward(self, x):
        return self.last(self.activation(self.norm(self.first(x))))


def read_tensors(path):
    """Reads a .safetensors file."""
    types = {"F32": torch.float32, "I64": torch.int64}
    data = bytearray(path.read_bytes())
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        elements = data[8 + length + begin : 8 + length + end]
        tensors[name] = torch.frombuffer(elements, dtype=types[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def replacement(conv, path, layer, tensors):
    """The two halves of one convolution, with their weights."""
    kinds = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
    if type(conv) not in kinds:
        raise TypeError(f"{path} is a {type(conv).__name__}, not one of Conv1d, Conv2d, Conv3d")
    first, last = tensors[f"{path}.first.weight"], tensors[f"{path}.last.weight"]
    # An exporter may have folded a BatchNorm into the convolution: scaled each filter, and shifted its output. Here
    # the BatchNorm still stands behind the module, so the scale is taken out again.
    largest, at = tensors[f"{path}.largest"], tensors[f"{path}.largest_at"]
    here = conv.weight.detach().cpu().float().flatten(1).gather(1, at[:, None])[:, 0]
    scale = torch.where(here.abs() > 0, largest / here, torch.ones_like(here))
    scale = torch.where(scale.abs() > 0, scale, torch.ones_like(scale))
    change = tensors[f"{path}.bias_change"] / scale
    bias = change if conv.bias is None else conv.bias.detach().cpu().float() + change
    has_bias = conv.bias is not None or bool(change.abs().max() > 0)
    new = DepthwiseSeparableConv(conv, bias=has_bias, **layer)
    with torch.no_grad():
        new.first.weight.copy_(first)
        new.last.weight.copy_(last / scale.reshape(-1, *[1] * (last.dim() - 1)))
        if has_bias:
            new.last.bias.copy_(bias)
        if layer["norm"]:
            new.norm.running_mean.copy_(tensors[f"{path}.norm.mean"])
            new.norm.running_var.copy_(tensors[f"{path}.norm.variance"])
            new.norm.bias.copy_(tensors[f"{path}.norm.shift"])
    return new.to(device=conv.weight.device, dtype=conv.weight.dtype).train(conv.training)


def convert(model):
    """Replaces the modules in LAYERS, in place, and returns the model."""
    tensors = read_tensors(TENSORS)
    modules = dict(model.named_modules())
    missing = [path for path in LAYERS if path not in modules]
    if missing:
        raise KeyError(f"the model has no module {missing[0]}: is it the one that was exported?")
    for path, layer in LAYERS.items():
        parent, _, name = path.rpartition(".")
        setattr(modules[parent], name, replacement(modules[path], path, layer, tensors))
    return model
`;
