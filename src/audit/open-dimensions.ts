import { isStatic } from '../ir/dim.ts';
import { DscAuditError } from '../ir/errors.ts';
import type { OpenInput, UnboundDimensions } from '../passes/bind-inputs.ts';

/** Options that the command shows; who has more inputs knows how it goes on. */
const MAX_OPTIONS = 8;

/** Extents to begin with: what image networks are mostly trained on, and a length for everything else. */
const IMAGE_EXTENT = 224;
const SEQUENCE_EXTENT = 128;

/** The error for open dimensions: what is open, and the command that binds it. */
export function openDimensionsError(path: string, { message, inputs }: UnboundDimensions): DscAuditError {
  const options = [...new Set(inputs.flatMap(bindingOptions))].slice(0, MAX_OPTIONS);
  return new DscAuditError(
    'unbound-dimensions',
    `${path}: ${message}. Say how large, for example: dsc-audit ${shellQuote(path)} ${options.join(' ')}`,
  );
}

function bindingOptions({ name, shape, named }: OpenInput): readonly string[] {
  if (shape === null) return [`--shape ${shellQuote(`${name}=1x3x${IMAGE_EXTENT}x${IMAGE_EXTENT}`)}`];
  const extent = shape.length >= 4 ? IMAGE_EXTENT : SEQUENCE_EXTENT;
  const open = shape.filter((dim) => !isStatic(dim));
  if (named.length === open.length) return named.map((dim) => `--dim ${shellQuote(`${dim}=${extent}`)}`);
  return [`--shape ${shellQuote(`${name}=${shape.map((dim) => (isStatic(dim) ? dim : extent)).join('x')}`)}`];
}

/** Names come from the file: none may do anything in a shell. */
function shellQuote(text: string): string {
  return /^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
