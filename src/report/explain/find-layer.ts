import { distance } from 'fastest-levenshtein';
import type { Layer, Report } from '../../audit/report.ts';
import { matcherOf } from '../../dsc/layer-choice.ts';
import { DscAuditError } from '../../ir/errors.ts';
import { globFault } from '../../ir/glob.ts';
import { nameOf, whatOf } from '../rows.ts';

/** Layers that a message lists. */
const MAX_LISTED = 5;

/** Names that are compared letter by letter, and how much of each: files come from strangers. */
const MAX_COMPARED = 20_000;
const MAX_LETTERS = 100;

/**
 * The one layer that is meant: by its name, its short name as the table prints it, its index (`7` or `#7`), or a glob
 * that matches one layer.
 *
 * @throws {DscAuditError} where no layer is meant, or several; the message lists some
 */
export function findLayer({ layers, model }: Pick<Report, 'layers' | 'model'>, wanted: string): Layer {
  for (const rule of WAYS) {
    const found = layers.filter(rule(wanted));
    const [only] = found;
    if (found.length === 1 && only) return only;
    if (found.length > 1) throw ambiguous(model.path, wanted, found);
  }
  const near = nearestLayers(layers, wanted);
  const hint = near.length === 0 ? 'It has no layers.' : `The nearest: ${near.map(listed).join(', ')}.`;
  throw new DscAuditError('invalid-option', `${model.path}: no layer is called ${wanted}. ${hint}`);
}

type Way = (wanted: string) => (layer: Layer) => boolean;

/** In order of precedence. */
const WAYS: readonly Way[] = [
  (wanted) =>
    ({ name }) =>
      name === wanted,
  (wanted) => (layer) => nameOf(layer) === wanted,
  (wanted) => {
    const index = /^#?(\d+)$/.exec(wanted)?.[1];
    return (layer) => index !== undefined && layer.index === Number(index);
  },
  (wanted) => {
    const isPattern = wanted.replace(/^\//, '') !== '' && globFault(wanted) === null;
    return isPattern ? matcherOf([wanted]) : () => false;
  },
];

function ambiguous(path: string, wanted: string, found: readonly Layer[]): DscAuditError {
  const more = found.length > MAX_LISTED ? ` and ${found.length - MAX_LISTED} more` : '';
  const some = found.slice(0, MAX_LISTED).map(listed).join(', ');
  return new DscAuditError(
    'invalid-option',
    `${path}: ${wanted} names ${found.length} layers: ${some}${more}. Give the number of one: #${found[0]?.index}.`,
  );
}

const MAX_NAME = 60;

const listed = (layer: Layer): string => {
  const name = nameOf(layer);
  const short = name.length <= MAX_NAME ? name : `…${name.slice(1 - MAX_NAME)}`;
  return `#${layer.index} ${short} (${whatOf(layer).slice(0, MAX_NAME)})`;
};

/** Those whose names hold the text first, then by typing errors. */
function nearestLayers(layers: readonly Layer[], wanted: string): readonly Layer[] {
  const text = wanted.slice(0, MAX_LETTERS).toLowerCase();
  const scored = layers.slice(0, MAX_COMPARED).map((layer) => {
    const name = nameOf(layer).slice(-MAX_LETTERS).toLowerCase();
    return { layer, errors: distance(text, name) - (name.includes(text) ? MAX_LETTERS : 0) };
  });
  return scored
    .sort((a, b) => a.errors - b.errors || a.layer.index - b.layer.index)
    .slice(0, MAX_LISTED)
    .map(({ layer }) => layer);
}
