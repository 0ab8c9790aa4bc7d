import { addDims, type Dim, isStatic, multiplyDims, sameDim } from '../ir/dim.ts';
import { type Fact, type SequenceFact, type TensorFact, tensorFact, UNKNOWN_TENSOR } from '../ir/fact.ts';
import type { ControlAttrs } from '../ir/operators.ts';
import type { InferContext, OpFamily } from './op-def.ts';
import { commonTensor, sequenceOf } from './sequence.ts';
import { free, normaliseAxis, replaceAxis, trackedTensor } from './shape-rules.ts';

/** Which branch runs, where the model itself tells; null where that depends on data. */
export function takenBranch(condition: Fact | null | undefined): 'thenBranch' | 'elseBranch' | null {
  const element = condition?.type === 'tensor' ? condition.elements?.[0] : null;
  if (element === null || element === undefined || !isStatic(element)) return null;
  return element === 0 ? 'elseBranch' : 'thenBranch';
}

function inferIf(attrs: ControlAttrs['if'], context: InferContext): readonly Fact[] {
  const taken = takenBranch(context.inputs[0]);
  if (taken !== null) return context.inferBody(attrs[taken], []);
  const whenTrue = context.inferBody(attrs.thenBranch, []);
  const whenFalse = context.inferBody(attrs.elseBranch, []);
  return whenTrue.map((fact, index) => common(fact, whenFalse[index], branchSlot(context, whenTrue, index)));
}

/** Names for what the branches disagree about: counted through all results, so that none depends on another. */
function branchSlot(context: InferContext, results: readonly Fact[], index: number): (axis: number) => Dim {
  const before = results.slice(0, index).reduce((sum, fact) => sum + rankOf(fact), 0);
  return (axis) => context.dataDependent('branch', before + axis);
}

const rankOf = (fact: Fact): number => (fact.type === 'tensor' ? (fact.shape?.length ?? 0) : 0);

function common(left: Fact, right: Fact | undefined, differs: (axis: number) => Dim): Fact {
  if (left.type === 'tensor' && right?.type === 'tensor') return commonTensor(left, right, differs);
  if (left.type === 'sequence' && right?.type === 'sequence') {
    const length =
      left.length !== null && right.length !== null && sameDim(left.length, right.length) ? left.length : null;
    const item =
      left.length === 0 ? right.item : right.length === 0 ? left.item : commonTensor(left.item, right.item, differs);
    return { type: 'sequence', item, items: null, length };
  }
  return UNKNOWN_TENSOR;
}

/** More iterations than anybody waits for: "until the condition fails", as exporters spell it. */
const MAX_TRIP_COUNT = 2 ** 31 - 1;

/**
 * How often a loop's body runs, where that is known: the trip count is, and the condition either holds from start to
 * end, or fails at a known place. `goesOn` is what the body computes for the next iteration's condition.
 */
export function tripCount(inputs: readonly (Fact | null)[], goesOn: Fact | undefined): number | null {
  const starts = inputs[1] ? flagOf(inputs[1]) : true;
  if (starts === false) return 0;
  const count = inputs[0]?.type === 'tensor' ? (inputs[0].elements?.[0] ?? null) : null;
  if (count === null || !isStatic(count) || count > MAX_TRIP_COUNT || starts === null) return null;
  const continues = goesOn ? flagOf(goesOn) : null;
  if (continues === null) return count <= 0 ? 0 : null;
  return continues ? Math.max(0, count) : Math.min(1, Math.max(0, count));
}

function flagOf(fact: Fact): boolean | null {
  const element = fact.type === 'tensor' ? (fact.elements?.[0] ?? null) : null;
  return element !== null && isStatic(element) ? element !== 0 : null;
}

/** Rounds after which an extent that still changes from one iteration to the next is left unknown. */
const MAX_WIDENINGS = 4;

