/**
 * The graph's own operators: for each kind, the attributes that are left once a format's lowering has settled every
 * default. What an operator does to shapes, and what it costs, stands in ops/, under the same kinds.
 *
 * Inputs are listed in order; `?` marks one that may be left out.
 */
import type { DType } from './dtype.ts';
import type { Graph } from './graph.ts';

/** Pads as begin then end of each spatial axis, or the rule by which they follow from the input's extent. */
export type Padding =
  | { readonly mode: 'explicit'; readonly pads: readonly number[] }
  | { readonly mode: 'same-upper' | 'same-lower' | 'valid' };

/** A sliding window. Lists are by spatial axis; an empty list stands for 1 everywhere (pads: 0). */
export interface WindowAttrs {
  /** Null where it is the weight's own extent. */
  readonly kernel: readonly number[] | null;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Padding;
}

/** Type of the result: the first input's, a fixed one, or that of another input (a zero point, say). */
export type ResultType = 'same' | DType | { readonly likeInput: number };

export interface ConvAttrs extends WindowAttrs {
  readonly groups: number;
  /** Activations as N, spatial…, C; else N, C, spatial…. */
  readonly channelsLast: boolean;
  /** Weights as O, spatial…, I; else O, I, spatial…. */
  readonly weightChannelsLast: boolean;
  /** Fused into the store; null for none. */
  readonly activation: string | null;
  readonly result: ResultType;
}

export type UnaryFunction =
  | 'abs'
  | 'acos'
  | 'acosh'
  | 'asin'
  | 'asinh'
  | 'atan'
  | 'atanh'
  | 'bitwiseNot'
  | 'ceil'
  | 'celu'
  | 'cos'
  | 'cosh'
  | 'elu'
  | 'erf'
  | 'exp'
  | 'floor'
  | 'gelu'
  | 'geluTanh'
  | 'hardSigmoid'
  | 'hardSwish'
  | 'isInf'
  | 'isNaN'
  | 'leakyRelu'
  | 'log'
  | 'mish'
  | 'neg'
  | 'not'
  | 'quickGelu'
  | 'reciprocal'
  | 'relu'
  | 'relu6'
  | 'round'
  | 'rsqrt'
  | 'selu'
  | 'shrink'
  | 'sigmoid'
  | 'sign'
  | 'silu'
  | 'sin'
  | 'sinh'
  | 'softplus'
  | 'softsign'
  | 'sqrt'
  | 'square'
  | 'tan'
  | 'tanh'
  | 'thresholdedRelu';

export type BinaryFunction =
  | 'add'
  | 'and'
  | 'bitShift'
  | 'bitwiseAnd'
  | 'bitwiseOr'
  | 'bitwiseXor'
  | 'div'
  | 'equal'
  | 'greater'
  | 'greaterOrEqual'
  | 'less'
  | 'lessOrEqual'
  | 'mod'
  | 'mul'
  | 'or'
  | 'pow'
  | 'sub'
  | 'xor';

export type ReduceFunction =
  | 'l1'
  | 'l2'
  | 'logSum'
  | 'logSumExp'
  | 'max'
  | 'mean'
  | 'min'
  | 'prod'
  | 'sum'
  | 'sumSquare';

export interface ConvolutionAttrs {
  /** x, w, bias?, residual?, … quantisation parameters. */
  conv: ConvAttrs;
  /** The same with channels in blocks, as onnxruntime lays them out: shapes are as ever, elements of weights lie in another order. */
  blockedConv: ConvAttrs;
  /** x, w, bias?. Weights are C_in, C_out/groups, spatial…. `outputShape` is the spatial extent asked for. */
  convTranspose: Omit<ConvAttrs, 'result' | 'weightChannelsLast'> & {
    readonly outputPadding: readonly number[];
    readonly outputShape: readonly number[] | null;
  };
  /** x, w, offset, bias?, mask?. */
  deformConv: WindowAttrs & { readonly groups: number };
  /** x, w, bias?, state?; outputs y and the new state. A depthwise 1-D convolution over the past only. */
  causalConv: { readonly activation: string | null };
}

