import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flatIndex, mapCoordinates } from '../../src/runtime/reference/indices.ts';
import { randomFloats, relativeError } from './random.ts';
import { runModel, SmallModel, throughBlocks } from './small-model.ts';

const SEED = { seed: 20260103 };
const count = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);
const tensor = (seed: number, shape: readonly number[]) => ({ shape, data: randomFloats(seed, count(shape)) });
const small = (max: number) => fc.integer({ min: 1, max });
const EPSILON = 1e-3;

/** (x − mean) / √(variance + ε) over the elements that `rowOf` puts together. */
function normalised(data: Float32Array, rowOf: (index: number) => number, rms: boolean): number[] {
  const rows = new Map<number, number[]>();
  for (const [index, value] of data.entries()) rows.set(rowOf(index), [...(rows.get(rowOf(index)) ?? []), value]);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const statistics = new Map(
    [...rows].map(([row, values]) => {
      const centre = rms ? 0 : mean(values);
      return [row, { centre, deviation: Math.sqrt(mean(values.map((value) => (value - centre) ** 2)) + EPSILON) }];
    }),
  );
  return Array.from(data, (value, index) => {
    const { centre, deviation } = statistics.get(rowOf(index)) ?? { centre: 0, deviation: 1 };
    return (value - centre) / deviation;
  });
}

async function expectOutput(model: SmallModel, inputs: Parameters<typeof runModel>[1], expected: ArrayLike<number>) {
  const [output] = await runModel(model, inputs);
  expect(relativeError(output?.data ?? [], expected)).toBeLessThan(2e-5);
}

describe('norms', () => {
  it('over the last axes take any number of elements, with the mean or without', () =>
    fc.assert(
      fc.asyncProperty(small(3), small(4), small(21), fc.boolean(), fc.boolean(), async (a, b, c, rms, both) => {
        const shape = [a, b, c];
        const own = both ? [b, c] : [c];
        const [scale, bias] = [randomFloats(1, count(own)), randomFloats(2, count(own))];
        const model = new SmallModel();
        const attrs = { axis: both ? 1 : -1, rms, epsilon: EPSILON };
        const y = model.one(
          'layerNorm',
          attrs,
          model.input('x', shape),
          model.constant(own, scale),
          model.constant(own, bias),
        );
        const x = tensor(3, shape);
        const each = count(own);
        const rows = normalised(x.data, (index) => Math.floor(index / each), rms);
        const expected = rows.map((value, index) => value * (scale[index % each] ?? 0) + (bias[index % each] ?? 0));
        await expectOutput(model.output(y), { x }, expected);
      }),
      { numRuns: 60, ...SEED },
    ));

  it('over the channels of an image in blocks, too', () =>
    fc.assert(
      fc.asyncProperty(
        small(2),
        fc.constantFrom(8, 24, 13),
        small(5),
        small(5),
        async (items, channels, height, width) => {
          const shape = [items, channels, height, width];
          const scale = randomFloats(1, channels);
          const model = new SmallModel();
          const image = throughBlocks(model, model.input('x', shape), channels);
          const last = model.one('transpose', { permutation: [0, 2, 3, 1] }, image);
          const attrs = { axis: -1, rms: false, epsilon: EPSILON };
          const normal = model.one('layerNorm', attrs, last, model.constant([channels], scale), null);
          const y = model.one('transpose', { permutation: [0, 3, 1, 2] }, normal);
          const x = tensor(3, shape);
          const plane = height * width;
          const channelOf = (index: number): number => Math.floor(index / plane) % channels;
          const pixelOf = (index: number): number => Math.floor(index / (plane * channels)) * plane + (index % plane);
          const expected = normalised(x.data, pixelOf, false).map(
            (value, index) => value * (scale[channelOf(index)] ?? 0),
          );
          await expectOutput(model.output(y), { x }, expected);
        },
      ),
      { numRuns: 30, ...SEED },
    ));

  it('over planes, and over groups of them', () =>
    fc.assert(
      fc.asyncProperty(
        small(2),
        small(3),
        small(4),
        small(7),
        fc.boolean(),
        async (items, groups, each, extent, whole) => {
          const channels = groups * each;
          const shape = [items, channels, extent, 3];
          const [scale, bias] = [randomFloats(1, channels), randomFloats(2, channels)];
          const model = new SmallModel();
          const inputs = [model.input('x', shape), model.constant([channels], scale), model.constant([channels], bias)];
          const y = whole
            ? model.one('instanceNorm', { epsilon: EPSILON }, ...inputs)
            : model.one('groupNorm', { groups, activation: false, epsilon: EPSILON }, ...inputs);
          const x = tensor(3, shape);
          const plane = extent * 3;
          const rows = normalised(x.data, (index) => Math.floor(index / (whole ? plane : plane * each)), false);
          const channelOf = (index: number): number => Math.floor(index / plane) % channels;
          const expected = rows.map((value, i) => value * (scale[channelOf(i)] ?? 0) + (bias[channelOf(i)] ?? 0));
          await expectOutput(model.output(y), { x }, expected);
        },
      ),
      { numRuns: 40, ...SEED },
    ));
});

