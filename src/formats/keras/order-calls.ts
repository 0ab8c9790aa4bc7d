import { DscAuditError } from '../../ir/errors.ts';
import { member } from './json.ts';
import {
  type CallConfig,
  type LayerSpec,
  type ModelSpec,
  shapeOf,
  shown,
  type TensorReference,
  tensorsOf,
} from './model-config.ts';

type KerasShape = readonly (number | null)[];

/** One call of a layer, in the place where everything that it reads is there. */
export interface PlannedCall {
  readonly spec: LayerSpec;
  readonly call: CallConfig;
  /** `layer\0call`, as references name it. */
  readonly key: string;
  readonly isInput: boolean;
  /** The shape that the file declares for an input. */
  readonly inputShape: KerasShape | null;
  /** Shapes of the results as far as the layers that read them tell; one at least. */
  readonly outputShapes: readonly (KerasShape | null)[];
}

export interface CallPlan {
  readonly calls: readonly PlannedCall[];
  readonly outputs: readonly TensorReference[];
}

const NO_CALL: CallConfig = { positional: [], named: new Map() };

/** The calls of a model, each behind what it reads. Throws `malformed-model` for a cycle. */
export function orderCalls(model: ModelSpec): CallPlan {
  return model.type === 'sequential' ? orderSequential(model) : orderFunctional(model);
}

/** Each layer on the result of the one before it. The first is an input, or says what it takes, or is given it. */
function orderSequential({ layers, name }: ModelSpec): CallPlan {
  const [first] = layers;
  if (first === undefined) throw malformed(`model '${shown(name)}' has no layers`);
  const hasInput = isInputLayer(first);
  const input: LayerSpec = hasInput
    ? first
    : { ...first, className: INPUT_LAYER, name: `${first.name}_input`, calls: [], model: null };
  const behind = hasInput ? layers.slice(1) : layers;
  const calls: PlannedCall[] = [
    {
      spec: input,
      call: NO_CALL,
      key: keyOf(input.name, 0),
      isInput: true,
      inputShape: declaredInput(input) ?? builtInput(first),
      outputShapes: [null],
    },
  ];
  let previous = reference(input.name);
  behind.forEach((spec, index) => {
    const next = behind[index + 1];
    calls.push({
      spec,
      call: { positional: [previous], named: new Map() },
      key: keyOf(spec.name, 0),
      isInput: false,
      inputShape: null,
      outputShapes: [next ? builtInput(next) : null],
    });
    previous = reference(spec.name);
  });
  return { calls, outputs: [previous] };
}

function orderFunctional({ layers, inputs, outputs, name }: ModelSpec): CallPlan {
  const handedOut = outputs ?? [];
  const entering = new Set((inputs ?? []).map(({ layer }) => layer));
  const firstCalls = firstCallNumbers(layers, handedOut);
  const shapes = toldShapes(layers);
  const planned = new Map<string, PlannedCall>();
  const bySpec = new Map(layers.map((spec) => [spec.name, spec]));
  for (const spec of layers) {
    const isInput = entering.has(spec.name) || (isInputLayer(spec) && spec.calls.length === 0);
    const calls = isInput ? [NO_CALL] : spec.calls;
    calls.forEach((call, index) => {
      const key = keyOf(spec.name, index + (firstCalls.get(spec.name) ?? 0));
      planned.set(key, {
        spec,
        call,
        key,
        isInput,
        inputShape: isInput ? declaredInput(spec) : null,
        outputShapes: shapes.get(key) ?? [null],
      });
    });
  }
  const inOrder = (inputs ?? []).map(({ layer, call }) => planned.get(keyOf(layer, call)));
  const entries = inOrder.filter((call) => call !== undefined);
  return { calls: sorted(planned, entries, bySpec, name), outputs: handedOut };
}

/**
 * The number that the first call of each layer goes by. A nested model was called once when it was made, and that call
 * is not in the file: references count from 1. Every call is read by somebody, so the largest number tells.
 */