export interface LinearAttrs {
  /** a, b, bias?, … quantisation parameters. Batch axes broadcast. */
  matmul: {
    readonly transposeA: boolean;
    readonly transposeB: boolean;
    /** The first axis goes in front of the last, before all else (FusedMatMul's transBatch). */
    readonly rotateA: boolean;
    readonly rotateB: boolean;
    /** Scales the product. */
    readonly alpha: number;
    /** Fused behind the bias; null for none. */
    readonly activation: string | null;
    readonly result: ResultType;
  };
  /** a, b, c?, … quantisation parameters: alpha · a · b + beta · c. */
  gemm: {
    readonly transposeA: boolean;
    readonly transposeB: boolean;
    readonly alpha: number;
    readonly beta: number;
    readonly activation: string | null;
    readonly result: ResultType;
  };
  /** Operands, as the equation names them. */
  einsum: { readonly equation: string };
  /** a, packed b, scales, zero points?, group index?, bias?. */
  packedMatmul: { readonly inFeatures: number; readonly outFeatures: number };
  /** Images to columns and back: x, image shape, block shape. */
  col2im: {
    readonly strides: readonly number[];
    readonly dilations: readonly number[];
    readonly pads: readonly number[];
  };
  /** x. */
  det: Record<never, never>;
}

export type RecurrentCell = 'rnn' | 'gru' | 'lstm';

export interface RecurrentAttrs {
  /** x, w, r, bias?, sequence lengths?, initial h?, initial c?, peepholes?; outputs y?, y_h?, y_c?. */
  recurrent: {
    readonly cell: RecurrentCell;
    /** Null where it is the recurrent weight's own extent. */
    readonly hidden: number | null;
    readonly directions: 1 | 2;
    readonly batchFirst: boolean;
  };
  /**
   * x (batch, steps, then an image), w, r, bias?, initial h?, initial c?; outputs y, y_h, y_c. An LSTM whose products
   * are convolutions. Weights are spatial…, channels, 4 × filters, as Keras keeps them; the window is that of w.
   */
  convLstm: WindowAttrs & {
    readonly kernel: readonly number[];
    readonly filters: number;
    readonly channelsLast: boolean;
  };
}

export interface AttentionAttrs {
  /**
   * q, k, v, mask?, past k?, past v?, …; outputs y, present k?, present v?, scores?. Three-axis inputs hold the heads in
   * their last axis.
   */
  attention: { readonly heads: number | null; readonly keyValueHeads: number | null };
  /** q, k, v, scale?, mask?; outputs y, scores?. A query meets a key by the sum over tanh(q + k), Bahdanau's score. */
  additiveAttention: Record<never, never>;
  /** x, weights, bias?, mask?, past?, relative bias?: the projections are its own. `sizes` are those of q, k and v. */
  projectedAttention: {
    readonly heads: number;
    readonly sizes: readonly number[] | null;
    readonly result: ResultType;
  };
  /** q, k?, v?, bias?, mask?, relative bias?, past k?, past v?; packed inputs where k or v are left out. */
  multiHeadAttention: { readonly heads: number };
  /** q, k?, v?, past k?, past v?, …. */
  groupQueryAttention: { readonly heads: number; readonly keyValueHeads: number };
  /** q, k, v, state?, decay?, beta?; outputs y and the new state. */
  linearAttention: { readonly heads: number; readonly keyValueHeads: number; readonly deltaRule: boolean };
  /** x, …: the rotation of pairs of elements. */
  rotaryEmbedding: Record<never, never>;
}

