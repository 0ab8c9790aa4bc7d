// One engine on one model in a process of its own: prints the median time of a run, in milliseconds, as JSON.
// usage: node measure.js <engine> <model.onnx> <threads> <runs> [wall|processor]
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

/** Milliseconds. Processor time leaves out what other processes took; it says something about one thread only. */
const CLOCKS = {
  wall: () => performance.now(),
  processor: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

const [, , engine, path, threads, runs, clock = 'wall'] = process.argv;
const now = CLOCKS[clock];
const { run, variant } = await ENGINES[engine](path, { threads: Number(threads) });
const WARM_UP_MS = 700;
const started = performance.now();
while (performance.now() - started < WARM_UP_MS) await run();
const times = [];
for (let index = 0; index < Number(runs); index++) {
  const start = now();
  await run();
  times.push(now() - start);
}
times.sort((a, b) => a - b);
process.stdout.write(`${JSON.stringify({ medianMs: times[times.length >> 1], variant })}\n`);
process.exit(0);
