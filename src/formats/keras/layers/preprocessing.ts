import type { ValueId } from '../../../ir/graph.ts';
import { numberedNames } from '../archive-weights.ts';
import { isList, member } from '../json.ts';
import type { LayerCall } from '../layer-call.ts';
import { innerLayerSpec } from '../model-config.ts';
import { binary, clip, unary } from './activation.ts';
import { channelsLast } from './data-format.ts';
import { type NumberArray, numberArray } from './number-array.ts';
import { resize, resizeTo } from './resampling.ts';
import { slice } from './reshaping.ts';
import type { LayerRow, LayerRows } from './row.ts';

/** Numbers of a config: one, lists of them, or an array that Keras 3 writes as an object. */
function arrayOf(call: LayerCall, field: string): NumberArray {
  const given = call.config.value(field);
  const array = numberArray(member(member(given, 'config'), 'value') ?? given);
  if (array === null) throw call.config.invalid(field, 'a number or a list of numbers');
  return array;
}

const literal = (call: LayerCall, { values, shape }: NumberArray): ValueId => call.numbers(values, shape);

const toCompute = (call: LayerCall, x: ValueId): ValueId =>
  call.isFloat(x) ? x : call.node({ kind: 'cast', attrs: { to: call.policy.compute } }, x);

const lowerRescaling: LayerRow = (call) => {
  const scaled = binary(call, 'mul', toCompute(call, call.input), literal(call, arrayOf(call, 'scale')));
  const offset = call.config.has('offset') ? arrayOf(call, 'offset') : null;
  return offset === null || offset.values.every((value) => value === 0)
    ? scaled
    : binary(call, 'add', scaled, literal(call, offset));
};

/** Keras's smallest denominator. */
const EPSILON = 1e-7;

/**
 * (x − mean) / max(√variance, ε), with statistics of the axes that are kept: in the config, or learned by `adapt` and
 * kept as weights, beside a count of what was seen.
 */
const lowerNormalization: LayerRow = (call) => {
  const { config } = call;
  const x = toCompute(call, call.input);
  const rank = call.rank(x);
  const axes = (config.has('axis') ? config.integers('axis') : []).map((axis) => (axis < 0 ? axis + rank : axis));
  const kept = [...axes].sort((a, b) => a - b);
  const extents = kept.map((axis) => call.extent(x, axis));
  const broadcast = Array.from({ length: rank }, (_, axis) => extents[kept.indexOf(axis)] ?? 1);
  const [mean, variance] = ['mean', 'variance'].map((name) => {
    if (!config.has(name)) return call.weight(name, extents, { frozen: true, shape: broadcast });
    const { values, shape } = arrayOf(call, name);
    // Fewer axes than are kept lie on the last of them.
    const padded = broadcast.map(() => 1);
    for (const [index, extent] of [...shape].reverse().entries()) padded[kept.at(-1 - index) ?? rank - 1] = extent;
    return call.numbers(values, shape.length > kept.length ? shape : padded);
  });
  if (!config.has('mean')) call.weight('count', [], { frozen: true, dtype: 'int64' });
  if (mean === undefined || variance === undefined) throw new Error('A normalization without statistics.');
  const deviation = clip(call, unary(call, 'sqrt', variance), EPSILON, null);
  if (config.flag('invert', false)) return binary(call, 'add', mean, binary(call, 'mul', x, deviation));
  return binary(call, 'div', binary(call, 'sub', x, mean), deviation);
};

/** The axes of height and width, of an image or of a batch of them. */
function imageAxes(call: LayerCall): readonly [height: number, width: number] {
  const behind = channelsLast(call) ? 1 : 0;
  const rank = call.rank(call.input);
  return [rank - 2 - behind, rank - 1 - behind];
}

const lowerResizing: LayerRow = (call) => {
  const { config } = call;
  const size = resizeTo([config.count('height'), config.count('width')]);
  return resize(call, call.input, config.text('interpolation', 'bilinear'), imageAxes(call), size);
};

