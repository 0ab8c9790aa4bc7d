// Rewrites every model with all its convolutions at full rank, where nothing may be lost, and holds the outputs to those of
// the original, both on the built-in runtime and on the same weights (seeded ones where the file has none) and input.
// onnxruntime-web loads the new file too.
// usage: npm run validate:rewrite -- [folder or model.onnx ...]      (default: onnx/ of the corpus, the smallest first)
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CORPUS } from './corpus.js';
import { difference, floats, withWeights } from './seeded-model.js';

const LIMIT = 1e-4;
/** Beyond any kernel: the rank is cut to the exact one. */
const FULL_RANK = 10_000;
const MINUTES = 5;

const here = fileURLToPath(import.meta.url);

/** A process each: no engine gives memory back. */
function validateAll(paths) {
  const files = paths.flatMap((path) =>
    statSync(path).isDirectory() ? readdirSync(path).map((file) => join(path, file)) : [path],
  );
  const models = files.filter((file) => file.endsWith('.onnx')).sort((a, b) => costOf(a) - costOf(b));
  const counts = { same: 0, differs: 0, 'nothing to replace': 0, 'not run': 0 };
  for (const model of models) {
    const { verdict, text } = attempt(model);
    counts[verdict] += 1;
    console.log(`${basename(model, '.onnx').padEnd(36)}  ${verdict.padEnd(18)}  ${text}`);
  }
  console.log(
    `\n${Object.entries(counts)
      .map(([verdict, count]) => `${count} ${verdict}`)
      .join(', ')}; limit ${LIMIT}`,
  );
  return counts.differs === 0 ? 0 : 1;
}

function costOf(model) {
  const truth = model.replace(/\.onnx$/, '.truth.json');
  return existsSync(truth) ? (JSON.parse(readFileSync(truth, 'utf8')).macs ?? 0) : statSync(model).size;
}

function attempt(model) {
  try {
    const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: MINUTES * 60_000 };
    const output = execFileSync(process.execPath, [here, '--one', model], options);
    return JSON.parse(output.trim().split('\n').at(-1) ?? '');
  } catch (error) {
    if (error.code === 'ETIMEDOUT') return { verdict: 'not run', text: `takes more than ${MINUTES} minutes` };
    const lines = String(error.stderr ?? error)
      .trim()
      .split('\n');
    return {
      verdict: 'differs',
      text: (lines.find((line) => line.includes('Error')) ?? lines.at(-1) ?? '').slice(0, 120),
    };
  }
}

async function validate(path) {
  const { rewrite } = await import('../dist/index.js');
  const { createRuntime, DscAuditError } = await import('../dist/runtime.js');
  const folder = mkdtempSync(join(tmpdir(), 'dsc-audit-validate-'));
  const [before, after] = ['before.onnx', 'after.onnx'].map((name) => join(folder, name));
  const truth = path.replace(/\.onnx$/, '.truth.json');
  const shapes = existsSync(truth) ? (JSON.parse(readFileSync(truth, 'utf8')).inputs ?? {}) : {};
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

const shorten = (message) => message.replace(/^.*?before\.onnx: /, '').slice(0, 120);

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
  const ort = await import('onnxruntime-web');
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  await session.release();
}

const [first, ...more] = process.argv.slice(2);
if (first === '--one') console.log(JSON.stringify(await validate(more[0] ?? '')));
else process.exitCode = validateAll(first === undefined ? [join(CORPUS, 'onnx')] : [first, ...more]);
