import { DscAuditError } from '../ir/errors.ts';
import type { Format, ReadModel } from './format.ts';
import { kerasFormat } from './keras/index.ts';
import type { ModelSource } from './model-source.ts';
import { onnxFormat } from './onnx/index.ts';
import { DEFAULT_LIMITS, type Limits } from './raisable-limits.ts';

/** Every format that is understood. */
const FORMATS: readonly Format[] = [kerasFormat, onnxFormat];

/** Bytes that a file is recognised by. */
const HEAD_BYTES = 64;

const begins =
  (prefix: string) =>
  (head: string): boolean =>
    head.startsWith(prefix);

/** What people give by mistake, told by its first bytes (each a character). */
const MISTAKES: readonly { readonly is: (head: string) => boolean; readonly what: string }[] = [
  {
    is: begins('version https://git-lfs'),
    what: 'is a Git LFS pointer, not the model itself: run `git lfs pull` and try again',
  },
  { is: begins('\u001f\u008b'), what: 'is compressed with gzip; unpack it first' },
  { is: (head) => head.slice(4, 8) === 'TFL3', what: 'is a TensorFlow Lite model; export the model to ONNX' },
  { is: (head) => /^\s*\[/.test(head), what: 'is a JSON list, not a model' },
  {
    is: (head) => /^\s*</.test(head),
    what: 'is a web page or XML, not a model: the download went wrong, most likely',
  },
  { is: (head) => /^(?!\s*\{)[\t\n\r -~]+$/.test(head), what: 'is text, not an ONNX or Keras model' },
];

/**
 * Reads a model of whatever format it is. Throws `not-a-model`, `malformed-model` or `limit-exceeded`, each with the
 * file's name in front.
 */
export async function readModel(source: ModelSource, limits: Limits = DEFAULT_LIMITS): Promise<ReadModel> {
  try {
    return await recognise(source).read(source, limits);
  } catch (error) {
    source.bytes.close();
    if (error instanceof DscAuditError) throw new DscAuditError(error.code, `${source.path}: ${error.message}`);
    throw error;
  }
}

function recognise(source: ModelSource): Format {
  const head = new Uint8Array(Math.min(HEAD_BYTES, source.bytes.size));
  const length = source.bytes.read(0, head);
  if (length === 0) throw new DscAuditError('not-a-model', 'is empty.');
  const text = String.fromCharCode(...head);
  const mistake = MISTAKES.find(({ is }) => is(text));
  if (mistake) throw new DscAuditError('not-a-model', `${mistake.what}.`);
  const format = FORMATS.find((candidate) => candidate.recognises(head));
  if (!format) throw new DscAuditError('not-a-model', 'is not an ONNX or Keras model.');
  return format;
}
