/** Ordinary trouble in a model, as data: the sentence is made late. */
export interface DiagnosticOf<C extends DiagnosticCode> {
  readonly code: C;
  readonly severity: Severity;
  /** The layer's name; null where it concerns the model. */
  readonly layer: string | null;
  readonly args: DiagnosticArgs[C];
}

export type Diagnostic = { [C in DiagnosticCode]: DiagnosticOf<C> }[DiagnosticCode];

export type Severity = 'info' | 'warning';

export type DiagnosticCode = keyof DiagnosticArgs;

export interface DiagnosticArgs {
  /** `isNamed`: an entry of the configuration matches the model, and sets none either. */
  'no-budgets': { readonly configuration: string; readonly isNamed: boolean };
  'batch-bound': { readonly input: string; readonly dimension: string };
  'data-dependent': { readonly dimension: string; readonly op: string };
  'unknown-operator': { readonly op: string };
  'shape-unknown': { readonly op: string; readonly reason: string };
  'shape-contradicted': { readonly tensor: string; readonly declared: string; readonly inferred: string };
  'external-data-missing': { readonly file: string; readonly tensors: number };
  'blocked-layout': { readonly block: number };
  'not-sorted': { readonly nodes: number };
  'dead-nodes': { readonly nodes: number; readonly names: readonly string[] };
  'unused-initializers': { readonly tensors: number; readonly names: readonly string[] };
  'branch-counted': { readonly branch: string; readonly macs: number; readonly otherMacs: number };
  'branch-unclear': { readonly op: string };
  'folding-stopped': { readonly elements: number; readonly hint: string };
  'trip-count-unknown': { readonly op: string };
  'loop-counted': { readonly op: string; readonly iterations: number };
  'unused-binding': { readonly name: string };
  'unmatched-pattern': { readonly option: string; readonly pattern: string };
  'rank-beyond-exact': {
    readonly rank: number;
    readonly highest: number;
    readonly layers: number;
    readonly names: readonly string[];
  };
  'slower-rewrite': { readonly beforeMs: number; readonly afterMs: number };
  'reference-profile': { readonly machine: string };
  'profile-refused': { readonly path: string; readonly reason: string };
  'profile-of-other-runtime': { readonly id: string; readonly calibratedAt: string };
  'profile-without-threads': { readonly id: string; readonly threads: number; readonly known: readonly number[] };
  'latency-unknown': { readonly op: string; readonly reason: string };
  'latency-not-measured': { readonly layers: number; readonly names: readonly string[] };
  'latency-extrapolated': { readonly layers: number; readonly names: readonly string[] };
}

export function diagnostic<C extends DiagnosticCode>(
  code: C,
  severity: Severity,
  layer: string | null,
  args: DiagnosticArgs[C],
): DiagnosticOf<C> {
  return { code, severity, layer, args };
}
