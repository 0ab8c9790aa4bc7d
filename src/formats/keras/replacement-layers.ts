/** The layers that a convolution becomes, as Keras writes them. */
import { byteSize } from '../../ir/dtype.ts';
import { encodeFloats, type WeightType } from '../../ir/elements.ts';
import { countElements } from '../../ir/extents.ts';
import { type ConvHalf, type ConvReplacement, type Norm, weightsOf } from '../conv-replacement.ts';
import { isObject, type JsonObject, member, textOf } from './json.ts';
import type { LayerPlace } from './layer-places.ts';
import type { LayerSpec } from './model-config.ts';

/** A layer that takes the place of a convolution, under its name. */
export interface NewLayer {
  readonly json: JsonObject;
  /** The layer itself; of a Sequential model the layers in it. */
  readonly parts: readonly LayerPart[];
  readonly isModel: boolean;
}

export interface LayerPart {
  readonly className: string;
  readonly name: string;
  /** In the order in which Keras makes them. */
  readonly weights: readonly LayerWeight[];
}

/** A weight that is new, or the original layer's bias as it is. */
export type LayerWeight = NewWeight | { readonly kind: 'kept-bias' };

export interface NewWeight {
  readonly kind: 'new';
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: WeightType;
  readonly byteLength: number;
  readonly make: () => Uint8Array;
  /** Training changes it: statistics come behind the weights that it does. */
  readonly trainable: boolean;
}

/** What layers a library has beside Keras's own. */
export interface LayerLibrary {
  readonly hasGroups: boolean;
  /** Numbers of spatial axes that there are depthwise and separable layers for. */
  readonly depthwiseAxes: readonly number[];
}

export const KERAS: LayerLibrary = { hasGroups: true, depthwiseAxes: [1, 2] };
export const TENSORFLOW_JS: LayerLibrary = { hasGroups: false, depthwiseAxes: [2] };

const CONV = /^Conv(?:olution)?([123])D$/;

/** A convolution, by itself or within the layer that calls it for each step of a sequence. */
interface ConvLayerSpec {
  readonly axes: number;
  readonly config: JsonObject;
  readonly isWrapped: boolean;
}

function convSpec({ className, config }: LayerSpec): ConvLayerSpec | null {
  const own = CONV.exec(className)?.[1];
  if (own !== undefined) return { axes: Number(own), config, isWrapped: false };
  const wrapped = className === 'TimeDistributed' ? member(config, 'layer') : undefined;
  const inner = CONV.exec(String(member(wrapped, 'class_name')))?.[1];
  const innerConfig = member(wrapped, 'config');
  return inner === undefined || !isObject(innerConfig)
    ? null
    : { axes: Number(inner), config: innerConfig, isWrapped: true };
}

/** Why the replacement has no layers in this library; null where it has. */
export function layersObstacle(
  { spec, path }: LayerPlace,
  replacement: ConvReplacement,
  library: LayerLibrary,
): string | null {
  const conv = convSpec(spec);
  if (conv === null) return `${spec.className} cannot be written as two`;
  if (['lora_rank', 'quantization_mode'].some((field) => (member(conv.config, field) ?? null) !== null)) {
    return 'its kernel is adapted (LoRA) or quantised';
  }
  if (isSeparable(conv, replacement, library)) return null;
  if (conv.isWrapped) return 'it would become several layers, and TimeDistributed wraps one';
  if (path.length > 1 && replacement.between.norm)
    return 'BatchNorm would be put into a model within a model, whose weights are kept in one list';
  const needsGroups = replacement.halves.some(
    (half) => (half.groups > 1 || half.part === 'depthwise') && !isDepthwiseLayer(conv, half, library),
  );
  return needsGroups && !library.hasGroups ? 'TensorFlow.js has no layers for it' : null;
}

/** One SeparableConv does it: nothing stands between the halves, and they are neither grouped nor in the other order. */
function isSeparable(conv: ConvLayerSpec, { halves, between }: ConvReplacement, library: LayerLibrary): boolean {
  const [first, last] = halves;
  const isPlain = !between.norm && !between.relu && !between.bias;
  return isPlain && isDepthwiseLayer(conv, first, library) && last.groups === 1 && !last.isSpatial;
}

/** Keras's depthwise layers have one input channel a filter, and know no causal padding. */
const isDepthwiseLayer = ({ axes, config }: ConvLayerSpec, half: ConvHalf, { depthwiseAxes }: LayerLibrary): boolean =>
  half.part === 'depthwise' &&
  half.weightShape[1] === 1 &&
  depthwiseAxes.includes(axes) &&
  member(config, 'padding') !== 'causal';

