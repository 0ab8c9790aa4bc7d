import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WindowAttrs } from '../../src/ir/operators.ts';
import { UNARY_FUNCTIONS } from '../../src/runtime/kernels/unary-functions.ts';
import { LINEAR } from '../../src/runtime/plan/epilogue.ts';
import { flatIndex, mapCoordinates } from '../../src/runtime/reference/indices.ts';
import { referencePool } from '../../src/runtime/reference/pool.ts';
import { referenceTransposed } from '../../src/runtime/reference/transposed.ts';
import { referenceUnary } from '../../src/runtime/reference/unary.ts';
import { onnxBytes } from '../support/onnx-bytes.ts';
import { analyseBytes } from './corpus-model.ts';
import { randomFloats, relativeError } from './random.ts';
import { runModel, SmallModel, shapeOfOutput, sharedRuntime, throughBlocks } from './small-model.ts';

const count = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);
const tensor = (seed: number, shape: readonly number[]) => ({ shape, data: randomFloats(seed, count(shape)) });
const small = (max: number) => fc.integer({ min: 1, max });
const image = fc.tuple(small(2), small(20), small(9), small(9));
const SEED = { seed: 20260102 };

/** The model's only output against what is expected. */
async function expectOutput(
  model: SmallModel,
  inputs: Readonly<Record<string, ReturnType<typeof tensor>>>,
  expected: ArrayLike<number>,
  tolerance = 1e-5,
): Promise<void> {
  const [output] = await runModel(model, inputs);
  expect(relativeError(output?.data ?? [], expected)).toBeLessThan(tolerance);
}

const windowOf = (kernel: readonly number[], strides: readonly number[], pads: readonly number[]): WindowAttrs => ({
  kernel,
  strides,
  dilations: [],
  padding: { mode: 'explicit', pads },
});

describe('pooling', () => {
  it('takes the greatest or the mean of each window, with and without padding in the count', () =>
    fc.assert(
      fc.asyncProperty(
        image,
        fc.constantFrom('average' as const, 'max' as const),
        fc.tuple(small(3), small(3)),
        fc.tuple(small(3), small(3)),
        fc.boolean(),
        async ([items, channels, height, width], fn, kernel, strides, countsPadding) => {
          const pads = [kernel[0] - 1, 0, 0, kernel[1] - 1] as const;
          const model = new SmallModel();
          const x = model.input('x', [items, channels, height, width]);
          const attrs = { ...windowOf(kernel, strides, pads), fn, ceil: false, channelsLast: false, countsPadding };
          const y = model.one('pool', attrs, throughBlocks(model, x, channels));
          const analysed = model.output(y).analyse();
          const [, , outHeight = 0, outWidth = 0] = shapeOfOutput(analysed);
          if (outHeight < 1 || outWidth < 1) return;
          const input = tensor(channels, [items, channels, height, width]);
          const source = { items, channels, height, width, data: input.data };
          const expected = referencePool({ fn, kernel, strides, pads, countsPadding }, source, outHeight, outWidth);
          await expectOutput(model, { x: input }, expected.data);
        },
      ),
      { numRuns: 60, ...SEED },
    ));

  it('reduces whole planes', () =>
    fc.assert(
      fc.asyncProperty(image, fc.constantFrom('average' as const, 'max' as const), async (shape, fn) => {
        const model = new SmallModel();
        const y = model.one(
          'globalPool',
          { fn, channelsLast: false },
          throughBlocks(model, model.input('x', shape), shape[1]),
        );
        const input = tensor(3, shape);
        const each = shape[2] * shape[3];
        const expected = mapCoordinates([shape[0], shape[1]], ([n = 0, c = 0]) => {
          const plane = [...input.data.subarray((n * shape[1] + c) * each, (n * shape[1] + c + 1) * each)];
          return fn === 'max' ? Math.max(...plane) : plane.reduce((sum, value) => sum + value, 0) / each;
        });
        await expectOutput(model.output(y), { x: input }, expected);
      }),
      { numRuns: 30, ...SEED },
    ));
});

