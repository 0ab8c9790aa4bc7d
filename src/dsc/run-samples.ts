import type { Samples } from '../formats/samples/read-samples.ts';
import type { DimBindings } from '../ir/dim.ts';
import { DscAuditError } from '../ir/errors.ts';
import type { Fact } from '../ir/fact.ts';
import type { Model, ValueId } from '../ir/graph.ts';
import { inferFacts } from '../passes/infer-facts.ts';
import { analysedModel, type Network, type Runtime } from '../runtime/index.ts';

/** What a model's inputs are settled to. */
export interface SettledInputs {
  readonly facts: ReadonlyMap<ValueId, Fact>;
  readonly bindings: DimBindings;
  readonly dims: DimBindings;
}

/** Values that are wanted of a model. */
export interface Wanted {
  readonly model: Model;
  readonly values: readonly ValueId[];
}

/**
 * Runs models side by side over every item, and hands over the wanted values of each, one item at a time. Throws
 * `cannot-run` for a model that the runtime cannot run.
 */
export async function runSamples(
  runtime: Runtime,
  settled: SettledInputs,
  samples: Samples,
  wanted: readonly Wanted[],
  visit: (item: number, values: readonly (readonly Float32Array[])[]) => void,
): Promise<void> {
  const networks: Network[] = [];
  try {
    for (const { model, values } of wanted) networks.push(await runtime.load(analysed(model, values, settled)));
    const [first] = networks;
    const batch = first?.inputs[0]?.shape[0] ?? 1;
    for (let start = 0; start < samples.count; start += batch) {
      const inputs = batchOf(networks, samples, start, batch);
      const results = networks.map((network) => network.run(inputs));
      for (let item = start; item < Math.min(start + batch, samples.count); item++) {
        visit(
          item,
          wanted.map(({ model, values }, index) =>
            values.map((id) => {
              const tensor = model.graph.inputs.includes(id)
                ? inputs[model.values[id]?.name ?? '']
                : results[index]?.[nameOf(id)];
              return itemOf(tensor?.data ?? new Float32Array(0), item - start, batch);
            }),
          ),
        );
      }
    }
  } finally {
    for (const network of networks) await network.close();
  }
}

const nameOf = (id: ValueId): string => `value ${id}`;

/** The model with the wanted values as its outputs, under names of their own: those of the file need not differ. */
function analysed(model: Model, wanted: readonly ValueId[], { facts, bindings, dims }: SettledInputs) {
  const outputs = [...new Set(wanted)].filter((id) => !model.graph.inputs.includes(id));
  const values = [...model.values];
  for (const id of outputs) {
    const value = values[id];
    if (value) values[id] = { ...value, name: nameOf(id) };
  }
  const changed: Model = { ...model, values, graph: { ...model.graph, outputs } };
  return analysedModel(changed, inferFacts(changed, facts, bindings, dims));
}

/** The next items; the last batch is filled up with its last item. */
function batchOf(networks: readonly Network[], { count, inputs }: Samples, start: number, batch: number) {
  const described = networks[0]?.inputs ?? [];
  return Object.fromEntries(
    described.map(({ name, shape }) => {
      const all = inputs.get(name);
      if (!all) throw new DscAuditError('wrong-input', `there are no samples for the input '${name}'.`);
      if (shape[0] !== batch) {
        throw new DscAuditError('wrong-input', `the input '${name}' has no batch axis of ${batch} in front.`);
      }
      const length = all.length / count;
      const data = new Float32Array(length * batch);
      for (let item = 0; item < batch; item++) {
        const from = Math.min(start + item, count - 1) * length;
        data.set(all.subarray(from, from + length), item * length);
      }
      return [name, { shape, data }];
    }),
  );
}

function itemOf(data: Float32Array, item: number, batch: number): Float32Array {
  const length = Math.floor(data.length / batch);
  return data.subarray(item * length, (item + 1) * length);
}
