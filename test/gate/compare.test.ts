import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { align } from '../../src/gate/align.ts';
import { compare } from '../../src/gate/compare.ts';
import type { MeasuredLayer, MeasuredReport } from '../../src/gate/measured-report.ts';
import { auditFixture } from '../support/models.ts';

const digits = auditFixture('onnx/digits_cnn.onnx');

/** A chain of convolutions: `conv1:64` has that name and so many output channels. */
function chain(...spelt: readonly string[]): MeasuredReport {
  const layers = spelt.map((text): MeasuredLayer => {
    const [name = '', channels = '8', op = 'Conv'] = text.split(':');
    const outChannels = Number(channels);
    return {
      name,
      op,
      inputShapes: [[1, 8, 4, 4]],
      outputShapes: [[1, outChannels, 4, 4]],
      conv: null,
      params: { total: 8 * outChannels, trainable: 8 * outChannels },
      macs: 128 * outChannels,
      flops: 256 * outChannels,
    };
  });
  return { ...digits, layers };
}

const told = (before: MeasuredReport, after: MeasuredReport) =>
  compare(before, after).layers.map(
    ({ status, before: was, after: is }) => `${status} ${[was, is].filter((name) => name !== null).join(' > ')}`,
  );

describe('two models', () => {
  it('that are the same differ in nothing', () => {
    const { change, counts, layers } = compare(digits, digits);
    expect(layers).toEqual([]);
    expect(counts).toMatchObject({ added: 0, removed: 0, changed: 0, renamed: 0, unchanged: digits.layers.length });
    expect(change).toMatchObject({ params: 0, macs: 0, flops: 0, fileBytes: 0, latencyMs: null });
  });

  it('are compared as fractions of the one before', () => {
    const { change } = compare(
      auditFixture('onnx/conv_mobilenet_1.0_224.onnx'),
      auditFixture('onnx/mobilenet_v1_1.0_224.onnx'),
    );
    expect(change.macs).toBeCloseTo(568_740_352 / 4_867_293_184 - 1, 12);
  });

  it('have no change where one of them is not known', () => {
    const { change } = compare(digits, auditFixture('edge/custom_op_unknown.onnx'));
    expect(change.macs).toBeNull();
  });
});

describe('layers', () => {
  it('are matched by name', () => {
    expect(told(chain('a.conv:8', 'b.conv:8', 'c.conv:8'), chain('a.conv:8', 'b.conv:16', 'c.conv:8'))).toEqual([
      'changed b.conv > b.conv',
    ]);
    expect(told(chain('a.x', 'b.x', 'c.x:9'), chain('a.x', 'c.x:9', 'd.x:7'))).toEqual(['removed b.x', 'added d.x']);
  });

  it('are matched by structure where every name moved', () => {
    const before = chain('a.w:8', 'b.w:16', 'c.w:32', 'd.w:64');
    const after = chain('n.a:8', 'n.b:16', 'n.new:24', 'n.c:32', 'n.d:64');
    expect(told(before, after)).toEqual(['added n.new']);
    expect(compare(before, after).counts.renamed).toBe(4);
  });

  it('whose names only number them are not torn apart by one more in front', () => {
    const before = chain('Conv_0:8', 'Conv_1:16', 'Conv_2:32', 'Conv_3:64');
    const after = chain('Conv_0:4', 'Conv_1:8', 'Conv_2:16', 'Conv_3:32', 'Conv_4:64');
    expect(told(before, after)).toEqual(['added Conv_0']);
  });

  it('of the same kind at the same place have changed, name and all', () => {
    const before = chain('a.in:8', 'a.mid:16', 'a.out:32');
    const after = chain('a.in:8', 'b.mid:17', 'a.out:32');
    expect(told(before, after)).toEqual(['changed a.mid > b.mid']);
  });

  it('of another operator are others, whatever their name', () => {
    expect(told(chain('a.x:8:Relu', 'b.x'), chain('a.x:8:Clip', 'b.x'))).toEqual(['removed a.x', 'added a.x']);
  });

  it('that became depthwise and pointwise are one removed and two added', () => {
    const { counts } = compare(auditFixture('onnx/table3_conv.onnx'), auditFixture('onnx/table3_dsc.onnx'));
    expect(counts).toMatchObject({ removed: 1, added: 2 });
  });

  it('all turn up once', () => {
    const names = fc.array(fc.stringMatching(/^[a-d]\.[xy]:[1-3]$/), { maxLength: 30 });
    fc.assert(
      fc.property(names, names, (before, after) => {
        const { counts } = compare(chain(...before), chain(...after));
        const both = counts.changed + counts.renamed + counts.unchanged;
        expect(both + counts.removed).toBe(before.length);
        expect(both + counts.added).toBe(after.length);
      }),
    );
  });

  it('100,000 of them are matched in seconds, however they were moved', () => {
    const names = Array.from({ length: 100_000 }, (_, index) => `m.${index}:${1 + (index % 50)}`);
    const moved = names.map((name, index) => `n.${index}:${name.split(':')[1]}`);
    const reversed = moved.toReversed();
    const started = performance.now();
    compare(chain(...names), chain(...moved.slice(5)));
    compare(chain(...names), chain(...reversed));
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe('an alignment', () => {
  const keys = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'x'), { maxLength: 40 });

  it('pairs equal keys, without crossings', () => {
    fc.assert(
      fc.property(keys, keys, (before, after) => {
        const pairs = align(before, after);
        for (const [one, other] of pairs) expect(before[one]).toBe(after[other]);
        for (let index = 1; index < pairs.length; index++) {
          expect(pairs[index]?.[0]).toBeGreaterThan(pairs[index - 1]?.[0] ?? -1);
          expect(pairs[index]?.[1]).toBeGreaterThan(pairs[index - 1]?.[1] ?? -1);
        }
      }),
    );
  });

  it('finds all of a sequence with something put in or taken out', () => {
    fc.assert(
      fc.property(keys, fc.nat(), fc.constantFrom('x', 'a'), (before, place, extra) => {
        const after = before.toSpliced(place % (before.length + 1), 0, extra);
        expect(align(before, after)).toHaveLength(before.length);
        expect(align(after, before)).toHaveLength(before.length);
      }),
    );
  });
});