describe('elementwise operators', () => {
  const FUNCTIONS = {
    add: (a: number, b: number) => a + b,
    sub: (a: number, b: number) => a - b,
    mul: (a: number, b: number) => a * b,
    div: (a: number, b: number) => a / b,
  };
  const binary = { alignAxis: null, truncates: false, left: false };

  it('broadcast two tensors, in blocks and row-major', () =>
    fc.assert(
      fc.asyncProperty(
        image,
        fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
        fc.constantFrom('add' as const, 'sub' as const, 'mul' as const, 'div' as const),
        fc.boolean(),
        fc.boolean(),
        async (shape, repeats, fn, inBlocks, swapped) => {
          const other = shape.map((extent, axis) => (repeats[axis] ? 1 : extent));
          const model = new SmallModel();
          const a = model.input('a', shape);
          const b = model.input('b', other);
          const left = inBlocks ? throughBlocks(model, a, shape[1]) : a;
          const y = model.one('binary', { fn, ...binary }, ...(swapped ? [b, left] : [left, b]));
          const inputs = {
            a: tensor(1, shape),
            b: { shape: other, data: randomFloats(2, count(other)).map((v) => v + 2) },
          };
          const at = (which: 'a' | 'b', coordinates: readonly number[]): number =>
            inputs[which].data[flatIndex(inputs[which].shape, coordinates)] ?? 0;
          const [first, second] = swapped ? (['b', 'a'] as const) : (['a', 'b'] as const);
          if (fn === 'div' && swapped) return;
          const expected = mapCoordinates(shape, (at2) => FUNCTIONS[fn](at(first, at2), at(second, at2)));
          await expectOutput(model.output(y), inputs, expected);
        },
      ),
      { numRuns: 120, ...SEED },
    ));

  const OVER_OPERANDS = {
    sum: (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0),
    mean: (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length,
    max: (values: readonly number[]) => Math.max(...values),
    min: (values: readonly number[]) => Math.min(...values),
  };

  it('join any number of tensors, in blocks and row-major', () =>
    fc.assert(
      fc.asyncProperty(
        image,
        fc.array(fc.tuple(fc.boolean(), fc.constantFrom('whole', 'channels', 'pixels', 'one')), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.constantFrom('sum' as const, 'mean' as const, 'max' as const, 'min' as const),
        async (shape, drawn, fn) => {
          const [items, channels, height, width] = shape;
          const shapes = { whole: shape, channels: [channels, 1, 1], pixels: [items, 1, height, width], one: [1] };
          const model = new SmallModel();
          const operands = [[false, 'whole'] as const, ...drawn].map(([inBlocks, what], index) => {
            const input = tensor(index + 1, shapes[what as keyof typeof shapes]);
            const id = model.input(`x${index}`, input.shape);
            return { input, id: inBlocks && what === 'whole' ? throughBlocks(model, id, channels) : id };
          });
          model.output(model.one('variadic', { fn }, ...operands.map(({ id }) => id)));
          const inputs = Object.fromEntries(operands.map(({ input }, index) => [`x${index}`, input]));
          const aligned = (at: readonly number[], own: readonly number[]) =>
            own.map((extent, axis) => (extent === 1 ? 0 : (at[axis + at.length - own.length] ?? 0)));
          const expected = mapCoordinates(shape, (at) =>
            OVER_OPERANDS[fn](
              operands.map(({ input }) => input.data[flatIndex(input.shape, aligned(at, input.shape))] ?? 0),
            ),
          );
          await expectOutput(model, inputs, expected);
        },
      ),
      { numRuns: 120, ...SEED },
    ));

  it('leave a single tensor as it is', async () => {
    const model = new SmallModel();
    const x = tensor(1, [2, 3, 5]);
    model.output(model.one('variadic', { fn: 'mean' }, model.input('x', x.shape)));
    await expectOutput(model, { x }, x.data);
  });

  it('are computed on constants, too, as far as those are not there before the run', async () => {
    const model = new SmallModel();
    const variance = model.constant([1, 1, 1, 3], Float32Array.of(4, 9, 16));
    const deviation = model.one('unary', { fn: 'sqrt', alpha: null, beta: null }, variance);
    const bounded = model.one('variadic', { fn: 'max' }, deviation, model.constant([1], Float32Array.of(3)));
    const y = model.one('binary', { fn: 'div', ...binary }, model.input('x', [1, 2, 2, 3]), bounded);
    const x = tensor(1, [1, 2, 2, 3]);
    const deviations = [3, 3, 4];
    await expectOutput(
      model.output(y),
      { x },
      x.data.map((value, index) => value / (deviations[index % 3] ?? 1)),
    );
  });

  it('compute every function of one variable', async () => {
    const data = Float32Array.from({ length: 203 }, (_, index) => (index - 100) / 9 + 0.001);
    for (const fn of Object.keys(UNARY_FUNCTIONS) as (keyof typeof UNARY_FUNCTIONS)[]) {
      if (fn === 'clamp') continue;
      const isPositive = ['log', 'sqrt', 'rsqrt', 'reciprocal'].includes(fn);
      const x = isPositive ? data.map((value) => Math.abs(value) + 0.01) : data;
      const model = new SmallModel();
      const y = model.one('unary', { fn, alpha: 0.3, beta: 0.4 }, model.input('x', [203]));
      const [output] = await runModel(model.output(y), { x: { shape: [203], data: x } });
      const expected = x.map((value) => referenceUnary(fn, value, 0.3, 0.4));
      for (const [index, value] of expected.entries()) {
        expect(Math.abs((output?.data[index] ?? Number.NaN) - value), `${fn}(${x[index]})`).toBeLessThan(
          1e-6 + Math.abs(value) * 1e-5,
        );
      }
    }
  });
});

describe('convolution with channels last', () => {
  const CHANNELS = 3;
  const OUT = 5;

  it.each([
    ['first', false],
    ['last', true],
  ])('takes weights with their channels %s', async (_, weightChannelsLast) => {
    const model = new SmallModel();
    const x = tensor(1, [1, 6, 7, CHANNELS]);
    // O, I, height, width; the window is not square, so that no two axes can be mistaken for each other.
    const filter = tensor(2, [OUT, CHANNELS, 2, 3]);
    const weight = (out: number, channel: number, ky: number, kx: number): number =>
      filter.data[flatIndex(filter.shape, [out, channel, ky, kx])] ?? 0;
    const lastShape = [OUT, 2, 3, CHANNELS];
    const last = Float32Array.from(mapCoordinates(lastShape, ([o = 0, ky = 0, kx = 0, i = 0]) => weight(o, i, ky, kx)));
    const weights = weightChannelsLast ? model.constant(lastShape, last) : model.constant(filter.shape, filter.data);
    const layout = { channelsLast: true, weightChannelsLast } as const;
    const attrs = { ...windowOf([2, 3], [], []), ...layout, groups: 1, activation: null, result: 'same' } as const;
    const y = model.one('conv', attrs, model.input('x', x.shape), weights);
    const expected = mapCoordinates([1, 5, 5, OUT], ([, row = 0, column = 0, out = 0]) => {
      let sum = 0;
      for (const [index, value] of last.entries()) {
        if (Math.floor(index / (6 * CHANNELS)) !== out) continue;
        const tap = Math.floor(index / CHANNELS) % 6;
        const at = [0, row + Math.floor(tap / 3), column + (tap % 3), index % CHANNELS];
        sum += value * (x.data[flatIndex(x.shape, at)] ?? 0);
      }
      return sum;
    });
    await expectOutput(model.output(y), { x }, expected);
  });
});

describe('FastGelu, as onnxruntime writes it', () => {
  it('is the form of tanh, and no other', async () => {
    const bytes = onnxBytes({
      opsets: { '': 17, 'com.microsoft': 1 },
      inputs: { x: [3] },
      nodes: [{ op: 'FastGelu', domain: 'com.microsoft', inputs: ['x'], outputs: ['y'] }],
      outputs: ['y'],
    });
    const network = await (await sharedRuntime()).load(analyseBytes(bytes));
    const { y } = network.run({ x: { shape: [3], data: Float32Array.of(-2, 0, 1) } });
    await network.close();
    expect(y?.data[0]).toBeCloseTo(-0.0454, 5);
    expect(y?.data[1]).toBe(0);
    expect(y?.data[2]).toBeCloseTo(0.84119, 5);
  });
});

describe('operators that the runtime refuses', () => {
  const refusal = async (model: SmallModel): Promise<string> =>
    (await sharedRuntime()).load(model.analyse()).then(
      () => 'none',
      (error: Error) => error.message,
    );

  it('are products whose first operand is rotated, or with an activation of their own', async () => {
    const plain = { transposeA: false, transposeB: false, rotateB: false, alpha: 1, result: 'same' } as const;
    const product = (attrs: { readonly rotateA: boolean; readonly activation: string | null }): SmallModel => {
      const model = new SmallModel();
      const weights = model.constant([4, 5], randomFloats(1, 20));
      return model.output(model.one('matmul', { ...plain, ...attrs }, model.input('x', [2, 3, 4]), weights));
    };
    expect(await refusal(product({ rotateA: false, activation: null }))).toBe('none');
    expect(await refusal(product({ rotateA: true, activation: null }))).toMatch(/rotated/);
    expect(await refusal(product({ rotateA: false, activation: 'FastGelu' }))).toMatch(/FastGelu/);
  });

  it('are convolutions with an activation of their own that a name alone does not tell', async () => {
    const window = windowOf([1, 1], [], []);
    const layout = { channelsLast: false, weightChannelsLast: false, groups: 1, result: 'same' } as const;
    const convolution = (activation: string): SmallModel => {
      const model = new SmallModel();
      const weights = model.constant([8, 8, 1, 1], randomFloats(1, 64));
      return model.output(
        model.one('conv', { ...window, ...layout, activation }, model.input('x', [1, 8, 4, 4]), weights),
      );
    };
    const refused: string[] = [];
    for (const name of Object.keys(UNARY_FUNCTIONS)) {
      if ((await refusal(convolution(name))) !== 'none') refused.push(name);
    }
    // Each of these takes a slope, a threshold or bounds, which are not in its name.
    const parametric = ['celu', 'elu', 'hardSigmoid', 'leakyRelu', 'quickGelu', 'thresholdedRelu', 'clamp'];
    expect(refused).toEqual(parametric);
    expect(await refusal(convolution('QuickGelu'))).toMatch(/its activation is QuickGelu/);
  });

  it('are pads of more than any machine holds, told at once', async () => {
    const padded = (mode: 'edge' | 'reflect' | 'wrap', behind: number): SmallModel => {
      const model = new SmallModel();
      const pads = model.integers([0, 0, 0, 0, 0, 0, 0, behind]);
      return model.output(model.one('pad', { mode }, model.input('x', [1, 1, 1, 4]), pads));
    };
    for (const behind of [2 ** 33, 2 ** 45]) {
      for (const mode of ['reflect', 'wrap'] as const) {
        expect(await refusal(padded(mode, behind))).toMatch(/it pads by too many times the extent/);
      }
      expect(await refusal(padded('edge', behind))).toMatch(/needs [\d.,]+ GB of memory/);
    }
  });

  it('are updates whose indices name no axis', async () => {
    const model = new SmallModel();
    const [x, updates] = [model.input('x', [2, 3]), model.input('updates', [5, 2, 3])];
    const indices = model.integers([], [5, 0]);
    model.output(model.one('scatterND', { adds: false }, x, indices, updates));
    expect(await refusal(model)).toMatch(/its indices name no axis/);
  });

  it('are softmax functions with a bias', async () => {
    const model = new SmallModel();
    const [x, bias] = [model.input('x', [2, 3]), model.input('bias', [2, 3])];
    model.output(model.one('softmax', { axis: 1, coerces: true, log: false }, x, bias));
    expect(await refusal(model)).toMatch(/inputs beyond the first/);
  });

  it('are joints of quantised tensors, and resizing of a region', async () => {
    const joint = new SmallModel();
    const [a, b] = [joint.input('a', [1, 2]), joint.input('b', [1, 3])];
    joint.output(joint.one('concat', { axis: 1, operands: [0, 1] }, a, b));
    expect(await refusal(joint)).toMatch(/quantised/);
    const region = new SmallModel();
    const cubic = { cubicCoefficient: -0.75, excludesOutside: false, antialiases: false };
    const resize = { axes: null, policy: 'stretch', mode: 'linear', nearest: 'floor', ...cubic } as const;
    const attrs = { ...resize, coordinates: 'tf_crop_and_resize' };
    const x = region.input('x', [1, 3, 4, 5]);
    region.output(region.one('resize', attrs, x, null, region.integers([1, 3, 9, 7])));
    expect(await refusal(region)).toMatch(/tf_crop_and_resize/);
  });

  it('are sums over more than five axes', async () => {
    for (const kind of ['variadic', 'prelu'] as const) {
      const model = new SmallModel();
      const [a, b] = [model.input('a', [1, 2, 1, 2, 1, 2]), model.input('b', [1, 1, 1, 1, 1, 2])];
      model.output(kind === 'prelu' ? model.one('prelu', {}, a, b) : model.one('variadic', { fn: 'sum' }, a, b));
      expect(await refusal(model)).toMatch(/more than 5 axes/);
    }
  });
});

describe('transposed convolution', () => {
  it('adds each input to the outputs that its filter reaches', () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          items: small(2),
          groups: small(3),
          inPerGroup: small(6),
          outPerGroup: small(6),
          height: small(5),
          width: small(5),
          kernel: fc.tuple(small(4), small(4)),
          strides: fc.tuple(small(3), small(3)),
          dilations: fc.tuple(small(2), small(2)),
        }),
        async (draw) => {
          const { items, groups, height, width, kernel, strides, dilations } = draw;
          const inChannels = groups * draw.inPerGroup;
          const outChannels = groups * draw.outPerGroup;
          const pads = kernel.map((extent) => Math.floor((extent - 1) / 2));
          const weights = randomFloats(4, inChannels * draw.outPerGroup * kernel[0] * kernel[1]);
          const bias = randomFloats(5, outChannels);
          const model = new SmallModel();
          const x = model.input('x', [items, inChannels, height, width]);
          const w = model.constant([inChannels, draw.outPerGroup, ...kernel], weights);
          const attrs = {
            ...windowOf(kernel, strides, [...pads, ...pads]),
            dilations,
            groups,
            channelsLast: false,
            activation: null,
            outputPadding: [],
            outputShape: null,
          };
          const y = model.one('convTranspose', attrs, x, w, model.constant([outChannels], bias));
          const [, , outHeight = 0, outWidth = 0] = shapeOfOutput(model.output(y).analyse());
          if (outHeight < 1 || outWidth < 1) return;
          const input = tensor(6, [items, inChannels, height, width]);
          const expected = referenceTransposed(
            {
              inChannels,
              outChannels,
              groups,
              kernelHeight: kernel[0],
              kernelWidth: kernel[1],
              strideY: strides[0],
              strideX: strides[1],
              dilationY: dilations[0],
              dilationX: dilations[1],
              padTop: pads[0] ?? 0,
              padLeft: pads[1] ?? 0,
              outHeight,
              outWidth,
              weights: () => weights,
              bias: () => bias,
              epilogue: LINEAR,
            },
            { items, channels: inChannels, height, width, data: input.data },
          );
          await expectOutput(model, { x: input }, expected.data);
        },
      ),
      { numRuns: 80, ...SEED },
    ));
});