export interface ElementwiseAttrs {
  unary: { readonly fn: UnaryFunction; readonly alpha: number | null; readonly beta: number | null };
  /**
   * a, b. Broadcast as NumPy does, unless `alignAxis` tells from which axis of a on b lies (operator sets before 7).
   * `truncates`: a remainder takes the dividend's sign. `left`: bits are shifted so.
   */
  binary: {
    readonly fn: BinaryFunction;
    readonly alignAxis: number | null;
    readonly truncates: boolean;
    readonly left: boolean;
  };
  /** Any number of operands. */
  variadic: { readonly fn: 'max' | 'mean' | 'min' | 'sum' };
  /** x, min?, max?. */
  clip: Record<never, never>;
  /** condition, a, b. */
  where: Record<never, never>;
  /** x. */
  cast: { readonly to: DType };
  /** x, the tensor whose type is taken. */
  castLike: Record<never, never>;
  /** x: the same bits, read as another type. */
  bitCast: { readonly to: DType };
  /** x, slope. */
  prelu: Record<never, never>;
  /** x, …: as inference runs it, the identity; outputs y, mask?. */
  dropout: { readonly mask: 'bool' | 'same' };
  /** x, bias: an activation of the sum. */
  biasActivation: { readonly fn: UnaryFunction };
  /** gate, x: an activation of the gate, times x. */
  gatedActivation: Record<never, never>;
  /** x, scale, zero point?. */
  quantize: { readonly to: DType | null };
  /** x, scale, zero point?: one for all, one for each index along the axis, or, unless 0, for each block of so many. */
  dequantize: { readonly to: DType | null; readonly axis: number; readonly blockSize: number };
  /** x; outputs y, scale, zero point. */
  dynamicQuantize: Record<never, never>;
  /** An elementwise operator on quantised operands (`operands`: which inputs are tensors of values). */
  quantizedElementwise: { readonly operands: readonly number[] };
  /** x; the same shape and type, and no arithmetic. */
  identity: Record<never, never>;
}

export interface NormAttrs {
  /** x, scale, bias, mean, variance. `channelAxis` is 1 in ONNX. */
  batchNorm: { readonly channelAxis: number; readonly training: boolean; readonly epsilon: number };
  /** x, scale, bias. */
  instanceNorm: { readonly epsilon: number };
  /** x, scale, bias. */
  groupNorm: { readonly groups: number; readonly activation: boolean; readonly epsilon: number };
  /** x, scale?, bias?; outputs y, mean?, inverse deviation?. */
  layerNorm: { readonly axis: number; readonly rms: boolean; readonly epsilon: number };
  /** x, residual, scale, bias?, second bias?; outputs y, mean?, deviation?, sum?. */
  skipLayerNorm: { readonly rms: boolean };
  /** ids, segment ids?, word, position, segment?, scale, bias, mask?: sums of embeddings, normalised. */
  embedLayerNorm: Record<never, never>;
  /** x / (bias + alpha / size · Σ x²)^beta, the sum over `size` neighbouring channels. */
  lrn: { readonly size: number; readonly alpha: number; readonly beta: number; readonly bias: number };
  lpNorm: { readonly axis: number };
  meanVarianceNorm: { readonly axes: readonly number[] };
  /** `coerces`: all axes from `axis` on are taken as one. */
  softmax: { readonly axis: number; readonly coerces: boolean; readonly log: boolean };
  hardmax: { readonly axis: number };
}

export interface PoolAttrs {
  /** `countsPadding`: an average is taken over positions in the padding too. */
  pool: WindowAttrs & {
    readonly fn: 'average' | 'lp' | 'max';
    readonly ceil: boolean;
    readonly channelsLast: boolean;
    readonly countsPadding: boolean;
  };
  /** Output position i of n sees the input from ⌊i·in/n⌋ to ⌈(i + 1)·in/n⌉, along each spatial axis. */
  adaptivePool: {
    readonly fn: 'average' | 'max';
    readonly extents: readonly number[];
    readonly channelsLast: boolean;
  };
  globalPool: { readonly fn: 'average' | 'lp' | 'max'; readonly channelsLast: boolean };
  /** x, indices, output shape?. */
  maxUnpool: WindowAttrs;
  /** x, regions. */
  roiPool: { readonly pooled: readonly number[] };
  /** x, regions, batch indices. */
  roiAlign: { readonly height: number; readonly width: number; readonly samples: number };
}

export interface ReduceAttrs {
  /** x, axes?. Without axes all are reduced, unless `noopWithoutAxes`. */
  reduce: { readonly fn: ReduceFunction; readonly keepDims: boolean; readonly noopWithoutAxes: boolean };
  /** The position of the first extreme, or of the last. */
  argReduce: {
    readonly fn: 'max' | 'min';
    readonly axis: number;
    readonly keepDims: boolean;
    readonly selectsLast: boolean;
  };
  /** x, axis. */
  cumulate: { readonly fn: 'prod' | 'sum'; readonly exclusive: boolean; readonly reverse: boolean };
  /** x, k; outputs values, indices. */
  topK: { readonly axis: number };
  /** scores, labels, weights?; outputs loss, log probabilities?. */
  classificationLoss: { readonly reduction: 'mean' | 'none' | 'sum'; readonly softmax: boolean };
}