describe('products', () => {
  const attrs = { rotateA: false, rotateB: false, activation: null, result: 'same' } as const;

  it('of two computed tensors repeat what is shared by a batch', () =>
    fc.assert(
      fc.asyncProperty(
        fc.tuple(small(2), small(3)),
        fc.tuple(small(9), small(7), small(19)),
        fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
        async ([first, second], [rows, inner, columns], [transposeA, transposeB, isShared, isFlat]) => {
          const [m, n] = [transposeA ? [inner, rows] : [rows, inner], transposeB ? [columns, inner] : [inner, columns]];
          const a = tensor(1, [first, second, ...m]);
          const b = tensor(2, isFlat ? n : [isShared ? 1 : first, second, ...n]);
          const model = new SmallModel();
          const product = { ...attrs, transposeA, transposeB, alpha: 0.5 };
          const y = model.one('matmul', product, model.input('a', a.shape), model.input('b', b.shape));
          const at = ({ shape, data }: typeof a, [i, j]: readonly [number, number], row: number, column: number) =>
            data[flatIndex(shape, [shape[0] === 1 ? 0 : i, j, row, column].slice(-shape.length))] ?? 0;
          const expected = mapCoordinates([first, second, rows, columns], ([i = 0, j = 0, row = 0, column = 0]) => {
            let sum = 0;
            for (let k = 0; k < inner; k++) {
              const left = transposeA ? at(a, [i, j], k, row) : at(a, [i, j], row, k);
              sum += left * (transposeB ? at(b, [i, j], column, k) : at(b, [i, j], k, column));
            }
            return sum / 2;
          });
          await expectOutput(model.output(y), { a, b }, expected);
        },
      ),
      { numRuns: 80, ...SEED },
    ));

  it('with constant weights take rows of any number of axes', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(small(4), { minLength: 1, maxLength: 4 }),
        small(19),
        small(19),
        async (rows, inner, columns) => {
          const x = tensor(1, [...rows, inner]);
          const weights = randomFloats(2, inner * columns);
          const model = new SmallModel();
          const product = { ...attrs, transposeA: false, transposeB: false, alpha: 1 };
          const y = model.one('matmul', product, model.input('x', x.shape), model.constant([inner, columns], weights));
          const expected = mapCoordinates([count(rows), columns], ([row = 0, column = 0]) => {
            let sum = 0;
            for (let k = 0; k < inner; k++)
              sum += (x.data[row * inner + k] ?? 0) * (weights[k * columns + column] ?? 0);
            return sum;
          });
          await expectOutput(model.output(y), { x }, expected);
        },
      ),
      { numRuns: 40, ...SEED },
    ));
});
