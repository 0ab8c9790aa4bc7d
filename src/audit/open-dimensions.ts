import { isStatic } from '../ir/dim.ts';
import { type DscAuditError, MissingOptions } from '../ir/errors.ts';
import { shellQuote } from '../ir/shell-quote.ts';
import type { OpenInput, UnboundDimensions } from '../passes/bind-inputs.ts';

/** Options that the command shows; who has more inputs knows how it goes on. */
const MAX_OPTIONS = 8;

/** Extents to begin with: what image networks are mostly trained on, and a length for everything else. */
const IMAGE_EXTENT = 224;
const SEQUENCE_EXTENT = 128;

/** What was bound already. */
interface Given {
  readonly dims?: Readonly<Record<string, number>>;
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
}

/** The error for open dimensions: what is open, and the command that binds it. */
export function openDimensionsError(path: string, error: UnboundDimensions, given: Given): DscAuditError {
  const { message, inputs, knownDims } = error;
  const strangers = Object.keys(given.dims ?? {}).filter((name) => !knownDims.includes(name));
  const unknown = strangers.length > 0 ? ` There is no dimension '${strangers.join("', '")}'.` : '';
  const before = [
    ...Object.entries(given.dims ?? {})
      .filter(([name]) => !strangers.includes(name))
      .map(([name, extent]) => `--dim ${shellQuote(`${name}=${extent}`)}`),
    ...Object.entries(given.shapes ?? {}).map(
      ([name, shape]) => `--shape ${shellQuote(`${name === '' ? '' : `${name}=`}${shape.join('x')}`)}`,
    ),
  ];
  const options = [...new Set([...before, ...inputs.flatMap(bindingOptions)])].slice(0, MAX_OPTIONS);
  const what = `${path}: ${message}.${unknown} Say how large, for example:`;
  return new MissingOptions('unbound-dimensions', what, shellQuote(path), options);
}

function bindingOptions({ name, shape, named }: OpenInput): readonly string[] {
  if (shape === null) return [`--shape ${shellQuote(`${name}=1x3x${IMAGE_EXTENT}x${IMAGE_EXTENT}`)}`];
  const extent = shape.length >= 4 ? IMAGE_EXTENT : SEQUENCE_EXTENT;
  const open = shape.filter((dim) => !isStatic(dim));
  if (named.length === open.length) return named.map((dim) => `--dim ${shellQuote(`${dim}=${extent}`)}`);
  return [`--shape ${shellQuote(`${name}=${shape.map((dim) => (isStatic(dim) ? dim : extent)).join('x')}`)}`];
}
