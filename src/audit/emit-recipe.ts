/** The recipe that makes a rewritten model's replacements in the PyTorch model which it was exported from. */
import { basename } from 'node:path';
import { convBias, convWeights } from '../dsc/conv-weights.ts';
import { type NamedLayer, pathOf, shortPath } from '../dsc/layer-path.ts';
import { chunksOf } from '../formats/pieces.ts';
import { pytorchRecipe, type RecipeLayer } from '../formats/pytorch/recipe.ts';
import { DscAuditError } from '../ir/errors.ts';
import type { RewrittenModel } from './rewrite-model.ts';

/**
 * The script and the file of tensors beside it, to be written. Throws `cannot-rewrite` where the names of the nodes do
 * not tell the modules.
 */
export function emitRecipe({ analysis, plan, replacements }: RewrittenModel, path: string) {
  const { read, facts } = analysis;
  const layers = new Map<string, RecipeLayer>();
  for (const [index, { layer }] of plan.convs.entries()) {
    const replacement = replacements[index];
    const weights = convWeights(read.model, facts, layer);
    const bias = convBias(read.model, facts, layer);
    const module = moduleOf(layer);
    if (!replacement || !weights || !bias || module === '') {
      throw new DscAuditError(
        'cannot-rewrite',
        `the name of '${layer.name}' tells no PyTorch module: export the model with torch.onnx.export, which names nodes after modules.`,
      );
    }
    // A module that is called twice is one module.
    if (!layers.has(module)) layers.set(module, { replacement, module, weights, bias });
  }
  const tensorsPath = `${path.replace(/\.py$/, '')}.safetensors`;
  const { script, tensors } = pytorchRecipe([...layers.values()], basename(tensorsPath));
  return [
    { path: tensorsPath, chunks: chunksOf(tensors) },
    { path, chunks: chunksOf(script) },
  ];
}

/** `/layer1/layer1.0/conv1/Conv` → `layer1.0.conv1`. */
export function moduleOf(layer: NamedLayer): string {
  return shortPath(pathOf(layer)).slice(0, -1).join('.');
}
