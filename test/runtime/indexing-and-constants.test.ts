import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flatIndex, mapCoordinates } from '../../src/runtime/reference/indices.ts';
import { randomFloats, relativeError } from './random.ts';
import { runModel, SmallModel, throughBlocks } from './small-model.ts';

const count = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);
const tensor = (seed: number, shape: readonly number[]) => ({ shape, data: randomFloats(seed, count(shape)) });
const small = (max: number) => fc.integer({ min: 1, max });
const RUNS = { numRuns: 60, seed: 20260102 };

async function expectOutput(
  model: SmallModel,
  inputs: Readonly<Record<string, ReturnType<typeof tensor>>>,
  expected: ArrayLike<number>,
): Promise<void> {
  const [output] = await runModel(model, inputs);
  expect(relativeError(output?.data ?? [], expected)).toBeLessThan(1e-5);
}

/** Which element of an axis stands at a position outside, told step by step from the edge. */
const OUTSIDE = {
  edge: (at: number, extent: number): number => (at < 0 ? 0 : at >= extent ? extent - 1 : at),
  reflect: (at: number, extent: number): number => {
    if (at >= 0 && at < extent) return at;
    return OUTSIDE.reflect(at < 0 ? -at : 2 * (extent - 1) - at, extent);
  },
  wrap: (at: number, extent: number): number => (((at % extent) + extent) % extent) | 0,
};

describe('padding from the tensor itself', () => {
  it('repeats the edge, reflects at it, or goes round', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom('edge' as const, 'reflect' as const, 'wrap' as const),
        fc.tuple(small(2), small(9), fc.integer({ min: 4, max: 7 }), fc.integer({ min: 4, max: 7 })),
        fc.array(fc.integer({ min: -1, max: 3 }), { minLength: 4, maxLength: 4 }),
        async (mode, shape, [top = 0, left = 0, bottom = 0, right = 0]) => {
          const model = new SmallModel();
          const x = throughBlocks(model, model.input('x', shape), shape[1]);
          const pads = model.integers([0, 0, top, left, 0, 0, bottom, right]);
          const input = tensor(3, shape);
          const padded = [shape[0], shape[1], shape[2] + top + bottom, shape[3] + left + right];
          const expected = mapCoordinates(padded, ([item = 0, channel = 0, y = 0, column = 0]) => {
            const at = [item, channel, OUTSIDE[mode](y - top, shape[2]), OUTSIDE[mode](column - left, shape[3])];
            return input.data[flatIndex(shape, at)] ?? 0;
          });
          await expectOutput(model.output(model.one('pad', { mode }, x, pads)), { x: input }, expected);
        },
      ),
      RUNS,
    ));

  it('goes round an axis of one element, and to and fro between two, many times', async () => {
    for (const mode of ['edge', 'reflect', 'wrap'] as const) {
      for (const [extent, before, behind] of [
        [1, 3000, 2000],
        [2, 501, 502],
        [3, 0, 500],
        [3, 500, -1],
      ] as const) {
        // There is nothing to reflect but the one.
        if (extent === 1 && mode === 'reflect') continue;
        const model = new SmallModel();
        const pads = model.integers([0, before, 0, behind]);
        const input = tensor(3, [1, extent]);
        const expected = mapCoordinates([1, before + extent + behind], ([, column = 0]) => {
          return input.data[OUTSIDE[mode](column - before, extent)] ?? 0;
        });
        const x = model.input('x', input.shape);
        await expectOutput(model.output(model.one('pad', { mode }, x, pads)), { x: input }, expected);
      }
    }
  });
});