/** Another shape, or order of axes, for the same elements. */
export interface LayoutAttrs {
  /** x, shape. `zeroCopies`: a 0 takes the input's extent. */
  reshape: { readonly zeroCopies: boolean };
  flatten: { readonly axis: number };
  /** Null reverses the axes. */
  transpose: { readonly permutation: readonly number[] | null };
  /** x, axes?. */
  squeeze: Record<never, never>;
  /** x, axes. */
  unsqueeze: Record<never, never>;
}

export interface MovementAttrs {
  /** `operands`: which inputs are joined; null for all. */
  concat: { readonly axis: number; readonly operands: readonly number[] | null };
  /** x, lengths?. `parts` where the lengths are left out and equal. */
  split: { readonly axis: number; readonly parts: number | null };
  /** x, starts, ends, axes?, steps?. */
  slice: Record<never, never>;
  /** x, pads, value?, axes?. */
  pad: { readonly mode: string };
  /** x, shape. */
  expand: Record<never, never>;
  /** x, repeats. */
  tile: Record<never, never>;
  /** x, repeats, axis: both scalars (operator sets before 6). */
  tileAxis: Record<never, never>;
  /** x, shape. */
  centerCropPad: { readonly axes: readonly number[] | null };
  /** past, update, write indices?. */
  tensorScatter: Record<never, never>;
  /** `depthFirst`: channels are blocks of positions, each with all output channels; else output channels with a block each. */
  depthToSpace: { readonly block: number; readonly depthFirst: boolean };
  /** N, C, … to whole blocks of channels. `channelsLast`: of what has no blocks. */
  blockChannels: { readonly block: number; readonly channelsLast: boolean };
  /** The way back: without the channels that fill the last block. */
  unblockChannels: { readonly channels: number; readonly channelsLast: boolean };
  spaceToDepth: { readonly block: number };
  /** x, lengths. */
  reverseSequence: Record<never, never>;
  /** x, k?. */
  trilu: { readonly upper: boolean };
}

/** Elements that are picked, or placed, by index or by value. */
export interface IndexingAttrs {
  /** x, indices. */
  gather: { readonly axis: number };
  /** x, indices. */
  gatherElements: { readonly axis: number };
  /** x, indices. */
  gatherND: { readonly batchDims: number };
  /** x, indices, updates. */
  scatterElements: { readonly axis: number; readonly adds: boolean };
  /** x, indices, updates. */
  scatterND: { readonly adds: boolean };
  /** x, condition. */
  compress: { readonly axis: number | null };
  /** indices, depth, values. */
  oneHot: { readonly axis: number };
  nonZero: Record<never, never>;
  /** x; outputs values, first indices?, inverse?, counts?. */
  unique: { readonly axis: number | null };
}

export interface ResampleAttrs {
  /** x, scales?, sizes?. `policy` for sizes that keep the aspect ratio. */
  resize: {
    readonly mode: 'cubic' | 'linear' | 'nearest';
    readonly axes: readonly number[] | null;
    readonly policy: 'not_larger' | 'not_smaller' | 'stretch';
    /** Where an output position lies in the input, and which neighbour is nearest; as ONNX spells them. */
    readonly coordinates: string;
    readonly nearest: string;
    /** a of the cubic weights (Keys, 1981). */
    readonly cubicCoefficient: number;
    /** Of a cubic: positions outside weigh nothing; else they repeat the edge. */
    readonly excludesOutside: boolean;
    /** Of an image that shrinks: every input element counts, not only the neighbours. */
    readonly antialiases: boolean;
  };
  /** x, grid. */
  gridSample: { readonly mode: 'cubic' | 'linear' | 'nearest' };
  /** theta, size. */
  affineGrid: Record<never, never>;
}

export interface GenerateAttrs {
  shape: { readonly start: number; readonly end: number | null };
  size: Record<never, never>;
  /** shape. */
  constantOfShape: { readonly dtype: DType; readonly value: number | null };
  /** start, limit, step. */
  range: Record<never, never>;
  /** x. */
  eyeLike: { readonly dtype: DType | null };
  /** Random values of a given shape. */
  random: { readonly dtype: DType; readonly shape: readonly number[] };
  /** x: random values of its shape. */
  randomLike: { readonly dtype: DType | null };
  /** x: class probabilities. */
  multinomial: { readonly dtype: DType; readonly samples: number };
  /** size. */
  window: { readonly dtype: DType };
  /** bins, dft length, …. */
  melWeights: { readonly dtype: DType };
}

