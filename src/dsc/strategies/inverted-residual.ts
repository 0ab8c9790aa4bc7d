import type { BlockStrategy } from './strategy.ts';

/**
 * The convolutions of a block become an inverted residual of expansion t (MobileNetV2, 1801.04381, section 3.3): a
 * pointwise convolution from M to t·M channels, a depthwise k×k one that carries the stride, and a linear pointwise one to
 * N: at stride 1, h·w·M·t·(M + k² + N) MACs. At t = 1 there is nothing to expand. The shortcut stays.
 */
export const invertedResidual: BlockStrategy = {
  name: 'inverted-residual',
  replaces: 'block',
  ratio: { option: 'expansion', default: 6 },
  kinds: new Set(['basic-residual', 'bottleneck', 'fused-inverted-residual']),
  replacesSingle: false,
  convs: ({ inChannels, outChannels }, expansion) => {
    const inner = Math.max(1, Math.round(inChannels * expansion));
    const pointwise = { groups: 1, isSpatial: false } as const;
    return [
      ...(inner === inChannels
        ? []
        : [{ ...pointwise, part: 'expand', inChannels, outChannels: inner, closing: 'as-first' } as const]),
      {
        part: 'depthwise',
        inChannels: inner,
        outChannels: inner,
        groups: inner,
        isSpatial: true,
        closing: 'as-first',
      },
      { ...pointwise, part: 'project', inChannels: inner, outChannels, closing: 'as-last-linear' },
    ];
  },
};