describe('gathering', () => {
  it('picks runs at constant and at computed indices', () =>
    fc.assert(
      fc.asyncProperty(
        fc.tuple(small(3), small(9), small(6)),
        fc.integer({ min: 0, max: 2 }),
        fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1, maxLength: 90 }),
        fc.boolean(),
        async (shape, axis, drawn, areComputed) => {
          const extent = shape[axis] ?? 1;
          const indices = drawn.map((index) => (index < 0 ? -1 - (-index % extent) : index % extent));
          const model = new SmallModel();
          const x = model.input('x', shape);
          const input = tensor(5, shape);
          const given = areComputed ? model.input('indices', [indices.length]) : model.integers(indices);
          const taken = shape.map((own, index) => (index === axis ? indices.length : own));
          const expected = mapCoordinates(taken, (at) => {
            const index = indices[at[axis] ?? 0] ?? 0;
            const from = at.map((own, position) => (position === axis ? (index < 0 ? index + extent : index) : own));
            return input.data[flatIndex(shape, from)] ?? 0;
          });
          const inputs = { x: input, indices: { shape: [indices.length], data: Float32Array.from(indices) } };
          const { indices: _, ...onlyX } = inputs;
          await expectOutput(
            model.output(model.one('gather', { axis }, x, given)),
            areComputed ? inputs : onlyX,
            expected,
          );
        },
      ),
      RUNS,
    ));

  it('picks single elements along an axis', async () => {
    const shape = [2, 4, 3];
    const [x, indices] = [tensor(1, shape), tensor(2, [2, 5, 3])];
    const chosen = { shape: indices.shape, data: indices.data.map((value) => Math.floor((value + 1) * 2)) };
    const model = new SmallModel();
    const y = model.one('gatherElements', { axis: 1 }, model.input('x', shape), model.input('chosen', [2, 5, 3]));
    const expected = mapCoordinates([2, 5, 3], ([item = 0, row = 0, column = 0]) => {
      const along = chosen.data[flatIndex([2, 5, 3], [item, row, column])] ?? 0;
      return x.data[flatIndex(shape, [item, along, column])] ?? 0;
    });
    await expectOutput(model.output(y), { x, chosen }, expected);
  });

  it('finds the first and the last of the greatest and the least', async () => {
    const data = Float32Array.of(1, 3, 3, -2, 0, -2);
    for (const [fn, selectsLast, expected] of [
      ['max', false, [1, 1]],
      ['max', true, [2, 1]],
      ['min', false, [0, 0]],
      ['min', true, [0, 2]],
    ] as const) {
      const model = new SmallModel();
      const y = model.one('argReduce', { fn, axis: 1, keepDims: false, selectsLast }, model.input('x', [2, 3]));
      await expectOutput(model.output(y), { x: { shape: [2, 3], data } }, expected);
    }
  });
});

describe('blocks of positions', () => {
  it('become channels, and channels blocks of positions, in both orders', () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({ items: small(2), each: small(5), height: small(4), width: small(4), block: small(3) }),
        fc.boolean(),
        async ({ items, each, height, width, block }, depthFirst) => {
          const model = new SmallModel();
          const shape = [items, each * block * block, height, width];
          const x = tensor(2, shape);
          const spaced = model.one('depthToSpace', { block, depthFirst }, model.input('x', shape));
          const wide = [items, each, height * block, width * block];
          const expected = mapCoordinates(wide, ([item = 0, channel = 0, y = 0, column = 0]) => {
            const inside = (y % block) * block + (column % block);
            const from = depthFirst ? inside * each + channel : channel * block * block + inside;
            return x.data[flatIndex(shape, [item, from, Math.floor(y / block), Math.floor(column / block)])] ?? 0;
          });
          await expectOutput(model.output(spaced), { x }, expected);
          const back = new SmallModel();
          const there = back.one('depthToSpace', { block, depthFirst: true }, back.input('x', shape));
          await expectOutput(back.output(back.one('spaceToDepth', { block }, there)), { x }, x.data);
        },
      ),
      RUNS,
    ));
});

