/** Small Keras models as the versions of Keras write them, and audits of them. */

import type { AuditOptions } from '../../src/audit/audit.ts';
import { auditSource } from '../../src/audit/audit.ts';
import type { Report } from '../../src/audit/report.ts';
import { modelBytes } from '../../src/formats/model-source.ts';

type Shape = readonly (number | null)[];

export interface LayerSpec {
  readonly of: string;
  readonly name: string;
  readonly config?: Readonly<Record<string, unknown>>;
  /** Layers that are read, one list a call; `tower@1` is its second call. */
  readonly calls?: readonly (readonly string[])[];
  readonly module?: string;
  readonly registeredName?: string;
  readonly model?: FunctionalSpec;
  readonly buildShape?: Shape;
}

export interface FunctionalSpec {
  readonly name?: string;
  readonly trainable?: boolean;
  readonly inputs: Readonly<Record<string, Shape>>;
  readonly layers: readonly LayerSpec[];
  readonly outputs: readonly string[];
}

export type Version = 2 | 3;

const refOf = (text: string): [string, number, number] => {
  const [layer = '', call = '0'] = text.split('@');
  return [layer, Number(call), 0];
};

function callOf(version: Version, reads: readonly string[]): unknown {
  if (version === 2) return reads.map((text) => [...refOf(text), {}]);
  const tensors = reads.map((text) => ({ class_name: '__keras_tensor__', config: { keras_history: refOf(text) } }));
  return { args: tensors.length === 1 ? tensors : [tensors], kwargs: {} };
}

/** A Functional model's JSON, as a plain object. */
export function functional(spec: FunctionalSpec, version: Version = 3): Record<string, unknown> {
  const { name = 'model', trainable = true, inputs, layers, outputs } = spec;
  const shapeKey = version === 2 ? 'batch_input_shape' : 'batch_shape';
  const inputLayers = Object.entries(inputs).map(([input, shape]) => ({
    class_name: 'InputLayer',
    config: { name: input, [shapeKey]: shape, dtype: 'float32' },
    name: input,
    inbound_nodes: [],
  }));
  const others = layers.map((layer) => ({
    ...(version === 3 ? { module: layer.module ?? 'keras.layers', registered_name: layer.registeredName ?? null } : {}),
    class_name: layer.of,
    config: layer.model
      ? functional(layer.model, version).config
      : { name: layer.name, trainable: true, ...layer.config },
    ...(layer.buildShape ? { build_config: { input_shape: layer.buildShape } } : {}),
    name: layer.name,
    inbound_nodes: (layer.calls ?? []).map((reads) => callOf(version, reads)),
  }));
  return {
    class_name: 'Functional',
    config: {
      name,
      trainable,
      layers: [...inputLayers, ...others],
      input_layers: Object.keys(inputs).map(refOf),
      output_layers: outputs.map(refOf),
    },
    ...(version === 2 ? { keras_version: '2.15.0' } : { module: 'keras' }),
  };
}

export function sequential(shape: Shape, layers: readonly LayerSpec[]): Record<string, unknown> {
  const input = { class_name: 'InputLayer', config: { name: 'x', batch_shape: shape, dtype: 'float32' } };
  const others = layers.map(({ of, name, config }) => ({
    class_name: of,
    config: { name, trainable: true, ...config },
  }));
  return { class_name: 'Sequential', config: { name: 'sequential', layers: [input, ...others] } };
}

export const jsonBytes = (json: unknown): Uint8Array =>
  new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json));

/** Audits JSON, or the text of what should be some. */
export const auditJson = (json: unknown, options: AuditOptions = {}): Promise<Report> =>
  auditSource(modelBytes('model.json', [jsonBytes(json)]), options);

export const conv2d = (name: string, calls: LayerSpec['calls'], config: LayerSpec['config'] = {}): LayerSpec => ({
  of: 'Conv2D',
  name,
  calls: calls ?? [],
  config: {
    filters: 8,
    kernel_size: [3, 3],
    strides: [1, 1],
    padding: 'same',
    data_format: 'channels_last',
    dilation_rate: [1, 1],
    groups: 1,
    activation: 'linear',
    use_bias: true,
    ...config,
  },
});

export function layerOf(report: Report, name: string): Report['layers'][number] {
  const layer = report.layers.find((candidate) => candidate.name === name);
  if (layer === undefined) throw new Error(`no layer '${name}'`);
  return layer;
}
