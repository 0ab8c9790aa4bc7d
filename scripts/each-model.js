// What the scripts that go through many models have in common.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The ONNX models of files and folders. */
export function modelsOf(paths) {
  const files = paths.flatMap((path) =>
    statSync(path).isDirectory() ? readdirSync(path).map((file) => join(path, file)) : [path],
  );
  return files.filter((file) => file.endsWith('.onnx'));
}

/** What is known of a model of the corpus; null where nothing is. */
export function truthOf(model) {
  const path = model.replace(/\.onnx$/, '.truth.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
}

/** Has `script --one model` print its result as JSON, in a process of its own: no engine gives memory back. */
export function resultOf(script, model, options = {}) {
  const output = execFileSync(process.execPath, [script, '--one', model], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  return JSON.parse(output.trim().split('\n').at(-1) ?? '');
}

/** The line that tells most of what such a process died of. */
export function lastWords(error) {
  const lines = String(error.stderr ?? error)
    .trim()
    .split('\n');
  return shortened(lines.find((line) => line.includes('Error')) ?? lines.at(-1) ?? '');
}

const MAX_TEXT = 110;

export const shortened = (text) => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);

/** `3 same, 1 differs` */
export const countsText = (counts) =>
  Object.entries(counts)
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(', ');

/** A session of onnxruntime-web on one thread, and the module that it is of. */
export async function openOnnxruntime(bytes) {
  const ort = await import('onnxruntime-web');
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  return { ort, session: await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] }) };
}

/** Runs `validate` on the one model that the command line names, or `validateAll` on all of its paths. */
export async function runScript({ validate, validateAll, paths }) {
  const [first, ...more] = process.argv.slice(2);
  if (first === '--one') console.log(JSON.stringify(await validate(more[0] ?? '')));
  else process.exitCode = validateAll(modelsOf(first === undefined ? paths : [first, ...more]));
}
