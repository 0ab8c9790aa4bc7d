/** Whether the engine joins neighbouring vectors into wider ones, by timing. */
import { WasmModule } from './wasm/module.ts';
import { relaxedMultiplyAdd } from './wasm/values.ts';

/** With fewer, joined sums would wait for each other instead of for the multipliers. */
const PAIRS = 7;
const TURNS = 20_000;

/** Enough for the optimising compiler to replace the first code while it runs. */
const TRIALS = 400;

/**
 * Time of the same sums laid out so that nothing can be joined, over the time of sums in neighbouring pairs: about 1.75
 * where pairs are joined, 1 where not.
 */
export function wideningFactor(now: () => number): number {
  const [apart, paired] = shortest([sums(32), sums(16)], now);
  return (apart ?? 0) / (paired ?? 1);
}

/** A loop of independent products and sums; the two halves of each pair are stored `stride` bytes apart. */
function sums(stride: number): () => void {
  const module = new WasmModule();
  module.defineFunction(
    { parameters: ['i32'], results: [] },
    (body) => {
      const base = body.parameter(0);
      const offsets = Array.from({ length: PAIRS * 2 }, (_, index) => (index >> 1) * 64 + (index & 1) * stride);
      const totals = offsets.map((offset) => body.v128(base.loadVector(1024 + offset)));
      const factor = body.v128(base.loadSplat());
      body.loop(0, TURNS, 1, () => {
        for (const total of totals) body.set(total, relaxedMultiplyAdd(factor, factor, total));
      });
      for (const [index, total] of totals.entries()) body.storeVector(base, total, 1024 + (offsets[index] ?? 0));
    },
    'sum',
  );
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const { sum } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), { env: { memory } }).exports;
  if (typeof sum !== 'function') throw new Error('The probe lacks its export.');
  return () => {
    sum(0);
  };
}

/** The shortest time of each, in turns: what slows the machine down for a while slows both. */
function shortest(runs: readonly (() => void)[], now: () => number): readonly number[] {
  const best = runs.map(() => Number.POSITIVE_INFINITY);
  for (let trial = 0; trial < TRIALS; trial++) {
    for (const [index, run] of runs.entries()) {
      const start = now();
      run();
      best[index] = Math.min(best[index] ?? 0, now() - start);
    }
  }
  return best;
}