describe('operators that move elements', () => {
  const joined = fc.record({
    shape: image,
    axis: fc.integer({ min: 0, max: 3 }),
    other: small(20),
    inBlocks: fc.boolean(),
  });

  it('concat and split are each other’s inverse', () =>
    fc.assert(
      fc.asyncProperty(joined, async ({ shape, axis, other, inBlocks }) => {
        const otherShape = shape.map((extent, index) => (index === axis ? other : extent));
        const model = new SmallModel();
        const a = model.input('a', shape);
        const b = model.input('b', otherShape);
        const parts = inBlocks
          ? [throughBlocks(model, a, shape[1]), throughBlocks(model, b, otherShape[1] ?? 1)]
          : [a, b];
        const whole = model.one('concat', { axis, operands: null }, ...parts);
        const lengths = model.integers([shape[axis] ?? 1, other]);
        for (const id of model.node('split', { axis, parts: null }, [whole, lengths], 2)) model.output(id);
        model.output(whole);
        const inputs = { a: tensor(1, shape), b: tensor(2, otherShape) };
        const [first, second, all] = await runModel(model, inputs);
        expect(relativeError(first?.data ?? [], inputs.a.data)).toBeLessThan(1e-6);
        expect(relativeError(second?.data ?? [], inputs.b.data)).toBeLessThan(1e-6);
        expect(all?.data.length).toBe(inputs.a.data.length + inputs.b.data.length);
      }),
      { numRuns: 60, ...SEED },
    ));

  it('transpose, pad and slice take elements from where they should', () =>
    fc.assert(
      fc.asyncProperty(
        image,
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4, maxLength: 4 }),
        fc.tuple(small(2), small(2), small(2), small(2)),
        fc.boolean(),
        async (shape, permutation, pads, inBlocks) => {
          const model = new SmallModel();
          const x = model.input('x', shape);
          const source = inBlocks ? throughBlocks(model, x, shape[1]) : x;
          const behind = [0, 0, ...pads.slice(2)];
          const before = inBlocks ? [0, 0, ...pads.slice(0, 2)] : pads;
          const padded = model.one(
            'pad',
            { mode: 'constant' },
            source,
            model.integers([...before, ...behind]),
            null,
            null,
          );
          const moved = model.one('transpose', { permutation }, padded);
          const starts = permutation.map((axis) => before[axis] ?? 0);
          const ends = permutation.map((axis, index) => (starts[index] ?? 0) + (shape[axis] ?? 0));
          const axes = model.integers([0, 1, 2, 3]);
          const cut = model.one('slice', {}, moved, model.integers(starts), model.integers(ends), axes, null);
          const input = tensor(1, shape);
          const expected = mapCoordinates(
            permutation.map((axis) => shape[axis] ?? 1),
            (at) => {
              const original = shape.map((_, axis) => at[permutation.indexOf(axis)] ?? 0);
              return input.data[flatIndex(shape, original)] ?? 0;
            },
          );
          await expectOutput(model.output(cut), { x: input }, expected);
        },
      ),
      { numRuns: 80, ...SEED },
    ));
});

