import { expect, it } from 'vitest';
import { LAYERS } from '../../../src/formats/keras/layers/index.ts';

/** `keras.layers` of Keras 3.15, aliases included, by hand. */
const KERAS_3 = `
  Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
  AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AdditiveAttention AlphaDropout Attention AugMix
  AutoContrast Average AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D
  BatchNormalization Bidirectional CategoryEncoding CenterCrop Concatenate
  ContrastLimitedAdaptiveHistogramEqualization Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose
  ConvLSTM1D ConvLSTM2D ConvLSTM3D Convolution1D Convolution1DTranspose Convolution2D Convolution2DTranspose
  Convolution3D Convolution3DTranspose Cropping1D Cropping2D Cropping3D CutMix Dense DepthwiseConv1D DepthwiseConv2D
  Discretization Dot Dropout ELU EinsumDense Embedding Equalization Flatten GRU GRUCell GaussianDropout GaussianNoise
  GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D GlobalAvgPool2D
  GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D GlobalMaxPooling2D
  GlobalMaxPooling3D GroupNormalization GroupQueryAttention HashedCrossing Hashing Identity InputLayer IntegerLookup
  LSTM LSTMCell LayerNormalization LeakyReLU Masking MaxNumBoundingBoxes MaxPool1D MaxPool2D MaxPool3D MaxPooling1D
  MaxPooling2D MaxPooling3D Maximum MelSpectrogram Minimum MixUp MultiHeadAttention Multiply Normalization PReLU
  Permute Pipeline RMSNormalization RNN RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter
  RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale
  RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness
  RandomShear RandomTranslation RandomZoom ReLU RepeatVector Rescaling Reshape Resizing ReversibleEmbedding
  STFTSpectrogram SeparableConv1D SeparableConv2D SeparableConvolution1D SeparableConvolution2D SimpleRNN
  SimpleRNNCell Softmax Solarization SpatialDropout1D SpatialDropout2D SpatialDropout3D SpectralNormalization
  StackedRNNCells StringLookup Subtract TernaryDense TextVectorization TimeDistributed UnitNormalization UpSampling1D
  UpSampling2D UpSampling3D Wrapper ZeroPadding1D ZeroPadding2D ZeroPadding3D
`;

/** Layers of Keras 2 that Keras 3 no longer has. */
const KERAS_2 = `
  CuDNNGRU CuDNNLSTM LocallyConnected1D LocallyConnected2D RandomHeight RandomWidth SlicingOpLambda
  SyncBatchNormalization TFOpLambda TensorFlowOpLayer ThresholdedReLU
`;

/** Code of somebody else's: what it does no config tells. */
const FOREIGN = 'Lambda TFSMLayer FlaxLayer JaxLayer TorchModuleWrapper';

const names = (text: string): readonly string[] => text.split(/\s+/).filter((name) => name !== '');

it.each([...names(KERAS_3), ...names(KERAS_2)])('%s is known', (name) => {
  expect(Object.hasOwn(LAYERS, name)).toBe(true);
});

it.each(names(FOREIGN))('%s is not', (name) => {
  expect(Object.hasOwn(LAYERS, name)).toBe(false);
});
