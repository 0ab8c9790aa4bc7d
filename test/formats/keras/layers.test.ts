import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { auditSource } from '../../../src/audit/audit.ts';
import type { Report } from '../../../src/audit/report.ts';
import { modelBytes } from '../../../src/formats/model-source.ts';

interface Case {
  readonly name: string;
  readonly truth: {
    readonly params: number;
    readonly trainable: number;
    readonly outputs: readonly (readonly (number | null)[])[];
    /** Worked out by hand where Keras does not tell. */
    readonly macs?: number;
  };
  readonly model: {
    readonly config: {
      readonly layers: readonly { readonly config: { readonly batch_shape: readonly (number | null)[] } }[];
    };
  };
}

/** Small models as Keras 3 serialised them, with what Keras itself says of them; see make-layers.py beside them. */
const CASES: readonly Case[] = JSON.parse(readFileSync('fixtures/keras/layers.json', 'utf8'));

/** Layers whose work the data decide, or whose interpolation nobody counts. */
const UNCOUNTED = /^(Discretization|ContrastLimited|Resizing lanczos)/;

/** What the open extents of a case are bound to. */
const BOUND = 6;

async function auditCase({ name, model }: Case): Promise<Report> {
  const source = modelBytes(`${name}.json`, [new TextEncoder().encode(JSON.stringify(model))]);
  const shape = model.config.layers[0]?.config.batch_shape ?? [];
  return auditSource(source, shape.includes(null) ? { shapes: { '': shape.map((extent) => extent ?? BOUND) } } : {});
}

describe.each(CASES)('$name', (given) => {
  it('counts what Keras counts', async () => {
    const { truth } = given;
    const report = await auditCase(given);
    expect(report.totals.params).toEqual({ total: truth.params, trainable: truth.trainable });
    if (truth.macs !== undefined) expect(report.totals.macs).toBe(truth.macs);
    expect(report.totals.isLowerBound).toBe(UNCOUNTED.test(given.name));
    const shapes = report.model.outputs.map(({ shape }) => shape);
    // What Keras leaves open is what it comes to here.
    const expected = truth.outputs.map((shape, index) => shape.map((extent, axis) => extent ?? shapes[index]?.[axis]));
    expect(shapes).toEqual(expected);
  });
});