/** A carried value loses what an iteration changes, until nothing changes any more. */
function settleCarried(
  initial: readonly Fact[],
  runBody: (carried: readonly Fact[]) => readonly Fact[],
  context: InferContext,
): { readonly carried: readonly Fact[]; readonly results: readonly Fact[] } {
  let carried = initial.map(withoutElements);
  let results = runBody(carried);
  for (let round = 0; round < MAX_WIDENINGS; round++) {
    const next = carried.map((fact, index) => {
      const before = carried.slice(0, index).reduce((sum, other) => sum + rankOf(other), 0);
      return common(fact, results[index], (axis) => context.changing(before + axis));
    });
    if (next.every((fact, index) => sameFact(fact, carried[index]))) return { carried, results };
    carried = next;
    results = runBody(carried);
  }
  carried = carried.map((fact) => (fact.type === 'tensor' ? tensorFact(fact.dtype, null) : fact));
  return { carried, results: runBody(carried) };
}

function withoutElements(fact: Fact): Fact {
  return fact.type === 'tensor' ? tensorFact(fact.dtype, fact.shape) : fact;
}

function sameFact(left: Fact, right: Fact | undefined): boolean {
  if (left.type === 'sequence' || right?.type === 'sequence') {
    return left.type === 'sequence' && right?.type === 'sequence' && sameLength(left, right);
  }
  if (left.shape === null || !right?.shape) return left.shape === (right?.shape ?? null);
  const other = right.shape;
  return left.shape.length === other.length && left.shape.every((extent, axis) => sameDim(extent, other[axis] ?? -1));
}

function sameLength(left: SequenceFact, right: SequenceFact): boolean {
  if (left.length === null || right.length === null) return left.length === right.length;
  return sameDim(left.length, right.length) && sameFact(left.item, right.item);
}

function inferLoop({ body }: ControlAttrs['loop'], context: InferContext): readonly Fact[] {
  const initial = context.inputs.slice(2).map((fact) => fact ?? UNKNOWN_TENSOR);
  const iteration: Fact = tensorFact('int64', []);
  // Within the body the condition held: if the body only hands it on, it holds for ever.
  const condition: Fact = trackedTensor('bool', [], [1]);
  let goesOn: Fact | undefined;
  const { results } = settleCarried(
    initial,
    (carried) => {
      const [next, ...computed] = context.inferBody(body, [iteration, condition, ...carried]);
      goesOn = next;
      return computed;
    },
    context,
  );
  const count = tripCount(context.inputs, goesOn);
  const finals = results.slice(0, initial.length).map((fact, index) => afterLoop(fact, initial[index], count, context));
  const scanned = results.slice(initial.length).map((fact) => {
    if (fact.type !== 'tensor' || fact.shape === null) return UNKNOWN_TENSOR;
    return tensorFact(fact.dtype, [count ?? context.dataDependent('iterations'), ...fact.shape]);
  });
  return [...finals, ...scanned];
}

/** A sequence that grows by one item an iteration has as many as there were iterations. */
function afterLoop(fact: Fact, initial: Fact | undefined, count: number | null, context: InferContext): Fact {
  if (fact.type === 'tensor') return count === 0 && initial ? initial : withoutElements(fact);
  if (fact.length !== null || initial?.type !== 'sequence') return fact;
  const length: Dim | null = initial.length === null || count === null ? null : addDims(initial.length, count);
  return { ...fact, length: length ?? context.dataDependent('iterations') };
}

type ScanAttrs = ControlAttrs['scan'];

function inferScan(attrs: ScanAttrs, context: InferContext): readonly Fact[] {
  const inputs = context.inputs.map((fact) => fact ?? UNKNOWN_TENSOR);
  const states = inputs.slice(0, inputs.length - attrs.scanInputs);
  const scanned = inputs.slice(states.length);
  const lead = attrs.batched ? 1 : 0;
  const batch = attrs.batched ? leadingExtent(inputs[0]) : null;
  const slices = scanned.map((fact, index) => scanSlice(fact, scanAxis(fact, attrs.inputAxes[index] ?? 0, lead), lead));
  const { results } = settleCarried(
    states.map((state) => (attrs.batched ? dropLeading(state) : state)),
    (carried) => context.inferBody(attrs.body, [...carried, ...slices]),
    context,
  );
  const first = scanned[0];
  const length = scanLength(attrs, first) ?? context.dataDependent('steps');
  const finals = results.slice(0, states.length).map((fact) => withLeading(withoutElements(fact), batch));
  const outputs = results.slice(states.length).map((fact, index) => {
    if (fact.type !== 'tensor' || fact.shape === null) return UNKNOWN_TENSOR;
    const axis = attrs.outputAxes[index] ?? 0;
    const at = axis < 0 ? axis + fact.shape.length + 1 : axis;
    const stacked = tensorFact(fact.dtype, [...fact.shape.slice(0, at), length, ...fact.shape.slice(at)]);
    return withLeading(stacked, batch);
  });
  return [...finals, ...outputs];
}

