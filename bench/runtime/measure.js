// One engine on one model in a process of its own: prints the median time of a run, in milliseconds, as JSON.
// usage: node measure.js <engine> <model.onnx> <threads> <runs>
import { prepareNative, prepareWeb } from './engines/onnxruntime.js';

const ENGINES = {
  'dsc-audit': async (path, options) =>
    (await import('./.build/dsc-audit.js')).prepare(path, { ...options, wide: false }),
  'dsc-audit-wide': async (path, options) =>
    (await import('./.build/dsc-audit.js')).prepare(path, { ...options, wide: true }),
  'tfjs-wasm': async (path, options) => (await import('./engines/tfjs.js')).prepare(path, options),
  'onnxruntime-web': prepareWeb,
  'onnxruntime-node': prepareNative,
};

const [, , engine, path, threads, runs] = process.argv;
const { run, variant } = await ENGINES[engine](path, { threads: Number(threads) });
const WARM_UP_MS = 700;
const started = performance.now();
while (performance.now() - started < WARM_UP_MS) await run();
const times = [];
for (let index = 0; index < Number(runs); index++) {
  const start = performance.now();
  await run();
  times.push(performance.now() - start);
}
times.sort((a, b) => a - b);
process.stdout.write(`${JSON.stringify({ medianMs: times[times.length >> 1], variant })}\n`);
process.exit(0);
