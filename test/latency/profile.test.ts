import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseProfile } from '../../src/latency/profile.ts';
import { machineProfilePath, readProfile, readProfileIfThere, writeProfile } from '../../src/latency/profile-store.ts';
import { referenceProfile } from '../../src/latency/reference.ts';

const folder = mkdtempSync(join(tmpdir(), 'dsc-audit-profile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const reference = await referenceProfile();
const changed = (change: object): string => JSON.stringify({ ...reference, ...change });
const [fit] = reference.fits;

describe('reading a profile', () => {
  it('gives what was written', () => {
    expect(parseProfile(JSON.stringify(reference), 'a.json')).toEqual(reference);
  });

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['another format', changed({ format: 'perf.data' })],
    ['another version', changed({ version: 2 })],
    ['an unknown backend', changed({ backend: 'cuda' })],
    ['no fits', changed({ fits: [] })],
    ['no number of threads', changed({ fits: [{ ...fit, threads: 1.5 }] })],
    ['a cost below 0', changed({ fits: [{ ...fit, model: { ...fit?.model, functions: { exp: -1 } } }] })],
    [
      'a cost without end',
      changed({ fits: [{ ...fit, model: { ...fit?.model, functions: { exp: Number.POSITIVE_INFINITY } } }] }),
    ],
    ['a date that is none', changed({ calibratedAt: 'yesterday' })],
    ['a text of a megabyte', changed({ id: 'x'.repeat(1e6) })],
    [
      'too many groups',
      changed({
        fits: [
          { ...fit, layerSpread: Object.fromEntries(Array.from({ length: 501 }, (_, i) => [i, { low: 0, high: 0 }])) },
        ],
      }),
    ],
  ])('refuses %s, and says how to make one', (_, text) => {
    expect(() => parseProfile(text, 'a.json')).toThrow(
      /^a\.json is no profile that can be used: .* dsc-audit calibrate -o a\.json/,
    );
  });

  it('takes no name of an object for a kernel or a function', () => {
    const text = changed({ fits: [{ ...fit, model: { groups: {}, functions: {} } }] });
    const { groups, functions } = parseProfile(text, 'a.json').fits[0]?.model ?? { groups: {}, functions: {} };
    expect(groups.constructor).toBeUndefined();
    expect(functions.toString).toBeUndefined();
  });
});

describe('keeping a profile', () => {
  it('writes it whole, with the folders on the way, and leaves nothing beside it', () => {
    const path = join(folder, 'a/b/profile.json');
    writeProfile(path, reference);
    expect(readProfile(path)).toEqual(reference);
    expect(readdirSync(join(folder, 'a/b'))).toEqual(['profile.json']);
  });

  it('leaves the old one as it was where the new one cannot be written', () => {
    const blocked = join(folder, 'file');
    writeFileSync(blocked, 'not a folder');
    expect(() => writeProfile(join(blocked, 'profile.json'), reference)).toThrow(/cannot be written/);
    expect(readFileSync(blocked, 'utf8')).toBe('not a folder');
  });

  it('is missing, or says so', () => {
    expect(readProfileIfThere(join(folder, 'none.json'))).toBeNull();
    expect(() => readProfile(join(folder, 'none.json'))).toThrow(/There is no profile .*none\.json/);
  });

  it.each([
    ['linux', { HOME: '/home/ada' }, '/home/ada/.cache/dsc-audit/profile-builtin.json'],
    ['darwin', { HOME: '/Users/ada' }, '/Users/ada/Library/Caches/dsc-audit/profile-builtin.json'],
    ['linux', { HOME: '/home/ada', XDG_CACHE_HOME: '/tmp/cache' }, '/tmp/cache/dsc-audit/profile-builtin.json'],
  ])('lies in the cache folder of %s', (platform, env, path) => {
    expect(machineProfilePath({ env, platform }, 'builtin')).toBe(path);
  });
});
