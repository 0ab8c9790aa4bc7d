/** What `bench` found out: plain data, and what its `--format json` prints. What is not known is null, never 0. */
import type { LayerKind } from '../ops/op-def.ts';
import type { Latency, ModelSection, ProfileSection, Report, ReportedDiagnostic, SCHEMA_VERSION } from './report.ts';

export interface BenchReport {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly tool: Report['tool'];
  readonly model: ModelSection;
  readonly runtime: RuntimeSection;
  /** What the projections are by; null where nothing is projected. */
  readonly profile: ProfileSection | null;
  /** Runs that the medians are over. */
  readonly runs: number;
  /** `random` where some weights are not in the file: time depends little on them. */
  readonly weights: 'file' | 'random';
  readonly totals: BenchTotals;
  /** Layers as the runtime ran them, in order. */
  readonly layers: readonly BenchLayer[];
  readonly diagnostics: readonly ReportedDiagnostic[];
}

export interface RuntimeSection {
  readonly backend: 'builtin';
  /** Of the kernels: which instructions they are made of. */
  readonly variant: 'simd128' | 'relaxed' | 'wide';
  readonly threads: number;
  /** No Winograd, no Strassen. */
  readonly exact: boolean;
  /** The most that these threads computed, in GFLOP/s: the matrix kernel on operands in the cache. */
  readonly peakGflops: number;
  /** Weights, activations and program. */
  readonly memoryBytes: number;
}

export interface Speed {
  /** The median of all runs. */
  readonly measuredMs: number;
  /** By the cost model; null where there is no profile. */
  readonly projectedMs: Latency | null;
  /** Projected over measured, less 1: −0.04 where 4 % too little was projected. */
  readonly projectionError: number | null;
  /** FLOPs, as they are counted, a nanosecond. Winograd and Strassen compute less than is counted. Null where they are not known. */
  readonly gflops: number | null;
  /**
   * `gflops` of `peakGflops`; null where the former is not known, and for a layer that runs fewer products than are counted
   * (Winograd, Strassen). With such layers in it, a whole network may pass 1.
   */
  readonly peakShare: number | null;
}

export interface BenchTotals extends Speed {
  /** Share of the layers with a projection that lie within its interval; null where none has one. */
  readonly withinInterval: number | null;
}

export interface BenchLayer extends Speed {
  /** Position of its first node among the layers of the audit. */
  readonly index: number;
  /** Of all that it computes: BatchNorm, activations and sums are part of the convolution before them. */
  readonly indices: readonly number[];
  readonly name: string;
  readonly scope: readonly string[];
  readonly op: string;
  readonly kind: LayerKind;
  readonly kernel: string;
  readonly flops: number | null;
}