describe('reductions, softmax and resize', () => {
  it('reduce any axes', () =>
    fc.assert(
      fc.asyncProperty(
        image,
        fc.subarray([0, 1, 2, 3], { minLength: 1 }),
        fc.boolean(),
        fc.boolean(),
        async (shape, axes, keepDims, inBlocks) => {
          const model = new SmallModel();
          const x = model.input('x', shape);
          const source = inBlocks ? throughBlocks(model, x, shape[1]) : x;
          const y = model.one('reduce', { fn: 'mean', keepDims, noopWithoutAxes: false }, source, model.integers(axes));
          const input = tensor(1, shape);
          const kept = shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
          const sums = new Float64Array(count(kept));
          mapCoordinates(shape, (at) => {
            const target = flatIndex(kept, at);
            sums[target] = (sums[target] ?? 0) + (input.data[flatIndex(shape, at)] ?? 0);
            return 0;
          });
          await expectOutput(
            model.output(y),
            { x: input },
            sums.map((sum) => (sum * sums.length) / input.data.length),
          );
        },
      ),
      { numRuns: 60, ...SEED },
    ));

  it('softmax sums to one along its axis and keeps the ratios', () =>
    fc.assert(
      fc.asyncProperty(image, fc.integer({ min: 0, max: 3 }), async (shape, axis) => {
        const model = new SmallModel();
        const y = model.one('softmax', { axis, coerces: false, log: false }, model.input('x', shape));
        const input = tensor(1, shape);
        const summed = shape.map((extent, index) => (index === axis ? 1 : extent));
        const sums = new Float64Array(count(summed));
        mapCoordinates(shape, (at) => {
          const target = flatIndex(summed, at);
          sums[target] = (sums[target] ?? 0) + Math.exp(input.data[flatIndex(shape, at)] ?? 0);
          return 0;
        });
        const expected = mapCoordinates(
          shape,
          (at) => Math.exp(input.data[flatIndex(shape, at)] ?? 0) / (sums[flatIndex(summed, at)] ?? 1),
        );
        await expectOutput(model.output(y), { x: input }, expected);
      }),
      { numRuns: 30, ...SEED },
    ));

  const resize = {
    axes: null,
    policy: 'stretch',
    cubicCoefficient: -0.75,
    excludesOutside: false,
    antialiases: false,
  } as const;

  it.each([
    [
      [2, 4, 5, 3],
      [2, 8, 10, 3],
    ],
    [
      [1, 7, 9],
      [1, 14, 9],
    ],
  ])('resize repeats pixels with their channels last: %j to %j', async (from, to) => {
    const model = new SmallModel();
    const attrs = { ...resize, mode: 'nearest', coordinates: 'asymmetric', nearest: 'floor' } as const;
    model.output(model.one('resize', attrs, model.input('x', from), null, model.integers(to)));
    const x = tensor(1, from);
    const expected = mapCoordinates(to, (at) => {
      const source = at.map((position, axis) => Math.floor((position * (from[axis] ?? 1)) / (to[axis] ?? 1)));
      return x.data[flatIndex(from, source)] ?? 0;
    });
    await expectOutput(model, { x }, expected);
  });

  it('resize takes the nearest pixel, or blends the four around', async () => {
    for (const mode of ['nearest', 'linear'] as const) {
      const model = new SmallModel();
      const x = model.input('x', [1, 3, 4, 5]);
      const attrs = { ...resize, mode, coordinates: 'half_pixel', nearest: 'round_prefer_floor' };
      const y = model.one('resize', attrs, x, null, model.integers([1, 3, 9, 7]));
      const input = tensor(1, [1, 3, 4, 5]);
      const at = (c: number, row: number, column: number): number => input.data[(c * 4 + row) * 5 + column] ?? 0;
      const inside = (value: number, extent: number): number => Math.max(0, Math.min(extent - 1, value));
      const expected = mapCoordinates([1, 3, 9, 7], ([, c = 0, row = 0, column = 0]) => {
        const py = ((row + 0.5) * 4) / 9 - 0.5;
        const px = ((column + 0.5) * 5) / 7 - 0.5;
        if (mode === 'nearest') return at(c, inside(Math.ceil(py - 0.5), 4), inside(Math.ceil(px - 0.5), 5));
        const [top, left] = [Math.floor(inside(py, 4)), Math.floor(inside(px, 5))];
        const [wy, wx] = [inside(py, 4) - top, inside(px, 5) - left];
        const blend = (r: number): number => at(c, r, left) * (1 - wx) + at(c, r, inside(left + 1, 5)) * wx;
        return blend(top) * (1 - wy) + blend(inside(top + 1, 4)) * wy;
      });
      await expectOutput(model.output(y), { x: input }, expected);
    }
  });
});
