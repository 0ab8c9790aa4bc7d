import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelFile } from '../../src/formats/model-source.ts';
import { builtin } from '../../src/latency/backends/builtin.ts';
import type { ChosenProfile } from '../../src/latency/choose-profile.ts';
import { parseProfile } from '../../src/latency/profile.ts';
import { referenceProfile } from '../../src/latency/reference.ts';
import { boundOf, ridgeOf } from '../../src/latency/roofline.ts';
import { auditOnnx, FIXTURES } from '../support/models.ts';

const MACHINE = { flopsPerSecond: 100e9, bytesPerSecond: 20e9 };

describe('the roofline', () => {
  it('has its ridge where both limits meet', () => {
    expect(ridgeOf(MACHINE)).toBe(5);
  });

  it('bounds by memory left of the ridge, and by compute from it on', () => {
    expect(boundOf(4.9, MACHINE)).toBe('memory-bound');
    expect(boundOf(5, MACHINE)).toBe('compute-bound');
  });

  it('says nothing of what computes nothing, or where figures are not known', () => {
    expect([boundOf(0, MACHINE), boundOf(null, MACHINE), boundOf(3, null)]).toEqual([null, null, null]);
  });
});

describe('an audit with a roofline', async () => {
  const profile = await referenceProfile();
  const [fit] = profile.fits;
  const withRoofline = (roofline: unknown): ChosenProfile => ({
    profile: parseProfile(JSON.stringify({ ...profile, fits: [{ ...fit, roofline }] }), 'a.json'),
    source: 'file',
    diagnostics: [],
  });
  const audited = (roofline: unknown) =>
    auditOnnx(modelFile(join(FIXTURES, 'onnx/resnet18.onnx')), {}, withRoofline(roofline));

  it('labels every layer, and each candidate before and after', () => {
    const { layers, dsc, profile: section } = audited(MACHINE);
    expect(section?.roofline).toEqual(MACHINE);
    const byItself = layers.filter(({ latencyMs }) => (latencyMs?.value ?? 0) > 0);
    expect(byItself.length).toBeGreaterThan(0);
    for (const { intensity, bound } of byItself) expect(bound).toBe(boundOf(intensity, MACHINE));
    // What is computed with the layer before it has no place under the roof.
    for (const layer of layers) if (!byItself.includes(layer)) expect(layer.bound).toBeNull();
    expect(dsc.candidates.length).toBeGreaterThan(0);
    for (const { intensity, bound } of dsc.candidates) {
      expect(bound).toEqual({ before: boundOf(intensity.before, MACHINE), after: boundOf(intensity.after, MACHINE) });
    }
  });

  it('leaves them open with a profile from before rooflines were measured', () => {
    const { layers, profile: section } = audited(undefined);
    expect(section?.roofline).toBeNull();
    expect(layers.every(({ bound }) => bound === null)).toBe(true);
  });

  it.each([{ flopsPerSecond: 0, bytesPerSecond: 1 }, { flopsPerSecond: 1 }, 'fast'])(
    'refuses %j for one',
    (roofline) => {
      expect(() => withRoofline(roofline)).toThrow(/is no profile that can be used/);
    },
  );
});

describe('this machine', () => {
  it('computes and moves memory at some speed', async () => {
    const opened = await builtin.open(() => performance.now());
    const roofline = await opened.roofline(1, 240);
    expect(roofline?.flopsPerSecond).toBeGreaterThan(1e8);
    expect(roofline?.bytesPerSecond).toBeGreaterThan(1e7);
  });
});
