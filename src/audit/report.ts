/**
 * The report: plain data that everything above reads, and what `--format json` prints. Keys are only ever added within
 * a major `schemaVersion`. Bytes, counts and milliseconds are plain numbers; what is not known is null, never 0.
 */
import type { BlockKind, Shortcut } from '../dsc/blocks/index.ts';
import type { RejectionReason } from '../dsc/eligibility.ts';
import type { NewConv, StrategyName } from '../dsc/strategies/strategy.ts';
import type { Diagnostic } from '../ir/diagnostic.ts';
import type { FigureUnit } from '../ir/quantity.ts';
import type { Bound, Roofline } from '../latency/roofline.ts';
import type { LayerKind } from '../ops/op-def.ts';

export type { Bound, FigureUnit, Roofline };

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
  /** Null where an activation has no known size. */
  readonly memory: MemorySection | null;
  readonly dsc: DscSection;
  /** Every strategy side by side; null where nobody asked. */
  readonly strategies: StrategiesSection | null;
  /** Structures that have a name, in the model's order; no layer is in two of them. */
  readonly blocks: readonly BlockSection[];
  /** What was asked of the model's widths and resolution; null where the report is of the model as it is. */
  readonly scaling: ScalingSection | null;
  /** What training costs on top; null where nobody asked. */
  readonly training: TrainingSection | null;
  /** The cost model behind the milliseconds; null where none was used. */
  readonly profile: ProfileSection | null;
  readonly gate: Gate;
  /** What changed against a baseline; null where none was given. */
  readonly baseline: Comparison | null;
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
  /** The latency of some layers is not known, and the total lacks it. */
  readonly isLatencyLowerBound: boolean;
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
  /**
   * Which side of the roofline's ridge the intensity lies on; null where the profile tells no roofline, and for what takes no
   * time of its own: fused into a layer beside it, it moves no bytes.
   */
  readonly bound: Bound | null;
  /** What the profile's backend runs it with; null without a profile, and for what takes no time of its own. */
  readonly kernel: string | null;
  readonly latencyMs: Latency | null;
  /** How often it runs in one run of the model: its figures are those of all runs. */
  readonly repeats: number;
}

/** How the activations' memory goes up and down in one run. */
export interface MemorySection {
  /** The layers of the model's own graph, in its order; a layer with a body has the body's peak on top. */
  readonly schedule: readonly { readonly layer: string; readonly index: number; readonly bytes: number }[];
  /** Peaks of other ways to run it; null where nobody asked. */
  readonly plans: MemoryPlans | null;
}

