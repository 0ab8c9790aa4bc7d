import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WindowAttrs } from '../../src/ir/operators.ts';
import { flatIndex, mapCoordinates } from '../../src/runtime/reference/indices.ts';
import { randomFloats, relativeError } from './random.ts';
import { runModel, SmallModel } from './small-model.ts';

type Axes = readonly [depth: number, height: number, width: number];

interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What a volume is seen through, by axis. */
interface Window {
  readonly kernel: Axes;
  readonly strides: Axes;
  readonly dilations: Axes;
  readonly pads: Axes;
}

const tensor = (seed: number, shape: readonly number[]): Tensor => ({
  shape,
  data: randomFloats(
    seed,
    shape.reduce((product, extent) => product * extent, 1),
  ),
});

const upTo = (max: number) => fc.integer({ min: 1, max });
const axes = (max: number) => fc.tuple(upTo(max), upTo(max), upTo(max));
const window: fc.Arbitrary<Window> = fc.record({
  kernel: fc.oneof(axes(3), fc.constantFrom<Axes>([1, 3, 3], [3, 1, 1], [2, 1, 1], [3, 3, 3])),
  strides: axes(2),
  dilations: fc.oneof(fc.constant<Axes>([1, 1, 1]), axes(2)),
  pads: fc.tuple(fc.nat(1), fc.nat(1), fc.nat(1)),
});

const attrsOf = ({ kernel, strides, dilations, pads }: Window): WindowAttrs => ({
  kernel,
  strides,
  dilations,
  padding: { mode: 'explicit', pads: [...pads, ...pads] },
});

/** Calls with every position of the window that lies within the volume: its tap, and where it reads. */
function overWindow(
  { kernel, strides, dilations, pads }: Window,
  extents: readonly number[],
  position: readonly number[],
  visit: (tap: Axes, at: Axes) => void,
): void {
  mapCoordinates(kernel, ([kz = 0, ky = 0, kx = 0]) => {
    const tap: Axes = [kz, ky, kx];
    const along = (axis: 0 | 1 | 2): number =>
      (position[axis] ?? 0) * strides[axis] - pads[axis] + tap[axis] * dilations[axis];
    const at: Axes = [along(0), along(1), along(2)];
    if (at.every((index, axis) => index >= 0 && index < (extents[axis] ?? 0))) visit(tap, at);
    return 0;
  });
}

const element = ({ shape, data }: Tensor, at: readonly number[]): number => data[flatIndex(shape, at)] ?? 0;

const outputExtents = ({ kernel, strides, dilations, pads }: Window, extents: readonly number[]): readonly number[] =>
  ([0, 1, 2] as const).map((axis) => {
    const reach = (kernel[axis] - 1) * dilations[axis] + 1;
    return Math.floor(((extents[axis] ?? 0) + 2 * pads[axis] - reach) / strides[axis]) + 1;
  });

async function expectOutput(
  model: SmallModel,
  inputs: Readonly<Record<string, Tensor>>,
  expected: ArrayLike<number>,
): Promise<void> {
  const [output] = await runModel(model, inputs);
  expect(relativeError(output?.data ?? [], expected)).toBeLessThan(1e-5);
}

const SEED = 20260103;

describe('volumes', () => {
  it('are convolved with windows over depth, height and width, in groups too, and added to', () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          items: upTo(2),
          groups: fc.constantFrom(1, 1, 2, 3),
          inPerGroup: fc.constantFrom(1, 3, 4, 8, 17),
          outPerGroup: fc.constantFrom(1, 5, 8, 16),
          extents: axes(5),
          seen: window,
        }),
        async ({ items, groups, inPerGroup, outPerGroup, extents, seen }) => {
          const out = groups * outPerGroup;
          const shape = [items, out, ...outputExtents(seen, extents)];
          if (shape.some((extent) => extent < 1)) return;
          const x = tensor(1, [items, groups * inPerGroup, ...extents]);
          const added = tensor(2, shape);
          const weights = tensor(3, [out, inPerGroup, ...seen.kernel]);
          const bias = tensor(4, [out]);
          const layout = { channelsLast: false, weightChannelsLast: false, groups, activation: null } as const;
          const model = new SmallModel();
          const constants = [weights, bias].map(({ shape, data }) => model.constant(shape, data));
          const residual = model.input('added', shape);
          const attrs = { ...attrsOf(seen), ...layout, result: 'same' } as const;
          const y = model.one('conv', attrs, model.input('x', x.shape), ...constants);
          const sum = { fn: 'add', alignAxis: null, truncates: false, left: false } as const;
          const expected = mapCoordinates(shape, (at) => {
            const [item = 0, channel = 0, ...position] = at;
            const first = Math.floor(channel / outPerGroup) * inPerGroup;
            let value = element(bias, [channel]) + element(added, at);
            overWindow(seen, extents, position, (tap, from) => {
              for (let i = 0; i < inPerGroup; i++) {
                value += element(weights, [channel, i, ...tap]) * element(x, [item, first + i, ...from]);
              }
            });
            return value;
          });
          await expectOutput(model.output(model.one('binary', sum, y, residual)), { x, added }, expected);
        },
      ),
      { numRuns: 80, seed: SEED },
    ));

  it('are pooled, their padding counted or not', () =>
    fc.assert(
      fc.asyncProperty(
        fc.tuple(upTo(2), upTo(10)),
        axes(6),
        window,
        fc.constantFrom('average' as const, 'max' as const),
        fc.boolean(),
        async ([items, channels], extents, seen, fn, countsPadding) => {
          // No window lies in the padding alone.
          if (seen.kernel.some((extent, axis) => (extent - 1) * (seen.dilations[axis] ?? 1) < (seen.pads[axis] ?? 0)))
            return;
          const shape = [items, channels, ...outputExtents(seen, extents)];
          if (shape.some((extent) => extent < 1)) return;
          const x = tensor(5, [items, channels, ...extents]);
          const model = new SmallModel();
          const attrs = { ...attrsOf(seen), fn, ceil: false, channelsLast: false, countsPadding };
          const y = model.one('pool', attrs, model.input('x', x.shape));
          const taps = seen.kernel.reduce((product, extent) => product * extent, 1);
          const expected = mapCoordinates(shape, ([item = 0, channel = 0, ...position]) => {
            const values: number[] = [];
            overWindow(seen, extents, position, (_, at) => values.push(element(x, [item, channel, ...at])));
            if (fn === 'max') return Math.max(...values);
            return values.reduce((sum, value) => sum + value, 0) / (countsPadding ? taps : values.length);
          });
          await expectOutput(model.output(y), { x }, expected);
        },
      ),
      { numRuns: 80, seed: SEED },
    ));

  it('are reduced to one value a channel', async () => {
    const x = tensor(6, [2, 5, 3, 4, 2]);
    const model = new SmallModel();
    const y = model.one('globalPool', { fn: 'average', channelsLast: false }, model.input('x', x.shape));
    const expected = mapCoordinates([2, 5, 1, 1, 1], ([item = 0, channel = 0]) => {
      const first = (item * 5 + channel) * 24;
      return x.data.subarray(first, first + 24).reduce((sum, value) => sum + value, 0) / 24;
    });
    await expectOutput(model.output(y), { x }, expected);
  });
});
