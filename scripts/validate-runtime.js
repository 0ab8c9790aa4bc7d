// Holds the built-in runtime to onnxruntime-web, network by network: both on the same weights (seeded ones where the file
// has none) and the same input. Prints the greatest difference over the greatest output, and whether the class is the same.
// usage: npm run validate:runtime -- [folder or model.onnx ...]      (default: onnx/ of the corpus)
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CORPUS } from './corpus.js';
import { countsText, lastWords, openOnnxruntime, resultOf, runScript, shortened, truthOf } from './each-model.js';
import { difference, floats, inputTypes, withWeights } from './seeded-model.js';

const LIMIT = 1e-4;
const EXACT_LIMIT = 1e-5;

const here = fileURLToPath(import.meta.url);

function validateAll(models) {
  const counts = { 'as onnxruntime': 0, differs: 0, refused: 0 };
  console.log(`${'network'.padEnd(40)}  ${'error'.padStart(8)}  ${'exact'.padStart(8)}  class`);
  for (const model of models) {
    const row = attempt(model);
    counts[row.verdict] += 1;
    console.log(`${basename(model, '.onnx').padEnd(40)}  ${row.text}`);
  }
  console.log(`\n${countsText(counts)}; limits ${LIMIT} and, in exact mode, ${EXACT_LIMIT}`);
  return counts.differs === 0 ? 0 : 1;
}

function attempt(model) {
  try {
    const { refused, error, exactError, sameClass } = resultOf(here, model);
    if (refused !== undefined) return { verdict: 'refused', text: shortened(refused) };
    const isRight = error <= LIMIT && exactError <= EXACT_LIMIT && sameClass;
    const figures = [error, exactError].map((value) =>
      Number(value ?? Number.NaN)
        .toExponential(1)
        .padStart(8),
    );
    return {
      verdict: isRight ? 'as onnxruntime' : 'differs',
      text: `${figures.join('  ')}  ${sameClass ? 'same' : 'OTHER'}`,
    };
  } catch (error) {
    return { verdict: 'differs', text: lastWords(error) };
  }
}

async function validate(path) {
  const { createRuntime, DscAuditError } = await import('../dist/runtime.js');
  const bytes = withWeights(path);
  const shapes = truthOf(path)?.inputs ?? {};
  const runtime = await createRuntime({ threads: 1 });
  try {
    const types = inputTypes(bytes);
    const { inputs, outputs } = await runOurs(runtime, bytes, types, { shapes });
    const { outputs: exact } = await runOurs(runtime, bytes, types, { shapes, exact: true });
    const expected = await runTheirs(bytes, inputs, types);
    const compare = (actual) =>
      Math.max(...Object.keys(actual).map((name) => difference(actual[name].data, expected[name].data)));
    const [name] = Object.keys(outputs);
    const sameClass = greatest(outputs[name].data) === greatest(expected[name].data);
    return { error: compare(outputs), exactError: compare(exact), sameClass };
  } catch (error) {
    if (error instanceof DscAuditError) return { refused: error.message };
    throw error;
  } finally {
    await runtime.close();
  }
}

async function runOurs(runtime, bytes, types, options) {
  const network = await runtime.load(bytes, options);
  const inputs = Object.fromEntries(
    network.inputs.map(({ name, shape }) => [
      name,
      {
        shape,
        data: elements(
          types.get(name),
          shape.reduce((a, b) => a * b, 1),
        ),
      },
    ]),
  );
  const outputs = network.run(inputs);
  await network.close();
  return { inputs, outputs };
}

/** How a tensor of a type that is no float is fed, by ONNX's number for the type. */
const INTEGERS = {
  2: ['uint8', (data) => Uint8Array.from(data)],
  6: ['int32', (data) => Int32Array.from(data)],
  7: ['int64', (data) => BigInt64Array.from(data, (value) => BigInt(value))],
  9: ['bool', (data) => Uint8Array.from(data)],
};

async function runTheirs(bytes, inputs, types) {
  const { ort, session } = await openOnnxruntime(bytes);
  const feeds = Object.entries(inputs).map(([name, { shape, data }]) => {
    const [type, made] = INTEGERS[types.get(name)] ?? ['float32', (floats) => floats];
    return [name, new ort.Tensor(type, made(data), shape)];
  });
  return session.run(Object.fromEntries(feeds));
}

/** Floats between −1 and 1, or, for a type of integers, 0 and 1. */
function elements(type, count) {
  const drawn = floats(9, count);
  return type in INTEGERS ? drawn.map((value) => Number(value > 0)) : drawn;
}

const greatest = (values) => values.reduce((best, value, index) => (value > values[best] ? index : best), 0);

await runScript({ validate, validateAll, paths: [join(CORPUS, 'onnx')] });
