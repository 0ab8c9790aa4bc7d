// Rewrites every model with all its convolutions at full rank, where nothing may be lost, and holds the outputs to those of
// the original, both on the built-in runtime and on the same weights (seeded ones where the file has none) and input.
// onnxruntime-web loads the new file too.
// usage: npm run validate:rewrite -- [folder or model.onnx ...]      (default: onnx/ of the corpus, the smallest first)
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CORPUS } from './corpus.js';
import { countsText, lastWords, openOnnxruntime, resultOf, runScript, shortened, truthOf } from './each-model.js';
import { difference, floats, withWeights } from './seeded-model.js';

const LIMIT = 1e-4;
/** Beyond any kernel: the rank is cut to the exact one. */
const FULL_RANK = 10_000;
const MINUTES = 5;

const here = fileURLToPath(import.meta.url);

function validateAll(models) {
  const counts = { same: 0, differs: 0, 'nothing to replace': 0, 'not run': 0 };
  for (const model of [...models].sort((a, b) => costOf(a) - costOf(b))) {
    const { verdict, text } = attempt(model);
    counts[verdict] += 1;
    console.log(`${basename(model, '.onnx').padEnd(36)}  ${verdict.padEnd(18)}  ${text}`);
  }
  console.log(`\n${countsText(counts)}; limit ${LIMIT}`);
  return counts.differs === 0 ? 0 : 1;
}

const costOf = (model) => truthOf(model)?.macs ?? statSync(model).size;

function attempt(model) {
  try {
    return resultOf(here, model, { timeout: MINUTES * 60_000 });
  } catch (error) {
    if (error.code === 'ETIMEDOUT') return { verdict: 'not run', text: `takes more than ${MINUTES} minutes` };
    return { verdict: 'differs', text: lastWords(error) };
  }
}

async function validate(path) {
  const { rewrite } = await import('../dist/index.js');
  const { createRuntime, DscAuditError } = await import('../dist/runtime.js');
  const folder = mkdtempSync(join(tmpdir(), 'dsc-audit-validate-'));
  const [before, after] = ['before.onnx', 'after.onnx'].map((name) => join(folder, name));
  const shapes = truthOf(path)?.inputs ?? {};
  try {
    writeFileSync(before, withWeights(path));
    const { layers, skipped } = await rewrite(before, after, {
      rank: FULL_RANK,
      include: ['**'],
      shapes,
      profile: 'none',
    });
    const done = `${layers.length} replaced${skipped.length > 0 ? `, ${skipped.length} left alone: ${skipped[0].reason}` : ''}`;
    await loadElsewhere(readFileSync(after));
    const runtime = await createRuntime({ threads: 1 });
    try {
      const [expected, found] = [await outputsOf(runtime, before, shapes), await outputsOf(runtime, after, shapes)];
      const apart = Math.max(...expected.map((values, index) => difference(found[index], values)));
      return { verdict: apart <= LIMIT ? 'same' : 'differs', text: `${apart.toExponential(1)}  ${done}` };
    } finally {
      await runtime.close();
    }
  } catch (error) {
    if (error.code === 'cannot-rewrite') return { verdict: 'nothing to replace', text: shorten(error.message) };
    if (error instanceof DscAuditError) return { verdict: 'not run', text: shorten(error.message) };
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const shorten = (message) => shortened(message.replace(/^.*?before\.onnx: /, ''));

async function outputsOf(runtime, path, shapes) {
  const network = await runtime.load(readFileSync(path), { shapes, exact: true });
  const inputs = Object.fromEntries(
    network.inputs.map(({ name, shape }) => {
      const count = shape.reduce((product, extent) => product * extent, 1);
      return [name, { shape, data: floats(9, count) }];
    }),
  );
  const outputs = network.run(inputs);
  const all = Object.values(outputs).map(({ data }) => Float32Array.from(data));
  await network.close();
  return all;
}

async function loadElsewhere(bytes) {
  const { session } = await openOnnxruntime(bytes);
  await session.release();
}

await runScript({ validate, validateAll, paths: [join(CORPUS, 'onnx')] });
