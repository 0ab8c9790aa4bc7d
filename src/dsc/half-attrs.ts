import type { ConvHalf } from '../formats/conv-replacement.ts';
import type { ConvAttrs } from '../ir/operators.ts';

/**
 * What a half of a replaced convolution has of the original's attributes: the depthwise half its kernel, strides, pads
 * and dilations, the pointwise half none of them. Weights of both are O, I/groups, spatial….
 */
export function halfAttrs(attrs: ConvAttrs, { groups, isSpatial }: Pick<ConvHalf, 'groups' | 'isSpatial'>): ConvAttrs {
  const window = isSpatial ? {} : NO_WINDOW;
  return { ...attrs, ...window, weightChannelsLast: false, groups };
}

const NO_WINDOW = { kernel: null, strides: [], dilations: [], padding: { mode: 'explicit', pads: [] } } as const;
