import { type Diagnostic, diagnostic } from '../ir/diagnostic.ts';
import { bindDim, type Dim, type DimBindings, dimKey, isStatic, symbolsOf } from '../ir/dim.ts';
import { DscAuditError } from '../ir/errors.ts';
import { type Fact, type Shape, tensorFact, UNKNOWN_TENSOR } from '../ir/fact.ts';
import type { Declared, Model, ValueId } from '../ir/graph.ts';

/** What the user says of open dimensions. */
export interface BindingRequest {
  /** Values of named dimensions, `--dim`. */
  readonly dims: ReadonlyMap<string, number>;
  /** Shapes of inputs by name, `--shape`; under the empty name that of the only input. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

export interface BoundInputs {
  /** Every name that has a value now, those of `--dim` included. */
  readonly bindings: DimBindings;
  readonly facts: ReadonlyMap<ValueId, Fact>;
  readonly diagnostics: readonly Diagnostic[];
}

/** An input that is not settled yet, for the message that says how to. */
export interface OpenInput {
  readonly name: string;
  readonly shape: Shape | null;
  /** Dimensions that have a name to bind. Others are bound by the input's whole shape. */
  readonly named: readonly string[];
}

/** Thrown while a dimension other than the batch is open. */
export class UnboundDimensions extends DscAuditError {
  readonly inputs: readonly OpenInput[];
  /** Every name that the inputs' dimensions have, bound or open. */
  readonly knownDims: readonly string[];

  constructor(inputs: readonly OpenInput[], knownDims: readonly string[]) {
    super('unbound-dimensions', describeOpen(inputs));
    this.inputs = inputs;
    this.knownDims = knownDims;
  }
}

/**
 * Settles the shapes of the graph's inputs: as the file says, as `--shape` and `--dim` say, and the batch (the first
 * dimension) as 1 where nobody says. Throws {@link UnboundDimensions}, or `invalid-option` for a binding that does not
 * fit.
 */
export function bindInputs(model: Model, request: BindingRequest): BoundInputs {
  const inputs = model.graph.inputs.map((id) => ({
    id,
    name: model.values[id]?.name ?? '',
    declared: declaredOf(model, id),
  }));
  checkNames(
    request,
    inputs.map(({ name }) => name),
  );
  const bindings = new Map(request.dims);
  const shapes = new Map<ValueId, Shape>();
  for (const { id, name, declared } of inputs) {
    const given = request.shapes.get(name) ?? (inputs.length === 1 ? request.shapes.get('') : undefined);
    if (given === undefined) continue;
    adoptShape(name, declared?.shape ?? null, given, bindings);
    shapes.set(id, given);
  }
  const diagnostics = bindBatches(inputs, shapes, bindings);
  const facts = new Map<ValueId, Fact>();
  const open: OpenInput[] = [];
  for (const { id, name, declared } of inputs) {
    const shape = shapes.get(id) ?? declared?.shape?.map((dim) => bindDim(dim, bindings)) ?? null;
    if (declared !== null && !declared.isSequence && (shape === null || !shape.every(isStatic))) {
      open.push({
        name,
        shape,
        named: (shape ?? []).flatMap(symbolsOf).filter((symbol) => !isAnonymous(symbol, name)),
      });
    }
    facts.set(id, inputFact(declared, shape));
  }
  if (open.length > 0) {
    throw new UnboundDimensions(
      open,
      inputs.flatMap(({ declared }) => (declared?.shape ?? []).flatMap(symbolsOf)),
    );
  }
  return { bindings, facts, diagnostics };
}

interface Input {
  readonly id: ValueId;
  readonly name: string;
  readonly declared: Declared | null;
}

function declaredOf(model: Model, id: ValueId): Declared | null {
  return model.values[id]?.declared ?? null;
}

function inputFact(declared: Declared | null, shape: Shape | null): Fact {
  if (declared === null && shape === null) return UNKNOWN_TENSOR;
  const tensor = tensorFact(declared?.dtype ?? null, shape);
  return declared?.isSequence ? { type: 'sequence', item: tensor, items: null, length: null } : tensor;
}

/** A dimension that the file does not name is called by its input and axis. */
const isAnonymous = (symbol: string, input: string): boolean => symbol.startsWith(`${input}:`);

function checkNames({ shapes }: BindingRequest, names: readonly string[]): void {
  for (const name of shapes.keys()) {
    if (name === '' && names.length !== 1) {
      throw new DscAuditError(
        'invalid-option',
        `--shape needs the input's name where there are several: ${names.map((input) => `--shape ${input}=…`).join(', ')}.`,
      );
    }
    if (name !== '' && !names.includes(name)) {
      throw new DscAuditError(
        'invalid-option',
        `--shape names '${name}', but the inputs are ${names.join(', ') || 'none'}.`,
      );
    }
  }
}

function adoptShape(
  name: string,
  declared: Shape | null,
  given: readonly number[],
  bindings: Map<string, number>,
): void {
  const spelt = given.join('x');
  if (declared !== null && declared.length !== given.length) {
    throw new DscAuditError(
      'invalid-option',
      `--shape ${name}=${spelt}: the input has ${declared.length} dimensions, ${declared.map(dimKey).join('x')}.`,
    );
  }
  declared?.forEach((dim, axis) => {
    const extent = given[axis] ?? 0;
    const known = isStatic(dim) ? dim : bindings.get(dimKey(dim));
    if (known !== undefined && known !== extent) {
      const what = isStatic(dim) ? `dimension ${axis} of the input` : `dimension '${dimKey(dim)}'`;
      throw new DscAuditError('invalid-option', `--shape ${name}=${spelt}: ${what} is ${known}, not ${extent}.`);
    }
    if (!isStatic(dim)) bindings.set(dimKey(dim), extent);
  });
}

function bindBatches(
  inputs: readonly Input[],
  shapes: ReadonlyMap<ValueId, Shape>,
  bindings: Map<string, number>,
): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const { id, name, declared } of inputs) {
    const batch: Dim | undefined = shapes.has(id) || declared?.isSequence ? undefined : declared?.shape?.[0];
    if (batch === undefined || isStatic(batch) || bindings.has(batch.key)) continue;
    bindings.set(batch.key, 1);
    diagnostics.push(diagnostic('batch-bound', 'info', null, { input: name, dimension: batch.key }));
  }
  return diagnostics;
}

/** Inputs that a message names. */
const MAX_NAMED = 4;

function describeOpen(inputs: readonly OpenInput[]): string {
  return inputs
    .slice(0, MAX_NAMED)
    .map(
      ({ name, shape }) =>
        `input '${name}' is ${shape === null ? 'of unknown shape' : `[${shape.map(dimKey).join(', ')}]`}`,
    )
    .join('; ');
}