describe('truth values', () => {
  const binary = { alignAxis: null, truncates: false, left: false } as const;

  it('choose between tensors', async () => {
    const model = new SmallModel();
    const [a, b] = [tensor(1, [2, 3, 4]), tensor(2, [3, 1])];
    const [x, y] = [model.input('a', a.shape), model.input('b', b.shape)];
    const greater = model.one('binary', { fn: 'greater', ...binary }, x, y);
    model.output(model.one('where', {}, greater, x, y));
    const expected = a.data.map((value, index) => Math.max(value, b.data[Math.floor(index / 4) % 3] ?? 0));
    await expectOutput(model, { a, b }, expected);
  });

  it('are 1 or 0, and made of numbers as they are made of them', async () => {
    const x = { shape: [5], data: Float32Array.of(-2.5, -0.5, 0, 0.5, 2.5) };
    const casts = [
      ['bool', [1, 1, 0, 1, 1]],
      ['int32', [-2, 0, 0, 0, 2]],
      ['float16', [...x.data]],
    ] as const;
    for (const [to, expected] of casts) {
      const model = new SmallModel();
      await expectOutput(model.output(model.one('cast', { to }, model.input('x', [5]))), { x }, expected);
    }
    const model = new SmallModel();
    const id = model.input('x', [5]);
    const [low, high] = [-1, 1].map((limit) => model.constant([], Float32Array.of(limit)));
    const above = model.one('binary', { fn: 'greaterOrEqual', ...binary }, id, low ?? null);
    const below = model.one('binary', { fn: 'less', ...binary }, id, high ?? null);
    model.output(model.one('binary', { fn: 'and', ...binary }, above, below));
    await expectOutput(model, { x }, [0, 1, 1, 1, 0]);
  });
});

describe('weights that a file computes from stored ones', () => {
  const convolved = (model: SmallModel, weights: number, x: number): SmallModel => {
    const window = { kernel: [3, 3], strides: [], dilations: [], padding: { mode: 'explicit', pads: [] } } as const;
    const layout = { channelsLast: false, weightChannelsLast: false, groups: 1 } as const;
    return model.output(model.one('conv', { ...window, ...layout, activation: null, result: 'same' }, x, weights));
  };
  const x = tensor(9, [1, 3, 5, 6]);
  const OUT = 10;
  const stored = randomFloats(1, OUT * 27);

  const plain = async (weights: Float32Array): Promise<Float32Array> => {
    const model = new SmallModel();
    const filter = model.constant([OUT, 3, 3, 3], weights);
    return (await runModel(convolved(model, filter, model.input('x', x.shape)), { x }))[0]?.data ?? weights;
  };

  it('are normalised', async () => {
    const model = new SmallModel();
    const v = model.constant([OUT, 3, 3, 3], stored);
    const axes = model.integers([1, 2, 3]);
    const norm = model.one('reduce', { fn: 'l2', keepDims: true, noopWithoutAxes: false }, v, axes);
    const binary = { alignAxis: null, truncates: false, left: false } as const;
    const unit = model.one('binary', { fn: 'div', ...binary }, v, norm);
    const length = randomFloats(2, OUT);
    const g = model.constant([OUT, 1, 1, 1], length);
    const weights = model.one('binary', { fn: 'mul', ...binary }, unit, g);
    const each = Array.from({ length: OUT }, (_, out) => Math.hypot(...stored.subarray(out * 27, out * 27 + 27)));
    const expected = stored.map((value, index) => {
      const out = Math.floor(index / 27);
      return (value / (each[out] ?? 1)) * (length[out] ?? 0);
    });
    await expectOutput(convolved(model, weights, model.input('x', x.shape)), { x }, await plain(expected));
  });

  it('lie in another order, in parts, or are quantised', async () => {
    const model = new SmallModel();
    const shape = [3, 3, 3, OUT];
    const halves = [0, 1].map((half) =>
      model.constant(
        [3, 3, 3, OUT / 2],
        Float32Array.from(
          mapCoordinates([3, 3, 3, OUT / 2], ([a = 0, b = 0, c = 0, out = 0]) =>
            Math.round(100 * (stored[flatIndex(shape, [a, b, c, out + (half * OUT) / 2])] ?? 0)),
          ),
        ),
      ),
    );
    const joined = model.one('concat', { axis: 3, operands: null }, ...halves);
    const scales = randomFloats(4, OUT).map((value) => 0.02 + 0.01 * value);
    const scale = model.constant([OUT], scales);
    const exact = model.one('dequantize', { to: null, axis: 3, blockSize: 0 }, joined, scale);
    const weights = model.one('transpose', { permutation: [3, 2, 0, 1] }, exact);
    const expected = Float32Array.from(
      mapCoordinates(
        [OUT, 3, 3, 3],
        ([out = 0, channel = 0, y = 0, column = 0]) =>
          Math.round(100 * (stored[flatIndex(shape, [y, column, channel, out])] ?? 0)) * (scales[out] ?? 0),
      ),
    );
    await expectOutput(convolved(model, weights, model.input('x', x.shape)), { x }, await plain(expected));
  });
});