/** How many slices a Scan runs over. */
function scanLength(attrs: ScanAttrs, first: Fact | null | undefined): Dim | null {
  if (first?.type !== 'tensor' || first.shape === null) return null;
  const axis = attrs.inputAxes[0] ?? 0;
  const lead = attrs.batched ? 1 : 0;
  return first.shape[lead + (axis < 0 ? axis + first.shape.length - lead : axis)] ?? null;
}

/** How often a Scan's body runs: once a slice, and once for each of the batch where the operator has one itself. */
export function scanRuns(attrs: ScanAttrs, first: Fact | null | undefined): Dim | null {
  const length = scanLength(attrs, first);
  if (!attrs.batched || length === null) return length;
  const batch = leadingExtent(first ?? undefined);
  return batch === null ? null : multiplyDims(length, batch);
}

function scanAxis(fact: Fact, axis: number, lead: number): number {
  const rank = fact.type === 'tensor' ? (fact.shape?.length ?? 0) : 0;
  return rank === 0 ? 0 : lead + normaliseAxis(axis, rank - lead);
}

function scanSlice(fact: Fact, axis: number, lead: number): Fact {
  if (fact.type !== 'tensor' || fact.shape === null) return UNKNOWN_TENSOR;
  return tensorFact(fact.dtype, replaceAxis(fact.shape, axis).slice(lead));
}

function leadingExtent(fact: Fact | undefined): Dim | null {
  return fact?.type === 'tensor' ? (fact.shape?.[0] ?? null) : null;
}

function dropLeading(fact: Fact): Fact {
  return fact.type === 'tensor' && fact.shape ? tensorFact(fact.dtype, fact.shape.slice(1)) : fact;
}

function withLeading(fact: Fact, extent: Dim | null): Fact {
  return extent !== null && fact.type === 'tensor' && fact.shape
    ? tensorFact(fact.dtype, [extent, ...fact.shape])
    : fact;
}

/** The body runs once an item; where items are known one by one, so are the results. */
function inferSequenceMap({ body }: ControlAttrs['sequenceMap'], context: InferContext): readonly Fact[] {
  const first = context.inputs[0];
  const differs = (axis: number) => context.dataDependent('mapped', axis);
  if (first?.type !== 'sequence') return [];
  if (first.items !== null && first.items.length > 0) {
    const runs = first.items.map((_, index) => context.inferBody(body, itemInputs(context.inputs, index)));
    return body.outputs.map((_, output) =>
      sequenceOf(
        runs.map((run) => asTensor(run[output])),
        differs,
      ),
    );
  }
  const [results, length] = [context.inferBody(body, itemInputs(context.inputs, null)), first.length];
  return results.map((fact) => ({ type: 'sequence', item: asTensor(fact), items: null, length }));
}

function itemInputs(inputs: readonly (Fact | null)[], index: number | null): readonly Fact[] {
  return inputs.map((fact) => {
    if (fact?.type !== 'sequence') return fact ?? UNKNOWN_TENSOR;
    return (index === null ? null : fact.items?.[index]) ?? fact.item;
  });
}

const asTensor = (fact: Fact | undefined): TensorFact => (fact?.type === 'tensor' ? fact : UNKNOWN_TENSOR);

/** Bodies are counted where they stand, see passes/; the operator itself computes nothing. */
export const controlOps: OpFamily<ControlAttrs> = {
  if: { kind: 'other', roles: {}, infer: inferIf, cost: free },
  loop: { kind: 'other', roles: {}, infer: inferLoop, cost: free },
  scan: { kind: 'other', roles: {}, infer: inferScan, cost: free },
  sequenceMap: { kind: 'other', roles: {}, infer: inferSequenceMap, cost: free },
};