/** Peak activation memory, in bytes. */
export interface MemoryPlans {
  readonly modelOrderBytes: number;
  /** In the best order that was found; null for a graph too large to look through. */
  readonly bestOrderBytes: number | null;
  /** In the model's order, with every inverted residual in slices, as MobileNetV2's paper runs it. */
  readonly slicedBlocksBytes: number;
  /** How many blocks those are. */
  readonly slicedBlocks: number;
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

/** A residual block, a depthwise separable pair and the like, with what its layers cost together. */
export interface BlockSection {
  readonly kind: BlockKind;
  /** The module that holds it, or its first convolution. */
  readonly name: string;
  /** Indices of its layers. */
  readonly layers: readonly number[];
  readonly inChannels: number | null;
  readonly outChannels: number | null;
  /** Channels inside over channels outside: t of an inverted residual, below 1 for a bottleneck; null for other kinds. */
  readonly expansion: number | null;
  /** The last convolution of the body has no activation; null where that says nothing. */
  readonly linear: boolean | null;
  readonly shortcut: Shortcut | null;
  readonly squeezeExcite: boolean;
  readonly params: number;
  /** Null where a layer's are not known. */
  readonly macs: number | null;
  readonly flops: number | null;
}

/** What a layer, or the model, costs. MACs and FLOPs are null where an extent is not known. */
export interface Figures {
  readonly params: number;
  readonly macs: number | null;
  readonly flops: number | null;
  readonly weightBytes: number;
  readonly latencyMs: Latency | null;
}

/** What the model costs. */
export interface ModelFigures extends Figures {
  /** Null where an activation has no known size, or what is replaced cannot be laid out. */
  readonly peakActivationBytes: number | null;
}

/** What a strategy leaves open, by the name of its option: the expansion t, the reduction r. */
export interface StrategyRatio {
  readonly option: 'expansion' | 'reduction';
  readonly value: number;
}

export interface DscSection {
  readonly strategy: StrategyName;
  /** Null for strategies that leave nothing open. */
  readonly ratio: StrategyRatio | null;
  /** Ranked by MACs saved. */
  readonly candidates: readonly Candidate[];
  readonly rejected: readonly Rejection[];
  readonly projection: {
    readonly before: ModelFigures;
    /** With every recommended candidate replaced. */
    readonly after: ModelFigures;
    /** MACs that sit in candidates. */
    readonly convertibleMacs: number;
  };
  /** How the loss grows with what is saved, ranks chosen freely; null where no candidate's weights were looked at. */
  readonly curve: readonly CurvePoint[] | null;
}

/** The least loss at which so many MACs are saved. */
export interface CurvePoint {
  /** MACs saved. */
  readonly macs: number;
  /** Sum over the replaced layers of the share of energy that is lost. */
  readonly loss: number;
  /** Layers that are replaced. */
  readonly layers: number;
}

/** One step of training: a run forward, its gradients, and what an optimiser keeps. Bytes at the batch of the report. */
export interface TrainingSection {
  /** The first extent of the model's first input. */
  readonly batch: number | null;
  /** Null where a layer's products are not known. */
  readonly macs: { readonly forward: number | null; readonly backward: number | null };
  readonly trainable: number;
  readonly weightBytes: number;
  readonly gradientBytes: number;
  /** What optimisers keep, in float32: nothing, a velocity, two moments an element. */
  readonly optimizerBytes: { readonly sgd: number; readonly momentum: number; readonly adam: number };
  /** Activations that the gradients are computed from; null where one has no known size. */
  readonly activationBytes: number | null;
}

/** All other sections speak of the scaled model; here is what the model was before. */
export interface ScalingSection {
  /** α: what every number of channels was multiplied by. */
  readonly width: number | null;
  /** How scaled channels became whole. */
  readonly rounding: '8' | 'none' | null;
  /** Height and width of the input image. */
  readonly resolution: number | null;
  readonly original: DscSection['projection'] & { readonly peakActivationBytes: number | null };
}

export interface Candidate {
  readonly layer: string;
  readonly index: number;
  /** Indices of all layers that it takes the place of: `index` alone, or the convolutions, norms and activations of a block. */
  readonly layers: readonly number[];
  /** The convolutions that come instead, in order. */
  readonly becomes: readonly NewConvSection[];
  /** The one layer that takes its place, as the model's format spells it: `SeparableConv2D`. Null where it takes several. */
  readonly replacement: string | null;
  readonly before: Figures;
  readonly after: Figures;
  /** FLOPs per byte read and written, as it is and as a DSC: what lies between the halves is written and read once. */
  readonly intensity: { readonly before: number | null; readonly after: number | null };
  /** What holds both up, by those intensities. */
  readonly bound: { readonly before: Bound | null; readonly after: Bound | null };
  /** It is in the projection: false where the replacement would be slower. */
  readonly recommended: boolean;
  /** How much of the weights the replacement can hold; null where they are not there, or were not looked at. */
  readonly approximation: Approximation | null;
}

/** A convolution of a replacement. */
export interface NewConvSection extends ConvSection {
  readonly part: NewConv['part'];
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
  /** The place that was counted and saves nothing, told with the first of its convolutions; else left out. */
  readonly block?: Pick<Candidate, 'layers' | 'becomes' | 'before' | 'after'>;
}

/** The figures that strategies are compared by. */
export type ComparedMetric = 'params' | 'macs' | 'flops' | 'weightBytes' | 'latencyMs' | 'peakActivationBytes';

/** The name of the strategy that leaves least of each figure; null where none saves, or it is not known. */
export type BestStrategies = Readonly<Record<ComparedMetric, StrategyName | null>>;

/** Every strategy side by side. */
export interface StrategiesSection {
  readonly before: ModelFigures;
  /** The model under each strategy, every recommended candidate replaced. */
  readonly model: readonly StrategyFigures[];
  readonly best: BestStrategies;
  /** Blocks, and convolutions in none, that any strategy has a candidate in; in the model's order. */
  readonly places: readonly ComparedPlace[];
}

export interface StrategyFigures {
  readonly strategy: StrategyName;
  readonly ratio: StrategyRatio | null;
  readonly candidates: number;
  readonly after: ModelFigures;
}

/** A block, or a convolution that is in none, under each strategy. */
export interface ComparedPlace {
  readonly name: string;
  /** Null for a convolution that is in no block. */
  readonly kind: BlockKind | null;
  readonly layers: readonly number[];
  readonly before: Figures;
  readonly after: readonly PlaceUnderStrategy[];
  readonly best: Omit<BestStrategies, 'peakActivationBytes'>;
}

export interface PlaceUnderStrategy {
  readonly strategy: StrategyName;
  /** With its candidates here replaced, or the block as it was counted and turned down; null where it has nothing to say. */
  readonly figures: Figures | null;
  /** Candidates here; 0 where it was turned down. */
  readonly candidates: number;
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
  /** What the machine reaches at most; null or left out where the profile does not tell. */
  readonly roofline?: Roofline | null;
  /** On layers that the fit never saw. */
  readonly error: { readonly medianPercent: number; readonly within10Percent: number; readonly heldOut: number };
}

export interface Gate {
  /** `fail` where a check of severity `error` failed. */
  readonly status: 'pass' | 'fail';
  readonly checks: readonly GateCheck[];
}

export interface GateCheck {
  readonly metric: string;
  /** What is held against the limit: the figure itself, or by how much it grew over the baseline. */
  readonly kind: 'total' | 'increase';
  readonly unit: FigureUnit;
  readonly limit: number;
  /** Null where it is not known: the check fails. */
  readonly actual: number | null;
  /** The actual figure lacks something: it can fail the check, and cannot pass it. */
  readonly isLowerBound: boolean;
  readonly status: 'pass' | 'fail';
  /** A failed check of severity `warn` is told, and fails nothing. */
  readonly severity: 'error' | 'warn';
  /** Why the figure is not known, or not whole; null where it is. */
  readonly reason: string | null;
}

/** Two models side by side. */
export interface Comparison {
  readonly before: ComparedModel;
  readonly after: ComparedModel;
  readonly change: RelativeChange;
  /** How many layers of each kind there are. A renamed layer is the same under another name. */
  readonly counts: Readonly<Record<LayerChange['status'] | 'renamed' | 'unchanged', number>>;
  /** What was added, removed and changed, in the order of the model after; what was removed stands where it stood. */
  readonly layers: readonly LayerChange[];
}

export interface ComparedModel {
  readonly name: string;
  readonly path: string;
  readonly fileBytes: number | null;
  readonly totals: Totals;
}

/** Differences as fractions of the figure before: -0.41. Null where one is not known, or where there was nothing before. */
export type RelativeChange = Readonly<
  Record<
    'params' | 'macs' | 'flops' | 'weightBytes' | 'activationBytes' | 'peakActivationBytes' | 'fileBytes' | 'latencyMs',
    number | null
  >
>;

export interface LayerChange {
  readonly status: 'added' | 'removed' | 'changed';
  /** The layer's name; null where it was not there. */
  readonly before: string | null;
  readonly after: string | null;
  readonly op: string;
  /** What differs in a changed layer. */
  readonly differences: readonly LayerDifference[];
  readonly params: BeforeAfter;
  readonly macs: BeforeAfter;
}

export type LayerDifference = 'name' | 'op' | 'conv' | 'inputs' | 'outputs' | 'params' | 'macs';

/** Null where there is no such layer, or where its figure is not known. */
export interface BeforeAfter {
  readonly before: number | null;
  readonly after: number | null;
}

/** A diagnostic with its sentence. */
export interface ReportedDiagnostic {
  readonly code: Diagnostic['code'];
  readonly severity: Diagnostic['severity'];
  readonly message: string;
  readonly layer: string | null;
  readonly args: Diagnostic['args'];
}