function firstCallNumbers(
  layers: readonly LayerSpec[],
  outputs: readonly TensorReference[],
): ReadonlyMap<string, number> {
  const largest = new Map<string, number>();
  const read = layers.flatMap(({ calls }) =>
    calls.flatMap(({ positional, named }) => [...positional, ...named.values()].flatMap(tensorsOf)),
  );
  for (const { layer, call } of [...read, ...outputs]) largest.set(layer, Math.max(call, largest.get(layer) ?? 0));
  return new Map(
    layers
      .filter(({ model }) => model !== null)
      .map(({ name, calls }) => [name, Math.max(0, (largest.get(name) ?? 0) - (calls.length - 1))]),
  );
}

/** Shapes of results, as Keras 3 writes them where they are read, or as the only reader was built with. */
function toldShapes(layers: readonly LayerSpec[]): ReadonlyMap<string, (KerasShape | null)[]> {
  const shapes = new Map<string, (KerasShape | null)[]>();
  for (const spec of layers) {
    for (const { positional, named } of spec.calls) {
      const read = [...positional, ...named.values()].flatMap(tensorsOf);
      for (const { layer, call, output, shape } of read) {
        const key = keyOf(layer, call);
        const known = shapes.get(key) ?? [];
        if (output > MAX_RESULTS) continue;
        while (known.length <= output) known.push(null);
        known[output] ??= shape ?? (read.length === 1 && spec.calls.length === 1 ? builtInput(spec) : null);
        shapes.set(key, known);
      }
    }
  }
  return shapes;
}

/** Results of one call of a layer that nobody knows. */
const MAX_RESULTS = 1024;

/** Depth-first, in the file's order, without recursion: graphs are as deep as they like. */
function sorted(
  planned: ReadonlyMap<string, PlannedCall>,
  entries: readonly PlannedCall[],
  bySpec: ReadonlyMap<string, LayerSpec>,
  model: string,
): readonly PlannedCall[] {
  const done = new Set<string>();
  const open = new Set<string>();
  const order: PlannedCall[] = [];
  for (const start of [...entries, ...planned.values()]) {
    const waiting: PlannedCall[] = [start];
    for (let next = waiting.at(-1); next !== undefined; next = waiting.at(-1)) {
      const { key, spec, call } = next;
      if (done.has(key)) {
        waiting.pop();
        continue;
      }
      const missing = [...call.positional, ...call.named.values()]
        .flatMap(tensorsOf)
        .filter(({ layer, call: number }) => !done.has(keyOf(layer, number)));
      if (missing.length === 0) {
        waiting.pop();
        open.delete(key);
        done.add(key);
        order.push(next);
        continue;
      }
      open.add(key);
      for (const { layer, call: number } of missing.reverse()) {
        const needed = planned.get(keyOf(layer, number));
        if (needed === undefined) {
          const known = bySpec.get(layer)?.calls.length ?? 0;
          throw malformed(
            `layer '${shown(spec.name)}' reads call ${number} of layer '${shown(layer)}', which is called ${known} times`,
          );
        }
        if (open.has(needed.key))
          throw malformed(
            `model '${shown(model)}': layer '${shown(layer)}' needs its own result: the graph has a cycle`,
          );
        waiting.push(needed);
      }
    }
  }
  return order;
}

const INPUT_LAYER = 'InputLayer';

const isInputLayer = ({ className }: LayerSpec): boolean => className === INPUT_LAYER;

/** What an input declares, under the names that the versions of Keras have for it. */
function declaredInput({ config, model }: LayerSpec): KerasShape | null {
  const inner = model?.layers[0];
  if (inner !== undefined) return declaredInput(inner);
  const batched = shapeOf(member(config, 'batch_shape')) ?? shapeOf(member(config, 'batch_input_shape'));
  if (batched !== null) return batched;
  const unbatched = shapeOf(member(config, 'input_shape')) ?? shapeOf(member(config, 'shape'));
  return unbatched && [null, ...unbatched];
}

/** The shape that a layer was built with, where it is one. */
function builtInput({ buildConfig, model }: LayerSpec): KerasShape | null {
  const inner = model?.layers[0];
  return (
    shapeOf(member(buildConfig ?? undefined, 'input_shape')) ?? (inner === undefined ? null : declaredInput(inner))
  );
}

function reference(layer: string): TensorReference {
  return { type: 'tensor', layer, call: 0, output: 0, shape: null };
}

const keyOf = (layer: string, call: number): string => `${layer}\0${call}`;

function malformed(what: string): DscAuditError {
  return new DscAuditError('malformed-model', `${what}.`);
}