export interface ControlAttrs {
  /** condition. */
  if: { readonly thenBranch: Graph; readonly elseBranch: Graph };
  /** trip count?, condition?, carried values…. */
  loop: { readonly body: Graph };
  /** initial states…, scanned inputs…. `axes`: which axis is scanned; `batched`: opset 8, with a batch axis in front. */
  scan: {
    readonly body: Graph;
    readonly scanInputs: number;
    readonly inputAxes: readonly number[];
    readonly outputAxes: readonly number[];
    readonly batched: boolean;
  };
  /** sequence, further sequences or tensors…. */
  sequenceMap: { readonly body: Graph };
}

export interface SequenceAttrs {
  sequenceConstruct: Record<never, never>;
  sequenceEmpty: { readonly dtype: DType };
  /** sequence, tensor, position?. */
  sequenceInsert: Record<never, never>;
  /** sequence, position?. */
  sequenceErase: Record<never, never>;
  /** sequence, position. */
  sequenceAt: Record<never, never>;
  sequenceLength: Record<never, never>;
  /** x, lengths?. */
  splitToSequence: { readonly axis: number; readonly keepDims: boolean };
  concatFromSequence: { readonly axis: number; readonly newAxis: boolean };
  /** x?. An optional is what it holds. */
  optional: Record<never, never>;
  /** x?. */
  optionalHasElement: Record<never, never>;
}

export interface SignalAttrs {
  /** x, length?, axis?. `axis` where the operator holds it itself. */
  dft: { readonly axis: number | null; readonly inverse: boolean; readonly oneSided: boolean };
  /** signal, step, window?, frame length?. */
  stft: { readonly oneSided: boolean };
}

export interface TextAttrs {
  /** a, b. */
  stringConcat: Record<never, never>;
  /** x; outputs substrings, counts. */
  stringSplit: { readonly maxSplits: number | null };
  stringNormalize: { readonly removesWords: boolean };
  regexMatch: Record<never, never>;
  tfIdf: { readonly length: number };
  /** Encoded bytes. */
  imageDecode: { readonly channels: number };
}

export interface DetectionAttrs {
  /** boxes, scores, …. */
  nonMaxSuppression: Record<never, never>;
}

/** Shapes that follow the input's own, by rule. */
export type ClassicalRule =
  | { readonly type: 'same'; readonly dtype: DType | null }
  | { readonly type: 'rows'; readonly columns: readonly (number | null)[]; readonly dtypes: readonly (DType | null)[] }
  | { readonly type: 'append'; readonly extent: number }
  | { readonly type: 'unknown' };

export interface ClassicalAttrs {
  /** An operator of classical machine learning (`ai.onnx.ml`): known, and not counted. */
  classical: { readonly rule: ClassicalRule };
}

export interface TrainingAttrs {
  /** rate, step, then groups of `tensors` (parameters, gradients, states); outputs parameters and states anew. */
  optimizerStep: { readonly statesPerTensor: number; readonly flopsPerElement: number };
  /** Known, and of unknown cost: it differentiates a part of the graph. */
  gradient: Record<never, never>;
}

export interface UnknownAttrs {
  /** An operator that nobody taught us. */
  unknown: Record<never, never>;
}

export interface OpAttrs
  extends ConvolutionAttrs,
    LinearAttrs,
    RecurrentAttrs,
    AttentionAttrs,
    ElementwiseAttrs,
    NormAttrs,
    PoolAttrs,
    ReduceAttrs,
    LayoutAttrs,
    MovementAttrs,
    IndexingAttrs,
    ResampleAttrs,
    GenerateAttrs,
    ControlAttrs,
    SequenceAttrs,
    SignalAttrs,
    TextAttrs,
    DetectionAttrs,
    ClassicalAttrs,
    TrainingAttrs,
    UnknownAttrs {}

export type OpKind = keyof OpAttrs;

/** An operator with its attributes, on no inputs yet. */
export type Operator = { [K in OpKind]: { readonly kind: K; readonly attrs: OpAttrs[K] } }[OpKind];