/** The middle of the image; one that is smaller is resized. So do random crops at inference. */
const lowerCenterCrop: LayerRow = (call) => {
  const wanted = [call.config.count('height'), call.config.count('width')];
  const axes = imageAxes(call);
  const x = toCompute(call, call.input);
  const extents = axes.map((axis) => call.shape(x)[axis]);
  const starts = extents.map((extent, index) =>
    typeof extent === 'number' ? Math.floor((extent - (wanted[index] ?? 0)) / 2) : 0,
  );
  if (starts.some((start) => start < 0)) return resize(call, x, 'bilinear', axes, resizeTo(wanted));
  return slice(call, x, { axes, starts, ends: starts.map((start, index) => start + (wanted[index] ?? 0)) });
};

/** What only training does: at inference an augmentation hands on what it is given, as the numbers it computes in. */
const augmentation: LayerRow = (call) => (call.inputs.length === 1 ? toCompute(call, call.input) : call.inputs);

/** Each channel is stretched from its darkest and its brightest value to the whole range. */
const lowerAutoContrast: LayerRow = (call) => {
  const x = toCompute(call, call.input);
  const axes = call.integers(imageAxes(call));
  const extreme = (fn: 'max' | 'min') =>
    call.node({ kind: 'reduce', attrs: { fn, keepDims: true, noopWithoutAxes: false } }, x, axes);
  const [high, low] = [extreme('max'), extreme('min')];
  const ratio = binary(call, 'div', binary(call, 'sub', x, low), binary(call, 'sub', high, low));
  return clip(call, binary(call, 'mul', ratio, call.number(255, x)), 0, 255);
};

/** An element for each element, by looking it up or by searching: no MACs, and FLOPs that the data decide. */
function lookUp(call: LayerCall, x: ValueId, dtype: 'int64' | 'string' | null): ValueId {
  return call.node({ kind: 'classical', attrs: { rule: { type: 'same', dtype } } }, x);
}

const ENCODINGS = ['int', 'one_hot', 'multi_hot', 'count', 'tf_idf', 'binary', 'tf-idf'] as const;

type Encoding = (typeof ENCODINGS)[number];

const encodingOf = (call: LayerCall, fallback: Encoding): Encoding =>
  call.config.choice('output_mode', ENCODINGS, fallback);

/** Indices as rows of `depth`: each by itself, or those of the last axis together. */
function encode(call: LayerCall, indices: ValueId, encoding: Encoding, depth: () => number): ValueId {
  if (encoding === 'int') return indices;
  const rank = call.rank(indices);
  const isColumn = rank > 1 && call.shape(indices).at(-1) === 1;
  const single = isColumn ? call.node({ kind: 'squeeze', attrs: {} }, indices, call.integers([-1])) : indices;
  const rows = call.node(
    { kind: 'oneHot', attrs: { axis: -1 } },
    single,
    call.integers([depth()], []),
    call.numbers([0, 1]),
  );
  if (encoding === 'one_hot' || isColumn) return rows;
  const isFlag = encoding === 'multi_hot' || encoding === 'binary';
  const attrs = { fn: isFlag ? 'max' : 'sum', keepDims: false, noopWithoutAxes: false } as const;
  const joined = call.node({ kind: 'reduce', attrs }, rows, call.integers([-2]));
  const isWeighted = encoding === 'tf_idf' || encoding === 'tf-idf';
  return isWeighted ? binary(call, 'mul', joined, call.number(1, joined)) : joined;
}

const lowerCategoryEncoding: LayerRow = (call) => {
  const { config } = call;
  return encode(call, call.input, encodingOf(call, 'multi_hot'), () =>
    config.count(config.has('num_tokens') ? 'num_tokens' : 'max_tokens'),
  );
};

const lowerDiscretization: LayerRow = (call) => {
  const { config } = call;
  const bins = lookUp(call, call.input, 'int64');
  return encode(call, bins, encodingOf(call, 'int'), () =>
    config.has('bin_boundaries') ? config.list('bin_boundaries').length + 1 : config.count('num_bins'),
  );
};

const lowerHashing: LayerRow = (call) =>
  encode(call, lookUp(call, call.input, 'int64'), encodingOf(call, 'int'), () => call.config.count('num_bins'));