/**
 * The layer that takes the place of one. Where it takes several they are put into a Sequential model of the same name:
 * so the graph around it stays as it is, and with it the order in which Keras looks for the weights of its layers. `raw`
 * is the layer's object.
 */
export function replacementLayer(
  raw: JsonObject,
  { spec }: LayerPlace,
  replacement: ConvReplacement,
  library: LayerLibrary,
): NewLayer {
  const conv = convSpec(spec);
  if (conv === null) throw new Error(`${spec.name} is no convolution.`);
  if (isSeparable(conv, replacement, library)) return separableLayer(raw, spec.name, conv, replacement);
  const parts = sequence(conv, spec.name, replacement, library);
  const layers = parts.map(({ className, config }) => ({
    ...(member(raw, 'module') === undefined ? {} : { module: 'keras.layers' }),
    class_name: className,
    config,
    ...(member(raw, 'registered_name') === undefined ? {} : { registered_name: null }),
  }));
  const trainable = member(conv.config, 'trainable') ?? true;
  const json = {
    ...raw,
    ...(member(raw, 'module') === undefined ? {} : { module: 'keras' }),
    class_name: 'Sequential',
    config: { name: spec.name, trainable, layers },
  };
  return { json, parts, isModel: true };
}

/** SeparableConv has `depth_multiplier` filters a channel, so it holds any rank. */
function separableLayer(raw: JsonObject, name: string, conv: ConvLayerSpec, replacement: ConvReplacement): NewLayer {
  const { halves } = replacement;
  const className = `SeparableConv${conv.axes}D`;
  const config = {
    ...withKernels(without(conv.config, 'groups'), ['depthwise', 'pointwise']),
    depth_multiplier: multiplierOf(halves[0]),
    use_bias: hasBias(conv, replacement),
  };
  const wrapped = member(raw, 'config');
  const inner = member(wrapped, 'layer');
  const isWrapper = conv.isWrapped && isObject(wrapped) && isObject(inner);
  const json: JsonObject = isWrapper
    ? { ...raw, config: { ...wrapped, layer: { ...inner, class_name: className, config } } }
    : { ...raw, class_name: className, config };
  const weights = [
    kernelWeight(replacement, 0, 'depthwise_kernel', true),
    kernelWeight(replacement, 1, 'pointwise_kernel', false),
    ...biasOf(conv, replacement),
  ];
  return { json, parts: [{ className: isWrapper ? 'TimeDistributed' : className, name, weights }], isModel: false };
}

interface PlainLayer extends LayerPart {
  readonly config: JsonObject;
}

/** Fields of a config that tell the shape of a model's input: only its first layer has them. */
const INPUT_SHAPE = ['batch_input_shape', 'batch_shape', 'input_shape', 'input_dtype'];

/** The halves and what stands between them as layers of their own. */
function sequence(
  conv: ConvLayerSpec,
  name: string,
  replacement: ConvReplacement,
  library: LayerLibrary,
): readonly PlainLayer[] {
  const { between, dtype, halves } = replacement;
  const { bias, norm, relu } = between;
  const [first, last] = halves;
  const settings = only(conv.config, 'trainable', 'dtype');
  const layers = [
    halfLayer(conv, replacement, 0, library, {
      ...without(conv.config, 'activity_regularizer'),
      name: `${name}_${first.part}`,
      activation: relu && !norm ? 'relu' : 'linear',
      use_bias: bias !== null,
    }),
  ];
  if (norm) {
    const axis = member(conv.config, 'data_format') === 'channels_first' ? 1 : -1;
    const layer = `${name}_batch_normalization`;
    const config = {
      name: layer,
      ...settings,
      axis,
      momentum: 0.99,
      epsilon: norm.epsilon,
      center: true,
      scale: true,
    };
    layers.push({ className: 'BatchNormalization', name: layer, config, weights: normWeights(norm, dtype) });
  }
  if (norm && relu) {
    const layer = `${name}_relu`;
    const config = { name: layer, ...settings, activation: 'relu' };
    layers.push({ className: 'Activation', name: layer, config, weights: [] });
  }
  const rest = without(conv.config, ...INPUT_SHAPE);
  const config = { ...rest, name: `${name}_${last.part}`, use_bias: hasBias(conv, replacement) };
  return [...layers, halfLayer(conv, replacement, 1, library, config)];
}

