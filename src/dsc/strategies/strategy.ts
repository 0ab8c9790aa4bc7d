import type { ConvLayer } from '../conv-layer.ts';

/** What a convolution costs. Parameters include its bias; MACs and FLOPs are null where an extent is not known. */
export interface ConvFigures {
  readonly params: number;
  readonly macs: number | null;
  readonly flops: number | null;
  readonly weightBytes: number;
}

/** A way to replace a convolution by cheaper ones. */
export interface Strategy {
  readonly name: string;
  /** What the replacement costs. */
  after(layer: ConvLayer): ConvFigures;
  /** Elements that the replacement writes and reads again between its parts; null where an extent is not known. */
  elementsBetween(layer: ConvLayer): number | null;
}
