import type { ValueId } from '../../ir/graph.ts';
import type { ConvUnit } from './element.ts';

/** Structures that have a name in the field. */
export type BlockKind =
  | 'inverted-residual'
  | 'fused-inverted-residual'
  | 'bottleneck'
  | 'basic-residual'
  | 'shuffle'
  | 'fire'
  | 'parallel-branches'
  | 'depthwise-separable'
  | 'squeeze-excite';

/** What leads around a block's convolutions. */
export type Shortcut = 'identity' | 'projection';

/** A structure that was found: one input, one output, and what is between. */
export interface Block extends Structure {
  /** Places of its layers in the report, ascending. */
  readonly layers: readonly number[];
}

/** The same in terms of the flow. */
export interface Structure {
  readonly kind: BlockKind;
  readonly input: ValueId;
  readonly output: ValueId;
  /** The steps of the flow that it is made of, ascending. */
  readonly steps: readonly number[];
  /** Its convolutions in order: of a residual block those of its body. */
  readonly units: readonly ConvUnit[];
  /** Channels inside over channels that come in; null where the structure has no such width. */
  readonly expansion: number | null;
  /** The last convolution of the body has no activation. Null where that says nothing. */
  readonly linear: boolean | null;
  readonly shortcut: Shortcut | null;
  readonly squeezeExcite: boolean;
}