function halfLayer(
  conv: ConvLayerSpec,
  replacement: ConvReplacement,
  index: 0 | 1,
  library: LayerLibrary,
  config: JsonObject,
): PlainLayer {
  const half = replacement.halves[index];
  const { axes } = conv;
  const ones = new Array<number>(axes).fill(1);
  const window = half.isSpatial ? {} : { padding: 'valid', kernel_size: ones, strides: ones, dilation_rate: ones };
  const name = textOf(member(config, 'name')) ?? '';
  const bias = index === 0 ? newBias(replacement.between.bias, replacement.dtype) : biasOf(conv, replacement);
  if (isDepthwiseLayer(conv, half, library)) {
    const kept = withKernels(without(config, 'groups', 'filters'), ['depthwise']);
    return {
      className: `DepthwiseConv${axes}D`,
      name,
      config: { ...kept, ...window, depth_multiplier: multiplierOf(half) },
      weights: [kernelWeight(replacement, index, 'depthwise_kernel', true), ...bias],
    };
  }
  // Libraries without groups know no such field.
  const groups = half.groups > 1 || member(config, 'groups') !== undefined ? { groups: half.groups } : {};
  return {
    className: `Conv${axes}D`,
    name,
    config: { ...config, ...window, filters: half.weightShape[0] ?? 1, ...groups },
    weights: [kernelWeight(replacement, index, 'kernel', false), ...bias],
  };
}

const multiplierOf = ({ weightShape, groups }: ConvHalf): number => (weightShape[0] ?? 1) / groups;

const hasBias = ({ config }: ConvLayerSpec, { bias }: ConvReplacement): boolean =>
  bias !== null || member(config, 'use_bias') !== false;

function biasOf(conv: ConvLayerSpec, { bias, dtype }: ConvReplacement): readonly LayerWeight[] {
  if (bias) return newBias(bias, dtype);
  return member(conv.config, 'use_bias') === false ? [] : [{ kind: 'kept-bias' }];
}

const newBias = (bias: Float64Array | null, dtype: WeightType): readonly LayerWeight[] =>
  bias === null ? [] : [vectorWeight('bias', bias, dtype, true)];

/** In the order in which BatchNormalization makes them. */
const normWeights = (norm: Norm, dtype: WeightType): readonly LayerWeight[] => [
  vectorWeight('gamma', norm.scale, dtype, true),
  vectorWeight('beta', norm.shift, dtype, true),
  vectorWeight('moving_mean', norm.mean, dtype, false),
  vectorWeight('moving_variance', norm.variance, dtype, false),
];

function vectorWeight(name: string, values: Float64Array, dtype: WeightType, trainable: boolean): NewWeight {
  const shape = [values.length];
  const byteLength = byteSize(dtype, values.length);
  return { kind: 'new', name, shape, dtype, byteLength, trainable, make: () => encodeFloats(dtype, values) };
}

/** Keras has kernels as spatial…, I, O; of depthwise layers as spatial…, C, multiplier, which lies just so. */
function kernelWeight(replacement: ConvReplacement, index: 0 | 1, name: string, isDepthwise: boolean): NewWeight {
  const { halves, dtype } = replacement;
  const half = halves[index];
  const [outChannels = 1, inPerGroup = 1, ...kernel] = half.weightShape;
  const shape = isDepthwise ? [...kernel, half.groups, multiplierOf(half)] : [...kernel, inPerGroup, outChannels];
  const byteLength = byteSize(dtype, countElements(shape));
  const make = () => encodeFloats(dtype, outputsLast(weightsOf(replacement)[index], outChannels, inPerGroup));
  return { kind: 'new', name, shape, dtype, byteLength, trainable: true, make };
}

/** O, I, positions → positions, I, O. */
function outputsLast(weights: Float64Array, outChannels: number, inPerGroup: number): Float64Array {
  const positions = weights.length / (outChannels * inPerGroup);
  const moved = new Float64Array(weights.length);
  for (let from = 0; from < weights.length; from++) {
    const position = from % positions;
    const input = Math.floor(from / positions) % inPerGroup;
    const output = Math.floor(from / (positions * inPerGroup));
    moved[(position * inPerGroup + input) * outChannels + output] = weights[from] ?? 0;
  }
  return moved;
}

function only(config: JsonObject, ...fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(config).filter(([field]) => fields.includes(field)));
}

function without(config: JsonObject, ...fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(config).filter(([field]) => !fields.includes(field)));
}

/** What the config says of its kernel, said of each of these. */
function withKernels(config: JsonObject, parts: readonly string[]): JsonObject {
  return Object.fromEntries(
    Object.entries(config).flatMap(([field, value]) => {
      const role = /^kernel_(initializer|regularizer|constraint)$/.exec(field)?.[1];
      return role === undefined ? [[field, value]] : parts.map((part) => [`${part}_${role}`, value]);
    }),
  );
}
