import type { BlockStrategy } from './strategy.ts';

/**
 * A pair of standard convolutions, or one by itself, becomes a bottleneck (ResNet-50, 1512.03385, section 4.1): a pointwise
 * convolution from M to N/r channels, the k×k one among these, which carries the stride, and a pointwise one to N: at
 * stride 1, h·w·(N/r)·(M + k²·N/r + N) MACs. ResNet-50 has r = 4.
 */
export const bottleneck: BlockStrategy = {
  name: 'bottleneck',
  replaces: 'block',
  ratio: { option: 'reduction', default: 4 },
  kinds: new Set(['basic-residual']),
  replacesSingle: true,
  convs: ({ inChannels, outChannels }, reduction) => {
    const inner = Math.max(1, Math.round(outChannels / reduction));
    const plain = { groups: 1, closing: 'as-first' } as const;
    return [
      { ...plain, part: 'reduce', inChannels, outChannels: inner, isSpatial: false },
      { ...plain, part: 'spatial', inChannels: inner, outChannels: inner, isSpatial: true },
      { ...plain, part: 'restore', inChannels: inner, outChannels, isSpatial: false, closing: 'as-last' },
    ];
  },
};