/** Two features, or more, hashed as one. */
const lowerHashedCrossing: LayerRow = (call) => {
  const [first = call.input, ...others] = call.inputs.map((id) => lookUp(call, id, 'int64'));
  const crossed = others.reduce((sum, id) => binary(call, 'add', sum, id), first);
  return encode(call, crossed, encodingOf(call, 'int'), () => call.config.count('num_bins'));
};

/** Entries of the vocabulary, those for padding and for unknown words included. */
function vocabularySize(call: LayerCall): number {
  const { config } = call;
  if (config.flag('pad_to_max_tokens', false) || !isList(config.value('vocabulary'))) return config.count('max_tokens');
  const known = new Set(config.list('vocabulary'));
  for (const token of ['oov_token', 'mask_token']) known.delete(config.value(token) ?? null);
  return known.size + config.integer('num_oov_indices', 1);
}

const lowerLookup: LayerRow = (call) => {
  const inverts = call.config.flag('invert', false);
  const found = lookUp(call, call.input, inverts && call.className === 'StringLookup' ? 'string' : 'int64');
  return encode(call, found, inverts ? 'int' : encodingOf(call, 'int'), () => vocabularySize(call));
};

/** How many words a text has, its data decide, unless the config cuts them to a length. */
const lowerTextVectorization: LayerRow = (call) => {
  const { config, input } = call;
  const texts = call.rank(input) > 1 ? call.reshape(input, [0]) : input;
  const encoding = encodingOf(call, 'int');
  const length = config.optionalCount('output_sequence_length');
  if (encoding === 'int' && length !== null) {
    const column = call.node({ kind: 'unsqueeze', attrs: {} }, texts, call.integers([1]));
    const rule = { type: 'rows', columns: [length], dtypes: ['int64'] } as const;
    return call.node({ kind: 'classical', attrs: { rule } }, column);
  }
  const [words = texts] = call.nodes({ kind: 'stringSplit', attrs: { maxSplits: null } }, [texts], 2);
  return encode(call, lookUp(call, words, 'int64'), encoding, () => vocabularySize(call));
};

/** One layer behind the other. */
const lowerPipeline: LayerRow = (call) => {
  const layers = call.config.list('layers').map((layer) => innerLayerSpec(layer, `'layers'`));
  const names = numberedNames(layers.map(({ className }) => className));
  return layers.reduce((inputs, layer, index) => call.inner(layer, `layers/${names[index]}`, inputs), call.inputs);
};

export const preprocessingRows: LayerRows = {
  AugMix: augmentation,
  AutoContrast: lowerAutoContrast,
  CategoryEncoding: lowerCategoryEncoding,
  CenterCrop: lowerCenterCrop,
  ContrastLimitedAdaptiveHistogramEqualization: (call) => lookUp(call, toCompute(call, call.input), null),
  CutMix: augmentation,
  Discretization: lowerDiscretization,
  Equalization: augmentation,
  HashedCrossing: lowerHashedCrossing,
  Hashing: lowerHashing,
  IntegerLookup: lowerLookup,
  MaxNumBoundingBoxes: augmentation,
  MixUp: augmentation,
  Normalization: lowerNormalization,
  Pipeline: lowerPipeline,
  RandAugment: augmentation,
  RandomBrightness: augmentation,
  RandomColorDegeneration: augmentation,
  RandomColorJitter: augmentation,
  RandomContrast: augmentation,
  RandomCrop: lowerCenterCrop,
  RandomElasticTransform: augmentation,
  RandomErasing: augmentation,
  RandomFlip: augmentation,
  RandomGaussianBlur: augmentation,
  RandomGrayscale: augmentation,
  RandomHeight: augmentation,
  RandomHue: augmentation,
  RandomInvert: augmentation,
  RandomPerspective: augmentation,
  RandomPosterization: augmentation,
  RandomRotation: augmentation,
  RandomSaturation: augmentation,
  RandomSharpness: augmentation,
  RandomShear: augmentation,
  RandomTranslation: augmentation,
  RandomWidth: augmentation,
  RandomZoom: augmentation,
  Rescaling: lowerRescaling,
  Resizing: lowerResizing,
  Solarization: augmentation,
  StringLookup: lowerLookup,
  TextVectorization: lowerTextVectorization,
};
