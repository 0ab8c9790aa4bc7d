/**
 * The report: plain data that everything above reads, and what `--format json` prints. Keys are only ever added within
 * a major `schemaVersion`. Bytes, counts and milliseconds are plain numbers; what is not known is null, never 0.
 */
import type { RejectionReason } from '../dsc/eligibility.ts';
import type { Diagnostic } from '../ir/diagnostic.ts';
import type { LayerKind } from '../ops/op-def.ts';

export const SCHEMA_VERSION = '1.0';

/** An extent: a number, the name of one that depends on data, or an expression of such. */
export type ReportedDim = number | string;

/** Null where not even the number of axes is known. */
export type ReportedShape = readonly ReportedDim[] | null;

export interface Report {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly tool: { readonly name: 'dsc-audit'; readonly version: string };
  readonly model: ModelSection;
  readonly coverage: Coverage;
  readonly totals: Totals;
  readonly layers: readonly Layer[];
  readonly dsc: DscSection;
  /** The cost model behind the milliseconds; null where none was used. */
  readonly profile: ProfileSection | null;
  readonly gate: Gate;
  readonly diagnostics: readonly ReportedDiagnostic[];
}

export interface ModelSection {
  readonly name: string;
  readonly path: string;
  readonly format: 'onnx' | 'keras';
  readonly producer: string | null;
  readonly opsets: Readonly<Record<string, number>>;
  /** The file and its external data; null where a part of that is missing. */
  readonly fileBytes: number | null;
  /** What every named dimension was bound to. */
  readonly bindings: Readonly<Record<string, number>>;
  readonly inputs: readonly ReportedTensor[];
  readonly outputs: readonly ReportedTensor[];
}

export interface ReportedTensor {
  readonly name: string;
  readonly dtype: string | null;
  readonly shape: ReportedShape;
}

/** How much of the model the totals speak of. */
export interface Coverage {
  readonly nodes: number;
  /** Nodes whose MACs and FLOPs are known. While it is below `nodes`, every total is a lower bound. */
  readonly counted: number;
  readonly shapesKnown: number;
  readonly uncounted: readonly { readonly op: string; readonly layers: readonly string[] }[];
}

export interface ParameterCount {
  readonly total: number;
  readonly trainable: number;
}

/** Milliseconds with the interval that holds them. */
export interface Latency {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface Totals {
  readonly params: ParameterCount;
  readonly macs: number;
  readonly flops: number;
  readonly weightBytes: number;
  /** All activations that the graph computes, added up. */
  readonly activationBytes: number;
  /** The largest sum of activations alive at once; null where one of them has no known size. */
  readonly peakActivationBytes: number | null;
  readonly latencyMs: Latency | null;
  /** Some figures are not known, and the totals lack them. */
  readonly isLowerBound: boolean;
}

export interface Layer {
  readonly index: number;
  readonly name: string;
  readonly op: string;
  readonly kind: LayerKind;
  readonly scope: readonly string[];
  readonly inputNames: readonly string[];
  readonly inputShapes: readonly ReportedShape[];
  readonly outputNames: readonly string[];
  readonly outputShapes: readonly ReportedShape[];
  /** Null for what is no convolution. */
  readonly conv: ConvSection | null;
  readonly params: ParameterCount;
  /** Null where the operator or an extent is not known. */
  readonly macs: number | null;
  readonly flops: number | null;
  readonly weightBytes: number;
  readonly inputBytes: number | null;
  readonly outputBytes: number | null;
  /** FLOPs per byte read and written. */
  readonly intensity: number | null;
  readonly latencyMs: Latency | null;
  /** How often it runs in one run of the model: its figures are those of all runs. */
  readonly repeats: number;
}

export interface ConvSection {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** All begins, then all ends. Null where they follow from an extent that is not known. */
  readonly pads: readonly number[] | null;
  readonly groups: number;
  readonly bias: boolean;
}

/** What a layer, or the model, costs. MACs and FLOPs are null where an extent is not known. */
export interface Figures {
  readonly params: number;
  readonly macs: number | null;
  readonly flops: number | null;
  readonly weightBytes: number;
  readonly latencyMs: Latency | null;
}

export interface DscSection {
  readonly strategy: string;
  /** Ranked by MACs saved. */
  readonly candidates: readonly Candidate[];
  readonly rejected: readonly Rejection[];
  readonly projection: {
    readonly before: Figures;
    readonly after: Figures;
    /** MACs that sit in candidates. */
    readonly convertibleMacs: number;
  };
}

export interface Candidate {
  readonly layer: string;
  readonly index: number;
  /** The one layer that takes its place, as the model's format spells it: `SeparableConv2D`. Null where it takes several. */
  readonly replacement: string | null;
  readonly before: Figures;
  readonly after: Figures;
  /** How much of the weights the replacement can hold; null where they are not there, or were not looked at. */
  readonly approximation: Approximation | null;
}

/** How much of a convolution's weights a replacement of each rank holds. */
export interface Approximation {
  /** Depthwise filters a channel that the candidate's `after` is counted with. */
  readonly rank: number;
  /** Share of the weights' squared norm that this rank keeps, 0 to 1. */
  readonly energy: number;
  /** The same for ranks 1, 2, ..., up to the number of kernel positions. */
  readonly energyByRank: readonly number[];
}

export interface Rejection {
  readonly layer: string;
  readonly index: number;
  readonly reason: RejectionReason;
}

/** Where the milliseconds come from. */
export interface ProfileSection {
  readonly id: string;
  /** What ran the layers that it was fitted to. */
  readonly backend: string;
  readonly variant: string | null;
  readonly source: 'reference' | 'machine' | 'file';
  readonly threads: number;
  readonly machine: string;
  /** ISO 8601. */
  readonly calibratedAt: string;
  /** On layers that the fit never saw. */
  readonly error: { readonly medianPercent: number; readonly within10Percent: number; readonly heldOut: number };
}

export interface Gate {
  readonly status: 'pass' | 'fail';
  readonly checks: readonly GateCheck[];
}

export interface GateCheck {
  readonly metric: string;
  readonly limit: number;
  readonly actual: number | null;
  readonly status: 'pass' | 'fail';
}

/** A diagnostic with its sentence. */
export interface ReportedDiagnostic {
  readonly code: Diagnostic['code'];
  readonly severity: Diagnostic['severity'];
  readonly message: string;
  readonly layer: string | null;
  readonly args: Diagnostic['args'];
}
