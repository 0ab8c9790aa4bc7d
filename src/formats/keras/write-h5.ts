/** Writes `.h5` files. */
import { DscAuditError } from '../../ir/errors.ts';
import type { ModelSource } from '../model-source.ts';
import { REWRITE_NOTE } from '../model-writer.ts';
import { type KerasContainer, type ReplacedLayer, singleFile } from './container.ts';
import { type Hdf5Group, openHdf5 } from './hdf5-file.ts';
import { makeHdf5, type TargetGroup } from './hdf5-writer.ts';
import { member } from './json.ts';
import { edited } from './json-spans.ts';
import { modelConfigText, namesIn } from './legacy-h5.ts';
import { isConvWeightOf, isKernelOf, newName } from './named-weights.ts';
import { KERAS, type LayerWeight, type NewLayer } from './replacement-layers.ts';

const MODEL_CONFIG = 'model_config';
const MODEL_WEIGHTS = 'model_weights';
/** Weights of the optimiser are of the old ones. */
const OPTIMIZER_WEIGHTS = 'optimizer_weights';
const WEIGHT_NAMES = 'weight_names';

export async function h5Container(source: ModelSource): Promise<KerasContainer> {
  const file = await openHdf5(source.bytes);
  const names = new Map<string, readonly string[]>();
  let text: string;
  try {
    text = modelConfigText(file.root);
    const weights = file.root.group(MODEL_WEIGHTS);
    for (const layer of weights?.names ?? []) {
      const group = weights?.group(layer);
      if (group) names.set(layer, namesIn(group, WEIGHT_NAMES));
    }
  } finally {
    file.close();
  }
  return {
    text,
    modelIn: (span) => span,
    library: KERAS,
    hasWeights: true,
    obstacle: ({ path }) => {
      const kernels = (names.get(path[0] ?? '') ?? []).filter((name) => isKernelOf(name, path));
      return kernels.length === 1 ? null : 'its kernel cannot be told from others in the file';
    },
    async layOut({ edits, layers }, { output, note }) {
      const bytes = await makeHdf5(source.bytes, (from, to) => {
        to.copyAttributes(from, [MODEL_CONFIG]);
        to.text(MODEL_CONFIG, edited(text, edits));
        to.text(REWRITE_NOTE, note);
        for (const name of from.names) {
          const weights = name === MODEL_WEIGHTS ? from.group(name) : null;
          if (weights) copyWeights(weights, to.group(name), layers);
          else if (name !== OPTIMIZER_WEIGHTS) to.copy(from, name);
        }
      });
      return singleFile(output, bytes);
    },
  };
}

/** A group a layer of the model; layers of models within it lie in the group of the outermost one. */
function copyWeights(from: Hdf5Group, to: TargetGroup, replaced: readonly ReplacedLayer[]): void {
  to.copyAttributes(from);
  for (const name of from.names) {
    const group = from.group(name);
    const within = replaced.filter(({ path }) => path[0] === name);
    if (group === null || within.length === 0) to.copy(from, name);
    else copyLayer(group, to.group(name), within);
  }
}

/** The weights of a group, in its order, with new ones in the place of the kernels that they replace. */
function copyLayer(from: Hdf5Group, to: TargetGroup, replaced: readonly ReplacedLayer[]): void {
  to.copyAttributes(from, [WEIGHT_NAMES]);
  const names: string[] = [];
  const all = namesIn(from, WEIGHT_NAMES);
  const partOf = (name: string) => replaced.find(({ path }) => isConvWeightOf(name, path));
  for (const name of all) {
    const part = partOf(name);
    if (!part) {
      copyWeight(from, name, to, name);
      names.push(name);
    } else if (isKernelOf(name, part.path)) {
      const bias = all.find((other) => other !== name && partOf(other) === part);
      for (const { layer, weight } of inOrder(part.fresh)) {
        const as = newName(name, part.path, layer, nameOf(weight));
        if (weight.kind === 'new') writeWeight(to, as, (group, last) => group.weight(last, weight));
        else if (bias === undefined) throw missing(`the bias of '${part.path.join('/')}'`);
        else copyWeight(from, bias, to, as);
        names.push(as);
      }
    }
  }
  to.texts(WEIGHT_NAMES, names);
}

/** Of a model, what is trained comes first; of one that is frozen, layer comes after layer. */
function inOrder({ parts, json }: NewLayer) {
  const all = parts.flatMap(({ name, weights }) => weights.map((weight) => ({ layer: name, weight })));
  if (member(json.config, 'trainable') === false) return all;
  const isStatistic = (weight: LayerWeight) => weight.kind === 'new' && !weight.trainable;
  return [...all.filter(({ weight }) => !isStatistic(weight)), ...all.filter(({ weight }) => isStatistic(weight))];
}

const nameOf = (weight: LayerWeight): string => (weight.kind === 'new' ? weight.name : 'bias');

function copyWeight(from: Hdf5Group, name: string, to: TargetGroup, as: string): void {
  const parts = name.split('/');
  const holder = parts.slice(0, -1).reduce<Hdf5Group | null>((group, part) => group?.group(part) ?? null, from);
  if (holder === null) throw missing(`the weight '${name}'`);
  writeWeight(to, as, (group, last) => group.copy(holder, parts.at(-1) ?? '', last));
}

const missing = (what: string): DscAuditError => new DscAuditError('malformed-model', `${what} is not in the file.`);

function writeWeight(to: TargetGroup, name: string, write: (group: TargetGroup, last: string) => void): void {
  const parts = name.split('/');
  const holder = parts.slice(0, -1).reduce((group, part) => group.group(part), to);
  write(holder, parts.at(-1) ?? '');
}
