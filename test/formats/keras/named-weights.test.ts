import { describe, expect, it } from 'vitest';
import { type NamedWeight, namedWeights } from '../../../src/formats/keras/named-weights.ts';

const weight = (name: string): NamedWeight => ({
  name,
  stored: { dtype: 'float32', shape: [1], data: { byteLength: 4, read: () => null } },
});

describe('weights by name', () => {
  it('of one name are handed out in the order of the file, each once', () => {
    const all = [weight('outer/a/kernel:0'), weight('outer/b/kernel:0'), weight('outer/a/kernel:0')];
    const store = namedWeights(() => all);
    const find = (layer: string) => store.find({ path: ['outer', layer], name: 'kernel' });
    expect(find('a')).toBe(all[0]?.stored);
    expect(find('a')).toBe(all[2]?.stored);
    expect(find('a')).toBeNull();
    expect(store.find({ path: ['outer'], name: 'depthwise_kernel' })).toBe(all[1]?.stored);
    expect(store.heldBy(['outer', 'b'])).toEqual([all[1]?.stored]);
  });

  it('are found in time that grows with their number, not its square', () => {
    const all = Array.from({ length: 100_000 }, (_, index) => weight(`model/layer${index}/kernel`));
    const store = namedWeights(() => all);
    const found = all.filter((_, index) => store.find({ path: ['model', `layer${index}`], name: 'kernel' }) !== null);
    expect(found).toHaveLength(all.length);
    expect(all.every((_, index) => store.heldBy(['model', `other${index}`]).length === 0)).toBe(true);
  }, 10_000);
});
