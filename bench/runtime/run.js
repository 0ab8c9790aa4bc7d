// The built-in runtime beside its peers: every engine in fresh processes, interleaved, and the ratio of medians.
// usage: node bench/runtime/run.js [--rounds 5] [--runs 15] [--threads 1] [--models folder]
//        [--engines tfjs-wasm,onnxruntime-web,onnxruntime-node] [--only <name>] [--wide] [--clock wall|processor]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { CORPUS } from '../../scripts/corpus.js';
import { chainOfLayers, fillWeights, readModel, seededRandom, writeModel } from './onnx-file.js';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    runs: { type: 'string', default: '15' },
    threads: { type: 'string', default: '1' },
    models: { type: 'string', default: join(CORPUS, 'onnx') },
    engines: { type: 'string', default: 'tfjs-wasm,onnxruntime-web,onnxruntime-node' },
    only: { type: 'string' },
    wide: { type: 'boolean', default: false },
    clock: { type: 'string', default: 'wall' },
  },
});

const NETWORKS = ['mobilenet_v1_1.0_224', 'mobilenet_v2', 'resnet18', 'vgg16', 'conv_mobilenet_1.0_224'];

/** Layers whose marginal cost is (time of 9 in a chain − time of 1) / 8. */
const LAYERS = [
  { name: 'depthwise 3×3, 112×112×32', channels: 32, extent: 112, kernel: 3, groups: 32 },
  { name: 'depthwise 3×3, 56×56×128', channels: 128, extent: 56, kernel: 3, groups: 128 },
  { name: 'depthwise 3×3, 28×28×256', channels: 256, extent: 28, kernel: 3, groups: 256 },
  { name: 'depthwise 3×3, 14×14×512', channels: 512, extent: 14, kernel: 3, groups: 512 },
  { name: 'depthwise 5×5, 28×28×240', channels: 240, extent: 28, kernel: 5, groups: 240 },
  { name: 'pointwise, 14×14×512', channels: 512, extent: 14, kernel: 1, groups: 1 },
  { name: 'standard 3×3, 28×28×128', channels: 128, extent: 28, kernel: 3, groups: 1 },
];

const CHAIN = 9;
const ours = options.wide ? 'dsc-audit-wide' : 'dsc-audit';
const peers = options.engines.split(',').filter(Boolean);
const engines = [ours, ...peers];
const scratch = mkdtempSync(join(tmpdir(), 'dsc-audit-bench-'));

function measure(engine, path) {
  try {
    const output = execFileSync(
      process.execPath,
      [join(here, 'measure.js'), engine, path, options.threads, options.runs, options.clock],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    return JSON.parse(output.trim().split('\n').at(-1)).medianMs;
  } catch (error) {
    process.stderr.write(
      `${engine} on ${path}: ${String(error.stderr ?? error)
        .trim()
        .split('\n')
        .slice(-3)
        .join(' ')}\n`,
    );
    return null;
  }
}

const median = (values) =>
  values.filter((value) => value !== null).sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;

/** By engine: the median over rounds of what `once` gives. */
function interleave(once) {
  const samples = new Map(engines.map((engine) => [engine, []]));
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const engine of engines) samples.get(engine).push(once(engine));
  }
  return new Map([...samples].map(([engine, values]) => [engine, median(values)]));
}

function print(name, medians) {
  const own = medians.get(ours);
  const ratios = peers.map((peer) => {
    const theirs = medians.get(peer);
    return theirs === null || own === null
      ? `${peer} –`
      : `${peer} ${(theirs / own).toFixed(2)}× (${theirs.toFixed(2)} ms)`;
  });
  process.stdout.write(`${name.padEnd(30)} ${own?.toFixed(2) ?? '–'} ms   ${ratios.join('   ')}\n`);
}

const isWanted = (name) => options.only === undefined || name.includes(options.only);

mkdirSync(join(here, '.build'), { recursive: true });
await build({
  entryPoints: [join(here, 'engines/dsc-audit.ts')],
  outfile: join(here, '.build/dsc-audit.js'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  banner: {
    js: "import{createRequire as $createRequire}from'node:module';const require=$createRequire(import.meta.url);",
  },
});

process.stdout.write(
  `Node ${process.version}, ${options.threads} thread(s), ${options.rounds} rounds, ${options.clock} time; a ratio above 1: the built-in runtime is faster\n`,
);
try {
  for (const name of NETWORKS.filter(isWanted)) {
    const source = join(options.models, `${name}.onnx`);
    if (!existsSync(source)) continue;
    const path = join(scratch, `${name}.onnx`);
    writeModel(path, fillWeights(readModel(source), seededRandom(1)));
    print(
      name,
      interleave((engine) => measure(engine, path)),
    );
    rmSync(path);
  }
  for (const layer of LAYERS.filter(({ name }) => isWanted(name))) {
    const paths = [1, CHAIN].map((count) => join(scratch, `${count}.onnx`));
    writeModel(paths[0], chainOfLayers(layer, 1, seededRandom(1)));
    writeModel(paths[1], chainOfLayers(layer, CHAIN, seededRandom(1)));
    print(
      `${layer.name}, marginal`,
      interleave((engine) => {
        const [one, many] = paths.map((path) => measure(engine, path));
        return one === null || many === null ? null : (many - one) / (CHAIN - 1);
      }),
    );
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
