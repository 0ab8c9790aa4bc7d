/** The files of a planned rewrite, before they are written. */
import type { RewritePlan, RewriteWish } from '../dsc/plan-rewrite.ts';
import type { ConvReplacement } from '../formats/conv-replacement.ts';
import type { ModelWriter, RewrittenFiles } from '../formats/model-writer.ts';
import { lengthOf } from '../formats/pieces.ts';

/** What lays a rewrite out, and for where. */
export interface RewriteLayout {
  readonly writer: ModelWriter;
  readonly wish: RewriteWish;
  /** Where the model is to be written; files beside it are named after it. */
  readonly output: string;
}

export async function layOutRewrite(
  { writer, wish, output }: RewriteLayout,
  plan: RewritePlan,
  replacements: readonly ConvReplacement[],
): Promise<RewrittenFiles> {
  return await writer.layOut(replacements, { output, note: noteOf(wish, plan) });
}

export const bytesOf = ({ files }: RewrittenFiles): number =>
  files.reduce((sum, { pieces }) => sum + lengthOf(pieces), 0);

/** Told in the file's metadata. */
function noteOf({ strategy, between }: RewriteWish, { convs }: RewritePlan): string {
  const layers = convs.map(({ layer, form }) => ({ layer: layer.name, rank: form.rank }));
  return JSON.stringify({ version: __DSC_AUDIT_VERSION__, strategy: strategy.name, between, layers });
}
