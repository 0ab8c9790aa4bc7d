import { describe, expect, it } from 'vitest';
import { ConstantValues } from '../../../src/runtime/network/constants.ts';
import { SmallModel } from '../small-model.ts';

const floats = (model: SmallModel, id: number): readonly number[] | null => {
  const values = new ConstantValues(model.output(id).analyse(), null).floats(id);
  return values && Array.from(values);
};

/** Too large for shape inference to know its elements. */
const LARGE = 5000;

describe('constants that a file computes', () => {
  it('are what the operators make of the stored ones', () => {
    const model = new SmallModel();
    const x = model.constant([LARGE], new Float32Array(LARGE).fill(2));
    const y = model.one('binary', { fn: 'mul', alignAxis: null, truncates: false, left: false }, x, x);
    expect(floats(model, y)?.slice(0, 2)).toEqual([4, 4]);
  });

  it.each([
    ['gather', { axis: 0 }],
    ['gatherElements', { axis: 0 }],
  ] as const)('are unknown where %s reads past the end', (kind, attrs) => {
    const model = new SmallModel();
    const x = model.constant([LARGE], new Float32Array(LARGE));
    expect(floats(model, model.one(kind, attrs, x, model.integers([0, LARGE])))).toBeNull();
    expect(floats(model, model.one(kind, attrs, x, model.integers([-1, -LARGE - 1])))).toBeNull();
    expect(floats(model, model.one(kind, attrs, x, model.integers([0, -1])))).toEqual([0, 0]);
  });

  it.each([-2 * LARGE, LARGE])('are unknown where an update is put at %d', (at) => {
    const model = new SmallModel();
    const x = model.constant([LARGE], new Float32Array(LARGE));
    const rows = model.one('reshape', { zeroCopies: false }, model.integers([at]), model.integers([1, 1]));
    const update = model.constant([1], Float32Array.of(1));
    expect(floats(model, model.one('scatterND', { adds: false }, x, rows, update))).toBeNull();
  });

  it('are unknown where an integer would wrap around', () => {
    const model = new SmallModel();
    const x = model.constant([LARGE], new Float32Array(LARGE).fill(-1));
    expect(floats(model, model.one('cast', { to: 'uint8' }, x))).toBeNull();
    expect(floats(model, model.one('cast', { to: 'int8' }, x))?.[0]).toBe(-1);
  });

  it('are unknown where an integer is divided by zero', () => {
    const model = new SmallModel();
    const x = model.one('cast', { to: 'int32' }, model.constant([LARGE], new Float32Array(LARGE).fill(7)));
    const divide = { fn: 'div', alignAxis: null, truncates: false, left: false } as const;
    expect(floats(model, model.one('binary', divide, x, x))?.[0]).toBe(1);
    const zero = model.one('binary', { ...divide, fn: 'sub' }, x, x);
    expect(floats(model, model.one('binary', divide, x, zero))).toBeNull();
  });

  it('are computed behind one that is too large to be', () => {
    const model = new SmallModel();
    const huge = model.one('constantOfShape', { value: 1, dtype: 'float32' }, model.integers([2 ** 27 + 1]));
    model.output(model.one('unary', { fn: 'relu', alpha: null, beta: null }, huge));
    const x = model.constant([LARGE], new Float32Array(LARGE).fill(3));
    expect(floats(model, model.one('unary', { fn: 'relu', alpha: null, beta: null }, x))?.[0]).toBe(3);
  });
});
