import type { ValueId } from '../../../ir/graph.ts';
import { type LayerCall, UnknownInput } from '../layer-call.ts';
import { binary, clip, unary } from './activation.ts';
import { outputsFirst, PLAIN, paddingOf } from './convolution.ts';
import { channelsLast } from './data-format.ts';
import { MATMUL } from './products.ts';
import type { LayerRow, LayerRows } from './row.ts';

const MODES = ['log', 'magnitude', 'psd', 'real', 'imag', 'angle', 'stft'] as const;

/** Keras's smallest number that a logarithm is taken of. */
const EPSILON = 1e-7;

/** A Fourier transform of each frame, as convolutions of each channel with cosines and sines, which can be trained. */
const lowerStft: LayerRow = (call) => {
  const { config, input } = call;
  const last = channelsLast(call);
  const channels = call.extent(input, last ? 2 : 1);
  const rows = last ? call.transpose(input, [0, 2, 1]) : input;
  const signals = call.reshapeTo(rows, [-1, { of: rows, axis: 2 }, 1]);
  const mode = config.choice('mode', MODES, 'log');
  const real = mode === 'imag' ? null : framed(call, signals, 'real_kernel');
  const imaginary = mode === 'real' ? null : framed(call, signals, 'imag_kernel');
  const made = spectrum(call, mode, real ?? imaginary ?? signals, imaginary ?? signals);
  const apart = call.reshapeTo(made, [-1, channels, { of: made, axis: 1 }, { of: made, axis: 2 }]);
  const keepsChannels = config.flag('expand_dims', false);
  if (last)
    return keepsChannels
      ? call.transpose(apart, [0, 2, 3, 1])
      : call.reshape(call.transpose(apart, [0, 2, 1, 3]), [0, 0, -1]);
  if (keepsChannels) return apart;
  const turned = call.transpose(apart, [0, 1, 3, 2]);
  return call.reshapeTo(turned, [{ of: turned, axis: 0 }, -1, { of: turned, axis: 3 }]);
};

/** Batch × channels, frames, frequencies. */
function framed(call: LayerCall, signals: ValueId, name: string): ValueId {
  const { config } = call;
  const frame = config.count('frame_length');
  const length = config.optionalCount('fft_length') ?? 2 ** Math.ceil(Math.log2(frame));
  const step = config.optionalCount('frame_step') ?? Math.max(1, Math.floor(frame / 2));
  const kernel = call.weight(name, [frame, 1, Math.floor(length / 2) + 1], { permutation: outputsFirst(1) });
  const window = { kernel: [frame], strides: [step], dilations: [1], padding: paddingOf(call, [frame], [1]) };
  return call.node({ kind: 'conv', attrs: { ...window, ...PLAIN, groups: 1, channelsLast: true } }, signals, kernel);
}

function spectrum(call: LayerCall, mode: (typeof MODES)[number], real: ValueId, imaginary: ValueId): ValueId {
  if (mode === 'real' || mode === 'imag') return real;
  if (mode === 'stft') return call.node({ kind: 'concat', attrs: { axis: -1, operands: null } }, real, imaginary);
  if (mode === 'angle') return unary(call, 'atan', binary(call, 'div', imaginary, real));
  const power = binary(call, 'add', unary(call, 'square', real), unary(call, 'square', imaginary));
  // The density counts what lies between the first and the last frequency twice.
  if (mode === 'psd') return binary(call, 'add', power, power);
  const magnitude = unary(call, 'sqrt', clip(call, power, EPSILON, null));
  return mode === 'magnitude' ? magnitude : unary(call, 'log', clip(call, magnitude, EPSILON, null));
}

/** Magnitudes of a Fourier transform of each frame, summed in bands as the ear hears them, as decibels. */
const lowerMel: LayerRow = (call) => {
  const { config, input } = call;
  if (call.rank(input) !== 2) throw new UnknownInput('its input is no batch of signals');
  const length = config.count('fft_length', 2048);
  const half = Math.floor(length / 2);
  const centred = call.node(
    { kind: 'pad', attrs: { mode: 'reflect' } },
    input,
    call.integers([half, half]),
    null,
    call.integers([1]),
  );
  const signal = call.node({ kind: 'unsqueeze', attrs: {} }, centred, call.integers([2]));
  const step = call.integers([config.count('sequence_stride', 512)], []);
  const parts = call.node({ kind: 'stft', attrs: { oneSided: true } }, signal, step, null, call.integers([length], []));
  const sum = { fn: 'sum', keepDims: false, noopWithoutAxes: false } as const;
  const power = call.node({ kind: 'reduce', attrs: sum }, unary(call, 'square', parts), call.integers([-1]));
  const magnitude = unary(call, 'sqrt', power);
  const raised = binary(call, 'pow', magnitude, call.number(config.number('mag_exp', 2), magnitude));
  const bands = call.node({ kind: 'matmul', attrs: MATMUL }, raised, melBands(call, length));
  return call.transpose(config.flag('power_to_db', true) ? decibels(call, bands) : bands, [0, 2, 1]);
};

/** How much each frequency gives to each band: numbers of the config's, no weights. */
function melBands(call: LayerCall, length: number): ValueId {
  const { config } = call;
  const rate = config.count('sampling_rate', 16000);
  const highest = config.optionalNumber('max_freq') ?? rate / 2;
  return call.node(
    { kind: 'melWeights', attrs: { dtype: call.policy.compute } },
    call.integers([config.count('num_mel_bins', 128)], []),
    call.integers([length], []),
    call.integers([rate], []),
    call.number(config.number('min_freq', 20)),
    call.number(highest),
  );
}

/** 10·log₁₀, and nothing further below the loudest than `top_db`. */
function decibels(call: LayerCall, bands: ValueId): ValueId {
  const lowest = call.config.number('min_power', 1e-10);
  const logarithm = unary(call, 'log', clip(call, bands, lowest, null));
  const scaled = binary(call, 'mul', logarithm, call.number(10 / Math.LN10, logarithm));
  const all = { fn: 'max', keepDims: false, noopWithoutAxes: false } as const;
  const loudest = call.node({ kind: 'reduce', attrs: all }, scaled, null);
  const floor = binary(call, 'sub', loudest, call.number(call.config.number('top_db', 80), scaled));
  return call.node({ kind: 'variadic', attrs: { fn: 'max' } }, scaled, floor);
}

export const spectrogramRows: LayerRows = {
  MelSpectrogram: lowerMel,
  STFTSpectrogram: lowerStft,
};
