import type { BlockSection, Layer, Rejection } from '../../audit/report.ts';

/** What a layer of each kind does, in a sentence. */
export const KIND_WORDS: Readonly<Record<Layer['kind'], string>> = {
  'standard-conv':
    'A standard convolution: each of its N filters looks at a window of k positions a side, in all M input channels.',
  'pointwise-conv': 'A pointwise convolution: its kernel is 1×1, so it mixes channels and looks at one position.',
  'depthwise-conv':
    'A depthwise convolution: every channel is filtered by itself; channels are mixed by the pointwise one that follows.',
  'grouped-conv': 'A grouped convolution: the channels fall into g groups that do not see each other.',
  'conv-transpose': 'A transposed convolution: every input element is spread over a window of the output.',
  dense: 'A dense (fully connected) layer: a matrix product with learned weights.',
  matmul: 'A matrix product of two tensors that the graph computes.',
  recurrent: 'A recurrent layer: the same gates at every step, over the input and its own last state.',
  attention: 'Attention: every query is compared with every key, and takes the values by what comes out.',
  norm: 'A normalisation: it scales and shifts; in a finished model it can often be folded into the layer before.',
  activation: 'An activation function, element by element.',
  elementwise: 'Arithmetic element by element.',
  pool: 'Pooling: a window becomes one number, channel by channel.',
  reduce: 'A reduction: one or more axes become one number.',
  reshape: 'A movement of data: no arithmetic; what it costs is reading and writing.',
  other: 'An operator that is none of the kinds above.',
};

/** What a structure is, and why it is built that way. */
export const BLOCK_WORDS: Readonly<Record<BlockSection['kind'], string>> = {
  'inverted-residual':
    'An inverted residual block (MobileNetV2): a pointwise convolution expands M channels to t·M, a depthwise one filters them, a pointwise one without an activation projects them back (the linear bottleneck). The shortcut joins the narrow ends, so that the wide tensor need not be kept.',
  'fused-inverted-residual':
    'A fused inverted residual block (EfficientNetV2): expansion and depthwise filter are one standard convolution, which uses more MACs and often less time.',
  bottleneck:
    'A bottleneck block (ResNet): a pointwise convolution narrows the channels, the k×k one runs on few of them, and a pointwise one widens them again.',
  'basic-residual':
    'A basic residual block (ResNet): two convolutions, and a shortcut around them that is added to what they give.',
  shuffle:
    'A shuffle block (ShuffleNet): grouped or split channels, shuffled so that the groups see each other in the next block.',
  fire: 'A Fire module (SqueezeNet): a pointwise squeeze, then 1×1 and 3×3 convolutions side by side, concatenated.',
  'parallel-branches': 'Parallel branches (Inception): windows of several sizes side by side, concatenated.',
  'depthwise-separable':
    'A depthwise separable pair (MobileNetV1): a depthwise convolution filters each channel, a pointwise one mixes them.',
  'squeeze-excite':
    'A squeeze-and-excite block: each channel is averaged to one number, two small layers turn these into weights, and the channels are scaled by them.',
};

/** Why a convolution is no candidate, and what could be done. */
export const REASON_WORDS: Readonly<Record<Rejection['reason'], string>> = {
  pointwise: 'It is pointwise: with k = 1 there is no window to filter apart; 1/N + 1/1 is above 1.',
  depthwise: 'It is depthwise already: it is one half of a DSC.',
  grouped: 'It is grouped: it has given up mixing its channels in part. --include has it looked at all the same.',
  stem: 'It is the stem: the first convolution, from an image of at most 4 channels. With so few channels there is little to save, and MobileNetV1 keeps its own. --include brings it back.',
  'no-saving':
    'What would replace it has as many parameters or more, or for a block as many MACs. For a DSC: 1/N + 1/k² is not below 1, or the bias makes it so.',
  transposed: 'It is transposed: its output is larger than its input, and a DSC of it is another network.',
  'dynamic-weights':
    'Its weights, or the taps of its kernel, are computed from data, or lie in an order made for one machine: there is nothing to replace.',
  excluded: 'It was excluded by name.',
  'no-block':
    'It is in no place that the strategy replaces: an inverted residual takes the place of a residual block of standard convolutions, of a bottleneck or of a fused inverted residual; a bottleneck that of two standard convolutions in a residual block, or of one by itself. Something stands between the convolutions, or what follows them cannot be had for other channels, or the file calls them twice.',
  'in-block': 'It stands in a block that the strategy leaves whole.',
};
