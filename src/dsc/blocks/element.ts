import type { Node, ValueId } from '../../ir/graph.ts';
import type { ConvShape } from './flow.ts';

/**
 * A stretch of the graph with one input and one output, which nothing outside looks into. Blocks are recognised from
 * chains of them.
 */
export type Element = ConvUnit | SqueezeExcite | ChannelShuffle | Branches | Plain;

interface Stretch {
  readonly input: ValueId;
  readonly output: ValueId;
  /** The steps that it is made of, ascending. */
  readonly steps: readonly number[];
}

/** A convolution with the bias, normalisation and activation that follow it. */
export interface ConvUnit extends Stretch {
  readonly type: 'conv';
  readonly node: Node;
  readonly conv: ConvShape;
  /** What follows before the next element: bias, scale, norm and layout; and the operators of a separate activation. */
  readonly affine: readonly Node[];
  readonly activation: readonly Node[];
  /** A non-linearity closes it; a linear bottleneck has none. */
  readonly activated: boolean;
}

/** Global pooling, two small dense steps, and a product with what was pooled (1709.01507). */
export interface SqueezeExcite extends Stretch {
  readonly type: 'squeeze-excite';
}

/** Channels of groups interleaved: reshape, transpose, reshape (1707.01083). */
export interface ChannelShuffle extends Stretch {
  readonly type: 'channel-shuffle';
}

/** Paths from one value that a concatenation puts side by side. */
export interface Branches extends Stretch {
  readonly type: 'branches';
  readonly paths: readonly (readonly Element[])[];
}

/** One operator of one activation: a pool, a norm or an activation by itself, a resize. */
export interface Plain extends Stretch {
  readonly type: 'plain';
}

export const stepsOf = (elements: readonly Element[]): readonly number[] =>
  elements.flatMap(({ steps }) => steps).sort((a, b) => a - b);

export const convUnitsOf = (elements: readonly Element[]): readonly ConvUnit[] =>
  elements.filter((element) => element.type === 'conv');
